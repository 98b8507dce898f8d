"""What a body holds of the transaction in which its task ends, and what the body of a ``def`` task asks for it."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol

__all__ = ["SyncAttempt", "SyncTaskTransaction", "TaskTransaction"]


class TaskTransaction(Protocol):
    """``async with (tx := task.transaction()) as conn``: to leave it commits what was written, and ends the task.

    ``result`` is the task's value, as if its body had returned it.
    """

    result: Any

    async def __aenter__(self) -> Any: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class SyncTaskTransaction(Protocol):
    """The same for a body in a thread: ``with (tx := task.sync.transaction()) as conn``."""

    result: Any

    def __enter__(self) -> Any: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class SyncAttempt:
    """What the body of a ``def`` task may ask of its attempt: ``task.sync``."""

    def __init__(self, begin: Callable[[], SyncTaskTransaction]) -> None:
        self._begin = begin

    def transaction(self) -> SyncTaskTransaction:
        """Do what ``task.transaction()`` does, for ``with``.

        The connection is one of ``sqlite3``, or psycopg's that blocks, for this thread.
        Raises what that raises, and HueyException on the thread of the consumer's loop, which it would block.
        """
        return self._begin()
