"""Middleware that was entered, one inside the other, around an attempt or an enqueue.

Theory of operation. What is inside decides: its error stands, whatever the middleware does with it, and none can
swallow it. Only where the inside ended well an error that a middleware raises while it is left takes the place of that,
because it may be a commit that failed. Each that was entered is left, in whatever way the others are, and in a time of
its own: one that never returns must not keep the others from it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Protocol

from hueyio.exceptions import ConfigurationError, TaskTimeout
from hueyio.execution.time_limit import RanOut, in_time
from hueyio.storage.shared.background import is_cancelled

__all__ = ["Entered", "Here", "Place"]

logger = logging.getLogger(__name__)


class Place(Protocol):
    """Where context managers are entered and left."""

    async def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Await what an async one does."""
        ...

    async def call(self, func: Callable[..., Any], *args: Any) -> Any:
        """Call what a sync one does."""
        ...


class Here:
    """In the coroutine that asks for it."""

    async def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Await it."""
        return await coroutine

    async def call(self, func: Callable[..., Any], *args: Any) -> Any:
        """Call it."""
        return func(*args)


class Entered:
    """What was entered in one place, the innermost last."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._managers: list[tuple[str, _Async | _Sync]] = []
        self.at: str | None = None
        """The middleware that is being entered or left."""
        self.ran_out: TaskTimeout | None = None
        """What stands for a middleware that had not returned in time when it was left."""

    async def enter(self, middleware: Callable[[Any], Any], subject: Any) -> None:
        """Make a context manager for this subject and enter it; raises what it raises."""
        self.at = _name_of(middleware)
        try:
            manager = _manage(middleware(subject), middleware)
            self._managers.append((self.at, manager))  # before: a thread may enter it although nobody waits any more
            await manager.enter(self._place)
        except Exception as error:
            error.add_note(f"raised by middleware {self.at}, before what is inside")
            raise
        self.at = None

    async def leave(self, error: BaseException | None, limit: float | None = None) -> BaseException | None:
        """Leave all with the error of what is inside, if any; return the one that stands.

        A cancellation that comes meanwhile stands above all others. Each gets ``limit`` seconds; None: no limit.
        """
        trace = None if error is None else error.__traceback__
        inside = error
        for name, manager in reversed(self._managers):
            self.at = name
            raised = await self._leave(manager, error, limit)
            if raised is None or raised is error:
                continue
            if error is None or (isinstance(raised, asyncio.CancelledError) and is_cancelled()):
                error = raised
            else:
                logger.error("middleware failed while it was left with %r", error, exc_info=raised)
        self.at = None
        if inside is not None:
            inside.__traceback__ = trace  # without the way through the middleware
        return error

    async def _leave(
        self, manager: _Async | _Sync, error: BaseException | None, limit: float | None
    ) -> BaseException | None:
        try:
            await in_time(limit, manager.leave(self._place, error))
        except RanOut:
            self.ran_out = TaskTimeout(f"middleware {self.at} was left, and had not returned after {limit:g} s")
            return self.ran_out
        except BaseException as raised:  # a value for whoever looks at what stands
            return raised
        return None


class _Async:
    """An async context manager."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._is_entered = False

    async def enter(self, place: Place) -> None:
        await place.run(self._enter())

    async def leave(self, place: Place, error: BaseException | None) -> None:
        if self._is_entered:
            await place.run(self._leave(error))

    async def _enter(self) -> None:
        await self._manager.__aenter__()
        self._is_entered = True

    async def _leave(self, error: BaseException | None) -> None:
        await self._manager.__aexit__(*_details(error))


class _Sync:
    """A sync context manager. Whether it was entered is known in its own thread."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._is_entered = False

    async def enter(self, place: Place) -> None:
        await place.call(self._enter)

    async def leave(self, place: Place, error: BaseException | None) -> None:
        await place.call(self._leave, error)

    def _enter(self) -> None:
        self._manager.__enter__()
        self._is_entered = True

    def _leave(self, error: BaseException | None) -> None:
        if self._is_entered:
            self._manager.__exit__(*_details(error))


def _manage(made: Any, middleware: Callable[[Any], Any]) -> _Async | _Sync:
    if isinstance(made, AbstractAsyncContextManager):
        return _Async(made)
    if isinstance(made, AbstractContextManager):
        return _Sync(made)
    raise ConfigurationError(f"middleware {_name_of(middleware)} made no context manager, but {made!r}")


def _name_of(middleware: Callable[[Any], Any]) -> str:
    """Return what the log calls it."""
    return str(getattr(middleware, "__qualname__", None) or repr(middleware))


def _details(error: BaseException | None) -> tuple[Any, Any, Any]:
    return (None, None, None) if error is None else (type(error), error, error.__traceback__)
