"""The reading end of a session: questions that may take long.

It has a thread and a connection of its own, opened at its first use, so that a count of a million rows
holds up no write. It sees what was committed, by whomever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from hueyio.storage.sqlite.engine.file import SqliteFile
from hueyio.storage.sqlite.engine.opening import open_reader
from hueyio.storage.sqlite.engine.place import Place
from hueyio.storage.sqlite.engine.thread import SqliteThread
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.errors import explained, insist
from hueyio.storage.sqlite.options import SqliteOptions

__all__ = ["Reader"]

T = TypeVar("T")


class Reader:
    """One read-only connection in a thread."""

    def __init__(self, options: SqliteOptions, place: Place, client: str) -> None:
        self._options = options
        self._place = place
        self._client = client
        self._file = SqliteFile(lambda: open_reader(options), options.target, place)
        self._thread = SqliteThread("hueyio-sqlite-reader")

    def run(self, question: Callable[[Transaction], T]) -> asyncio.Future[T]:
        """Answer a question from one snapshot; repeat it while the file is locked."""
        options = self._options
        return self._thread.run(
            lambda: explained(lambda: insist(lambda: self._attempt(question), options.timeout), options)
        )

    def close(self, closed: Callable[[], None]) -> None:
        """End the thread after all that was asked, and call back (in the thread, if there is one)."""
        self._thread.stop(self._file.close, closed)

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread."""
        self._thread.join(timeout)

    def _attempt(self, question: Callable[[Transaction], T]) -> T:
        with self._file as connection:
            connection.execute("BEGIN")
            try:
                return question(Transaction(connection, self._place.queue, self._client, self._options.clock()))
            finally:
                connection.execute("ROLLBACK")
