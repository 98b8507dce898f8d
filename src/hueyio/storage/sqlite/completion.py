"""A transaction of a body's own, in which its task ends: ``async with task.transaction()`` on a SqliteHuey.

Theory of operation. The connection is made for the body. ``BEGIN`` takes no lock, the first write does; a body that
reads before may be told that somebody else has written since. Nobody but ``finish`` is to commit: ``guarded`` refuses
it, and a savepoint below all that the body does says whether it is still the same transaction. SQLite rolls one back by
itself when its disk is full, for example; sqlite3 would begin another one for what comes then.

While the lock is held nobody else writes, heartbeats neither. So a thread waits for the end of the block, and when its
time is over it rolls back from outside, which SQLite allows in its serialized mode. First it forbids the connection to
write, so that nothing slips in behind. Nothing of ours that SQLite calls back may be set meanwhile but what needs many
steps: it would wait for the interpreter lock with SQLite's own, and the body the other way round. ``_lock`` is between
that thread and whoever ends the block.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from typing import Final

import aiosqlite

from hueyio.storage.records import Answer, HistoryBatch, Receipt, Settlement
from hueyio.storage.shared.blocks import is_over, not_held, not_the_same, too_long
from hueyio.storage.shared.doorbell import Doorbell
from hueyio.storage.shared.threaded import start_for_session
from hueyio.storage.sqlite.engine import tombstones
from hueyio.storage.sqlite.engine.opening import open_guarded
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.errors import explain
from hueyio.storage.sqlite.guarded import GuardedConnection
from hueyio.storage.sqlite.joined_transaction import plain_rows, run_in_thread_of
from hueyio.storage.sqlite.options import SqliteOptions
from hueyio.storage.sqlite.settling import is_in_force, settle_one
from hueyio.storage.sqlite.statements import statements

__all__ = ["BlockingSqliteCompletion", "SqliteCompletion"]

log = logging.getLogger(__name__)

_SQL = statements("completion.sql")
_CHUNK: Final = 64
"""Rows that aiosqlite fetches at once; its own default."""
_STEPS: Final = 100_000
"""Instructions of SQLite's machine after which a statement is asked for the time; some milliseconds."""


