"""Connections whose transaction their user must neither end nor begin: another one does.

All else is as psycopg has it, savepoints by ``connection.transaction()`` included.
"""

from __future__ import annotations

import re
from typing import Any, Final, NoReturn, Self

import psycopg
from psycopg import sql

from hueyio.storage.shared.blocks import refuse

__all__ = ["GuardedAsyncConnection", "GuardedConnection"]

_ENDS: Final = re.compile(
    r"\s*(?:BEGIN|START\s+TRANSACTION|COMMIT|END|ABORT|PREPARE\s+TRANSACTION"
    r"|ROLLBACK(?!\s+(?:WORK\s+|TRANSACTION\s+)?TO\b))\b",
    re.IGNORECASE,
)


class GuardedAsyncConnection(psycopg.AsyncConnection[tuple[Any, ...]]):
    """For the loop. It is for mistakes; who hides a COMMIT is found out by whoever ends the transaction."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_factory = _AsyncCursor

    async def commit(self) -> NoReturn:
        """Refuse."""
        refuse("commit()")

    async def rollback(self) -> NoReturn:
        """Refuse."""
        refuse("rollback()")

    async def __aenter__(self) -> NoReturn:
        """Refuse: it commits when it is left."""
        refuse("`async with` on the connection")

    def __del__(self, _: Any = None, /) -> None:
        """Say nothing: the block of a body that has ended is rolled back by whoever ends its job."""


class GuardedConnection(psycopg.Connection[tuple[Any, ...]]):
    """For a thread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_factory = _Cursor

    def commit(self) -> NoReturn:
        """Refuse."""
        refuse("commit()")

    def rollback(self) -> NoReturn:
        """Refuse."""
        refuse("rollback()")

    def __enter__(self) -> NoReturn:
        """Refuse: it commits when it is left."""
        refuse("`with` on the connection")

    def __del__(self, _: Any = None, /) -> None:
        """Say nothing, as above."""


class _AsyncCursor(psycopg.AsyncCursor[Any]):
    async def execute(self, query: Any, *args: Any, **kwargs: Any) -> Self:
        _check(query)
        return await super().execute(query, *args, **kwargs)

    async def executemany(self, query: Any, *args: Any, **kwargs: Any) -> None:
        _check(query)
        await super().executemany(query, *args, **kwargs)


class _Cursor(psycopg.Cursor[Any]):
    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Self:
        _check(query)
        return super().execute(query, *args, **kwargs)

    def executemany(self, query: Any, *args: Any, **kwargs: Any) -> None:
        _check(query)
        super().executemany(query, *args, **kwargs)


def _check(query: Any) -> None:
    text = query.as_string() if isinstance(query, sql.Composable) else query
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    if isinstance(text, str) and (found := _ENDS.match(text)):
        refuse(found[0].strip().upper())
