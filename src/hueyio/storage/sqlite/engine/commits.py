"""The transactions of one session: on one connection, for one thread at a time.

Most are attempted in the writer's thread. Those that ``shortcut`` lets through are attempted on the loop, at once or
not at all: whatever is in the way there (a lock, an error, what turns out to take long) is rolled back and left to the
thread, so that there is one place that waits, repeats and explains. The gate of ``file`` keeps the two apart.

A signal handler of the application may raise in the middle of an attempt on the loop, which runs in the main thread of
most programs. Then the transaction is over or rolled back, and never half of either: if SQLite has none open any more
and the error is not SQLite's, it was committed.

SQLite copies the log into the file in that commit which finds it long, and syncs twice. An attempt on the loop must not
be the one, so it switches that off, and the thread switches it on again when so many rows were written meanwhile.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable
from math import inf
from traceback import clear_frames
from typing import Any, Final

from hueyio.exceptions import HueyException
from hueyio.storage.operations import Durability
from hueyio.storage.shared.answers import Refused
from hueyio.storage.sqlite.engine import tombstones
from hueyio.storage.sqlite.engine.calls import Attempt, Call, Commit, Operation
from hueyio.storage.sqlite.engine.file import SqliteFile
from hueyio.storage.sqlite.engine.log_watch import LogWatch
from hueyio.storage.sqlite.engine.opening import CHECKPOINT_PAGES
from hueyio.storage.sqlite.engine.place import Place
from hueyio.storage.sqlite.engine.room import Room
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.options import SqliteOptions

__all__ = ["Commits"]

log = logging.getLogger(__name__)

_MOST_UNCHECKED: Final = 128
"""Rows that may be written before the log's length is looked at again; a task that is enqueued makes two."""

_LONGEST_MEASURED: Final = 0.004
"""Seconds; so that the one that copies the log does not count for more than some others."""


class _Exchanged(Exception):
    """What was sent after the file was exchanged is for the one that is there now."""