class BlockingSqliteCompletion:
    """All of it in one thread, but for what happens when the time is over."""

    def __init__(self, options: SqliteOptions, receipt: Receipt, seconds: float) -> None:
        self._options = options
        self._receipt = receipt
        self._seconds = seconds
        self._ends_at = 0.0
        self._is_hurried = False
        self._queue = 0
        self._path = ""
        self._connection: GuardedConnection | None = None
        self._lock = threading.Lock()
        self._left = threading.Event()
        self._timer: threading.Thread | None = None
        self._is_too_long = False

    def begin(self) -> sqlite3.Connection:
        """Open and begin."""
        try:
            connection = open_guarded(self._options)
            try:
                self._look(connection)
                for statement in ("BEGIN", _SQL["mark"]):
                    connection.execute_as_owner(statement)
                self._ends_at = time.monotonic() + self._seconds
                connection.set_progress_handler(self._is_late, _STEPS)
                self._connection = connection
                self._timer = start_for_session(self._watch, "hueyio-sqlite-block")
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise explain(error, self._options) from error
        return connection

    def finish(self, settlement: Settlement, history: HistoryBatch | None = None) -> Answer:
        """End the task and commit."""
        with self._lock:
            self._require_time()
            connection = self._connection
            if connection is None:
                raise is_over(self._receipt)
            connection.set_progress_handler(None, 0)
            try:
                with plain_rows(connection):
                    answer, committed = self._write(connection, settlement, history)
            except sqlite3.Error as error:
                raise explain(error, self._options) from error
        if committed is not None:
            self._ring(committed)
        return answer

    def abandon(self) -> None:
        """Roll back, and close."""
        self._left.set()
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                _roll_back(connection)
                connection.close()
        if self._timer is not None:
            self._timer.join()
        self._require_time(for_the_last_time=True)

    def hurry(self) -> None:
        """Let a statement that runs in another thread end soon."""
        self._is_hurried = True

    def _look(self, connection: GuardedConnection) -> None:
        """Find the queue, and whether the receipt is in force, before the transaction: its first read is the body's."""
        row = connection.execute(_SQL["queue"], (self._options.name,)).fetchone()
        self._queue = row[0] if row else 0
        self._path = connection.execute("PRAGMA database_list").fetchone()[2]
        if not is_in_force(self._transaction(connection), self._receipt):
            raise not_held(self._receipt)

    def _write(
        self, connection: GuardedConnection, settlement: Settlement, history: HistoryBatch | None
    ) -> tuple[Answer, Transaction | None]:
        try:
            connection.execute_as_owner(_SQL["unmark"])
        except sqlite3.OperationalError as error:
            raise not_the_same(self._receipt, also=", or failed so that SQLite rolled all back") from error
        tx = self._transaction(connection)
        # A write first: what is read before it may be out of date by the time that the lock is there.
        connection.execute(_SQL["touch"], (self._queue,))
        answer = settle_one(tx, settlement, history)
        if answer not in ("accepted", "fired"):
            return answer, None
        tombstones.write(tx)
        tx.finish()
        connection.execute_as_owner("COMMIT")
        return answer, tx

    def _transaction(self, connection: sqlite3.Connection) -> Transaction:
        options = self._options
        return Transaction(connection, self._queue, "", options.clock(), *options.bounds)

    def _ring(self, committed: Transaction) -> None:
        """Wake whoever waits for what was committed; who is not reached finds it at his slow look."""
        bell = Doorbell(self._path, f"block-{self._receipt.id}", self._options.mode)
        try:
            bell.ring(bool(committed.rung) or committed.noticed, committed.told)
        finally:
            bell.close()

    def _is_late(self) -> bool:
        """Say whether the statement under way is to end."""
        self._is_too_long = self._is_too_long or (not self._is_hurried and time.monotonic() > self._ends_at)
        return self._is_too_long or self._is_hurried

    def _watch(self) -> None:
        """Roll back when the time is over, in a thread of its own: the body may block the loop, or its thread."""
        if self._left.wait(self._seconds):
            return
        with self._lock:
            if self._connection is not None:
                self._is_too_long = True
                _roll_back(self._connection)

    def _require_time(self, *, for_the_last_time: bool = False) -> None:
        if self._is_too_long:
            self._is_too_long = not for_the_last_time
            raise too_long(self._receipt, self._seconds)


class SqliteCompletion:
    """The same, in the thread of a connection of aiosqlite."""

    def __init__(self, options: SqliteOptions, receipt: Receipt, seconds: float) -> None:
        self._inner = BlockingSqliteCompletion(options, receipt, seconds)
        self._connection: aiosqlite.Connection | None = None

    async def begin(self) -> aiosqlite.Connection:
        """Open and begin."""
        self._connection = await aiosqlite.Connection(self._inner.begin, _CHUNK)
        return self._connection

    async def finish(self, settlement: Settlement, history: HistoryBatch | None = None) -> Answer:
        """End the task and commit, behind all that the connection was told before."""
        assert self._connection is not None
        return await run_in_thread_of(self._connection, lambda _: self._inner.finish(settlement, history))

    async def abandon(self) -> None:
        """Roll back, and close."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._inner.hurry()
            try:
                await run_in_thread_of(connection, _roll_back)
            except (ValueError, sqlite3.Error):  # the body has closed it
                log.debug("the connection of a body's transaction was closed before the end of the block")
            finally:
                await connection.close()
        self._inner.abandon()


def _roll_back(connection: sqlite3.Connection) -> None:
    """Roll back, and let nothing be written behind that; to close alone does not while a cursor is referred to."""
    with contextlib.suppress(sqlite3.Error):  # the body has closed it
        sqlite3.Connection.execute(connection, "PRAGMA query_only = 1")
        if connection.in_transaction:
            sqlite3.Connection.execute(connection, "ROLLBACK")
