"""One connection to the file: opened when it is first used, and let go before a fork.

SQLite keeps its locks per process and a table of them in memory, and a forked child inherits that table without the
locks. A connection that the child opens to the same file would then believe in locks that it does not have, and its
parent's connections must not even be closed there. So nothing may be open at the moment of a fork: ``before`` takes
the gate of every connection of this process, which lets a transaction that is under way end first, and closes them;
the parent opens them again at their next use. The gate is free while a connection waits for somebody else's lock.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final

from hueyio.exceptions import ConfigurationError
from hueyio.storage.sqlite.errors import insist
from hueyio.storage.sqlite.options import SqliteOptions
from hueyio.storage.sqlite.statements import schema

__all__ = ["SqliteFile", "find_queue", "open_queue", "open_reader", "open_writer"]

_VERSION: Final = 1

_OLDEST: Final = (3, 35)
"""The first SQLite with RETURNING, and with ON CONFLICT DO UPDATE for any conflict."""


class SqliteFile:
    """``with file as connection``: the connection, for one thread at a time."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._gate = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        with _files_lock:
            _files.add(self)

    def __enter__(self) -> sqlite3.Connection:
        self._gate.acquire()
        try:
            if self._connection is None:
                self._connection = self._connect()
        except BaseException:
            self._gate.release()
            raise
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._gate.release()

    def close(self) -> None:
        """Close the connection; the next use would open it anew."""
        with self._gate:
            self._close()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def __del__(self) -> None:
        # A heartbeat that nobody closed: Python 3.13 and later warn of a connection that just disappears.
        with contextlib.suppress(Exception):
            self._close()

    def before_fork(self) -> None:
        self._gate.acquire()
        self._close()

    def after_fork(self) -> None:
        self._gate.release()


_files: weakref.WeakSet[SqliteFile] = weakref.WeakSet()
_files_lock = threading.Lock()
_forking: list[SqliteFile] = []


def _before_fork() -> None:
    _files_lock.acquire()
    _forking.extend(_files)
    for file in _forking:
        file.before_fork()


def _after_fork() -> None:
    for file in _forking:
        file.after_fork()
    _forking.clear()
    _files_lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


def open_writer(options: SqliteOptions, *, is_durable: bool = True) -> sqlite3.Connection:
    """Open a connection that writes, durably if the options say so too."""
    connection = _open(options)
    try:
        _set_journal_mode(connection, options.journal_mode)
        connection.execute(f"PRAGMA synchronous = {'FULL' if options.fsync and is_durable else 'NORMAL'}")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")  # pages; a checkpoint syncs twice
        connection.execute("PRAGMA journal_size_limit = 67108864")
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(options: SqliteOptions) -> sqlite3.Connection:
    """Open a connection that only reads."""
    connection = _open(options)
    connection.execute("PRAGMA query_only = 1")
    return connection


def open_queue(file: SqliteFile, options: SqliteOptions) -> tuple[int, str]:
    """Open the file for the first time, patiently; return the queue's number and the file's real path."""

    def attempt() -> tuple[int, str]:
        with file as connection:
            queue = _prepare_queue(connection, options)
            listed = connection.execute("PRAGMA database_list").fetchone()
            return queue, os.path.realpath(listed[2])

    return insist(attempt, options.timeout)


def _prepare_queue(connection: sqlite3.Connection, options: SqliteOptions) -> int:
    """Make the tables and the queue's row where they are missing; return the queue's number.

    One BEGIN IMMEDIATE, so that of many processes that come at once one makes them and the others find them.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        queue = find_queue(connection, options)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return queue


def find_queue(connection: sqlite3.Connection, options: SqliteOptions) -> int:
    """Make the tables and the queue's row in the transaction that is open; return the queue's number."""
    _make_tables(connection, options)
    connection.execute("INSERT OR IGNORE INTO hueyio_queues (name) VALUES (?)", (options.name,))
    row = connection.execute("SELECT queue FROM hueyio_queues WHERE name = ?", (options.name,)).fetchone()
    return int(row[0])


def _make_tables(connection: sqlite3.Connection, options: SqliteOptions) -> None:
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'hueyio_meta'").fetchone()
    if known is None and options.create_tables:
        for statement in schema():
            connection.execute(statement)
        connection.execute("INSERT INTO hueyio_meta (version) VALUES (?)", (_VERSION,))
    version = connection.execute("SELECT version FROM hueyio_meta").fetchone()
    if version != (_VERSION,):
        raise ConfigurationError(
            f"SQLite file {options.path} has tables of version {version and version[0]}, "
            f"this hueyio knows version {_VERSION}; use the hueyio that wrote it"
        )


def _open(options: SqliteOptions) -> sqlite3.Connection:
    if sqlite3.sqlite_version_info < _OLDEST:
        needed = ".".join(map(str, _OLDEST))
        raise ConfigurationError(
            f"this Python comes with SQLite {sqlite3.sqlite_version}, and {needed} or later is needed: get a newer one"
        )
    # Closed by whichever thread is about to fork: the gate, not sqlite3, keeps threads apart.
    more: dict[str, Any] = {"cached_statements": 256, **options.connect}
    connection: sqlite3.Connection = sqlite3.connect(
        options.target, timeout=0, isolation_level=None, check_same_thread=False, **more
    )
    try:
        connection.execute(f"PRAGMA cache_size = {-int(options.cache_mb * 1000)}")
    except BaseException:
        connection.close()
        raise
    return connection


def _set_journal_mode(connection: sqlite3.Connection, mode: str) -> None:
    (current,) = connection.execute("PRAGMA journal_mode").fetchone()
    if current != mode:
        (current,) = connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()
    if current != mode:
        raise ConfigurationError(f"journal_mode {mode} cannot be used here: SQLite keeps {current}")
