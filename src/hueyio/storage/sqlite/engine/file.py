"""One connection to the file: opened when it is first used, and closed before a fork.

SQLite keeps its locks per process and a table of them in memory, and a forked child inherits that table without the
locks. A connection that the child opens to the same file would then believe in locks that it does not have, and its
parent's connections must not even be closed there. So nothing may be open at the moment of a fork: ``before`` takes
the gate of every connection of this process, which lets a transaction that is under way end first, and closes them;
the parent opens them again at their next use. The gate is free while a connection waits for somebody else's lock.

A connection that belongs to a place follows it: where another file has come to stand there (see ``place``), the next
use is one of that file.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

__all__ = ["SqliteFile", "leave_file"]


class _Place(Protocol):
    """What stands at the path: ``check`` goes on with another file if there is one, ``epoch`` counts them.

    ``note_opened`` is told of each connection that was opened, ``note_left`` that they were closed for another file.
    """

    @property
    def epoch(self) -> int: ...

    def is_left(self) -> bool: ...

    def note_opened(self) -> None: ...

    def note_left(self) -> None: ...

    def check(self) -> None: ...


class SqliteFile:
    """``with file as connection``: the connection, for one thread at a time. ``target`` is what it is opened with."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], target: str, place: _Place | None = None) -> None:
        self.target = target
        self._connect = connect
        self._place = place
        self._epoch = 0
        self._gate = threading.RLock()  # a signal handler that forks may have interrupted whoever holds it
        self._connection: sqlite3.Connection | None = None
        with _files_lock:
            _files.add(self)

    def __enter__(self) -> sqlite3.Connection:
        while True:
            if self._place is not None:
                self._place.check()
            self._gate.acquire()
            try:
                if (connection := self._open()) is not None:
                    return connection
            except BaseException:
                self._gate.release()
                raise
            self._gate.release()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._gate.release()

    def take_nowait(self) -> sqlite3.Connection | None:
        """Return the connection, if it is open and of the file that is there now and nobody uses it; else None.

        Whoever got it gives it back.
        """
        if self._connection is None or not self._gate.acquire(blocking=False):
            return None
        connection = self._connection
        if connection is None or (self._place is not None and self._place.epoch != self._epoch):
            self._gate.release()
            return None
        return connection

    def give_back(self) -> None:
        """Let others use the connection again."""
        self._gate.release()

    def close(self) -> None:
        """Close the connection, if it is open; the next use would open it anew."""
        with self._gate:
            self._close()

    def leave(self, last: Callable[[sqlite3.Connection], None]) -> None:
        """Do this last with the connection, if it is open, and close it; the next use is one of another file."""
        with self._gate:
            if self._connection is not None:
                last(self._connection)
            self._close()
            if self._place is not None:
                self._place.note_left()

    def _open(self) -> sqlite3.Connection | None:
        """Return the connection; None if another file came to stand at its place just now."""
        place = self._place
        if self._connection is not None and (place is None or place.epoch == self._epoch):
            return self._connection
        self._close()
        epoch = 0 if place is None else place.epoch
        self._connection = self._connect()
        if place is not None and place.is_left():
            self._close()
            return None
        if place is not None:
            place.note_opened()
        self._epoch = epoch
        return self._connection

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


def leave_file(target: str, last: Callable[[sqlite3.Connection], None]) -> None:
    """Close every connection of this process that was opened with this; ``last`` is called with each before.

    The places of all of them are told: they cannot see by themselves that a new file is another one, when it got the
    number of the old file, which nobody has open any more.
    """
    with _files_lock:
        found = [file for file in _files if file.target == target]
    for file in found:
        file.leave(last)


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