class Commits:
    """Owned by the writer."""

    def __init__(self, options: SqliteOptions, file: SqliteFile, place: Place, client: str) -> None:
        self._options = options
        self._file = file
        self._place = place
        self._client = client
        self._is_wal = options.journal_mode == "wal"
        self._synced: tuple[sqlite3.Connection, Durability] | None = None
        self._unchecked_on: sqlite3.Connection | None = None
        """The connection whose commits do not look at the log's length."""
        self._unchecked = 0
        self._measures = options.sync_on_loop and options.fsync
        self.sync_time = inf
        """Seconds that a durable commit takes, as a mean of the last ones, if anybody has to know."""
        self.room = Room()
        self.log_watch = LogWatch(lambda: place.path, pages=CHECKPOINT_PAGES if options.fsync else None)

    def needs_thread(self, now: float) -> bool:
        """Whether the log has to be looked after by the next call that writes, which may take long."""
        return self._unchecked >= _MOST_UNCHECKED or self.log_watch.needs_look(now)

    def attempt(self, batch: list[Call], take: Callable[[Durability], list[Call]] | None) -> Commit:
        """Carry out calls, and those that ``take`` adds when the write lock is there. In the thread."""
        while True:
            with contextlib.suppress(_Exchanged):
                return self._attempt(batch, take)

    def attempt_here(self, attempt: Attempt) -> None:
        """Carry out calls on the loop, or change nothing. Raises what a signal handler raised meanwhile."""
        connection = None
        try:
            connection = self._file.take_nowait()
            if connection is not None:
                durability = _need_of(attempt.calls)
                if durability and self._unchecked_on is not connection:
                    self._check_log(connection, False)
                begun = self._begin(connection, durability)
                attempt.commit = self._prepare(connection, attempt.calls, is_brief=True)
                self._commit(connection)
                self._unchecked += connection.total_changes - begun
        except BaseException as error:  # the thread does the same again, and tells its callers
            if connection is None or isinstance(error, sqlite3.Error) or _was_open(connection):
                attempt.commit = None
            log.debug("the thread goes on with what failed on the loop: %r", error)
            if attempt.commit is not None or not isinstance(error, Exception):
                clear_frames(error.__traceback__)  # which would keep a statement alive, and that its lock
                raise
        finally:
            if connection is not None:
                _roll_back(connection)
                self._file.give_back()

    def _attempt(self, batch: list[Call], take: Callable[[Durability], list[Call]] | None) -> Commit:
        """Raises _Exchanged if another file came to stand at the path before the last call was taken."""
        durability = _need_of(batch)
        with self._file as connection:
            if self.log_watch.is_tight:
                self.room.watch(connection)
            if durability and self._unchecked >= _MOST_UNCHECKED:
                self._check_log(connection, True)
            begun = self._begin(connection, durability)
            try:
                if take is not None:
                    batch += take(durability)
                if self._place.is_left():
                    raise _Exchanged
                commit = self._prepare(connection, batch)
                self._commit(connection)
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            self._note_written(connection, connection.total_changes - begun)
            if self._is_wal and durability:  # who only reads must not take the lock from those who write
                self.log_watch.look(connection)
            return commit

    def _begin(self, connection: sqlite3.Connection, durability: Durability) -> int:
        """Begin a transaction; return how many rows the connection has written until now."""
        self._set_synchronous(connection, durability)
        connection.execute("BEGIN IMMEDIATE" if durability else "BEGIN")
        return connection.total_changes

    def _prepare(self, connection: sqlite3.Connection, batch: list[Call], is_brief: bool = False) -> Commit:
        """Do everything but the commit."""
        options = self._options
        transaction = Transaction(connection, self._place.queue, self._client, options.clock(), *options.bounds)
        transaction.is_brief, transaction.epoch = is_brief, self._place.epoch
        answers = [_run(call.operation, transaction) for call in batch]
        tombstones.write(transaction)
        transaction.finish()
        return Commit(batch, answers, transaction)

    def _commit(self, connection: sqlite3.Connection) -> None:
        if not self._measures or self._synced != (connection, Durability.DURABLE):
            connection.execute("COMMIT")
            return
        begun = time.monotonic()
        connection.execute("COMMIT")
        took = min(time.monotonic() - begun, _LONGEST_MEASURED)
        self.sync_time = took if self.sync_time == inf else self.sync_time + (took - self.sync_time) / 8

    def _set_synchronous(self, connection: sqlite3.Connection, durability: Durability) -> None:
        """Sync the log for a durable transaction only. Other journals need the sync to stay whole."""
        options, wanted = self._options, (connection, durability)
        if options.fsync and self._is_wal and durability and self._synced != wanted:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durability is Durability.DURABLE else 'NORMAL'}")
            self._synced = wanted

    def _check_log(self, connection: sqlite3.Connection, wanted: bool) -> None:
        """Have commits look at the log's length, as they do at first, or not."""
        if (self._unchecked_on is not connection) != wanted:
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES if wanted else 0}").fetchone()
            self._unchecked_on = None if wanted else connection

    def _note_written(self, connection: sqlite3.Connection, rows: int) -> None:
        if self._unchecked_on is connection:
            self._unchecked += rows
        elif rows:
            self._unchecked = 0


def _need_of(calls: list[Call]) -> Durability:
    return calls[0].durability if len(calls) == 1 else max(call.durability for call in calls)


def _run(operation: Operation[Any], transaction: Transaction) -> Any:
    try:
        return operation(transaction)
    except HueyException as error:
        return Refused(error)


def _was_open(connection: sqlite3.Connection) -> bool:
    """Whether a transaction is open, or was when a signal handler forked, which closes the connection."""
    try:
        return connection.in_transaction
    except sqlite3.ProgrammingError:
        return True


def _roll_back(connection: sqlite3.Connection) -> None:
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except sqlite3.Error:  # it is closed, or the thread will meet the same
        pass
