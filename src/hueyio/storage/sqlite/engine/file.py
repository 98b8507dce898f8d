"""One connection to the file: opened when it is first used, and closed before a fork.

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

__all__ = ["SqliteFile"]


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
