"""``enqueue_in``: one call of a function on a connection of the application's, in the transaction that is open there.

Theory of operation. The transaction may stay open for minutes, so nothing is locked that others need, and nobody is
woken before the commit: see ``sql/producing/enqueue_in.sql``. Parameters go as text, numbers and bytes with a cast
each, and JSON as text: an application may have its own way to write JSON on its connection. Before the first call a
connection of our own makes the tables where they are missing, and asks which database that is: a connection to another
one, which may have a schema of the same name, is refused before anything is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from hueyio.exceptions import ConfigurationError
from hueyio.named_tuple import NamedTuple
from hueyio.storage.postgres.bounds import bounds_of
from hueyio.storage.postgres.connection.connecting import connect
from hueyio.storage.postgres.connection.errors import translate
from hueyio.storage.postgres.migrations import migrate
from hueyio.storage.postgres.options import PostgresOptions
from hueyio.storage.postgres.producing import read_verdict
from hueyio.storage.postgres.rows import write_entries
from hueyio.storage.postgres.texts import unescape
from hueyio.storage.records import Enqueued, Entry
from hueyio.storage.shared.foreign.enqueuing import enqueue_by_statement
from hueyio.storage.shared.foreign.statement import ParamStyle, Row, Statement

__all__ = ["JoinedTransactions"]

_CASTS: Final = ("int", "text", "text::jsonb", "bytea[]", "text::jsonb")
_WRONG: Final = "w"
"""The verdict of another database."""
_MISSING: Final = ("42883", "3F000")
"""No such function, no such schema."""


class _Queue(NamedTuple):
    number: int
    database: str


class JoinedTransactions:
    """For one queue, whatever loop runs."""

    def __init__(self, options: PostgresOptions) -> None:
        self._options = options
        self._queue: _Queue | None = None

    async def enqueue(self, connection: Any, entries: Sequence[Entry]) -> list[Enqueued]:
        """Add entries; see ``PostgresStorage.enqueue_in``."""
        if self._queue is None:
            self._queue = await self._find_queue()
        queried = _Joined(self._options, self._queue)
        try:
            return await enqueue_by_statement(queried, connection, entries)
        except ConfigurationError:
            self._queue = None  # the queue itself may have moved to another server
            raise
        except Exception as error:
            if _state_of(error) in _MISSING:
                raise queried.elsewhere() from error
            raise

    async def _find_queue(self) -> _Queue:
        options = self._options
        try:
            async with asyncio.timeout(options.timeout), await connect(options.dsn, None) as connection:
                await migrate(connection, options)
                query = f"SELECT number, {options.schema}.database_1() FROM {options.schema}.open_1(%s::text)"
                row = await (await connection.execute(query.encode(), [options.name])).fetchone()
        except Exception as error:
            raise translate(error, options.where) from error
        assert row is not None
        return _Queue(*row)


class _Joined:
    """The statement, and what it answers."""

    def __init__(self, options: PostgresOptions, queue: _Queue) -> None:
        self._options = options
        self._queue = queue

    def enqueue_statement(self, entries: Sequence[Entry], style: ParamStyle) -> Statement:
        """Return the call of the function."""
        items, blobs = write_entries(entries)
        return Statement(
            f"SELECT verdict, holder FROM {self._options.schema}.enqueue_in_1({_parameters(style)})",
            [self._queue.number, self._queue.database, items, blobs, bounds_of(self._options)],
        )

    def read_enqueued(self, entries: Sequence[Entry], rows: Sequence[Row]) -> list[Enqueued]:
        """Read a verdict for each entry; raises ConfigurationError if the database is another one."""
        if rows and rows[0][0] == _WRONG:
            raise self.elsewhere()
        return [read_verdict(verdict, holder and unescape(holder)) for verdict, holder in rows]

    def elsewhere(self) -> ConfigurationError:
        """Return the error for a connection to another database."""
        return ConfigurationError(
            f"the connection is not to the database of the tasks, {self._options.where} with the schema "
            f"{self._options.schema}; one transaction cannot write both"
        )


def _parameters(style: ParamStyle) -> str:
    marks = [f"${number}" if style == "numeric_dollar" else "%s" for number in range(1, len(_CASTS) + 1)]
    return ", ".join(f"{mark}::{cast}" for mark, cast in zip(marks, _CASTS, strict=True))


def _state_of(error: BaseException | None) -> str | None:
    """Find the server's code in an error of a driver, or of a library around one."""
    while error is not None:
        state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
        if isinstance(state, str):
            return state
        error = getattr(error, "orig", None) or error.__cause__
    return None
