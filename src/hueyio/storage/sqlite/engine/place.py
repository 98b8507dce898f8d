"""Which file stands at the path, and the number that the queue has in it.

Theory of operation. A deploy, a restored backup or an ``rm`` may put another file where the open one was. SQLite goes
on with the old one, which no other process will ever see. So the device and inode of the path are compared with those
of the open file at each use, which takes 2 us; and the thread that looks for news looks here too, forty times a second.
The first thread that finds a difference closes every connection of this process to the path, tells the other sessions
that have one, and opens the queue in the file that is there now; the others wait for it. ``epoch`` counts the files.

SQLite finds the log (``-wal``) and its index (``-shm``) by their names. If they are still those of the old file,
whoever opens the new one is told of an I/O error, or has the old log copied into it. So the old log is copied to where
it belongs, to the old file, which is still open here; then both are removed, by the first process that notices: before
it closes them, because the number of a file that nobody has open may be that of the new log by now. In the moments
before that the two files can be mixed up, and nothing here can prevent it: who exchanges a file should remove all
three.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Final, TypeAlias

from hueyio.storage.sqlite.engine.file import SqliteFile, leave_file
from hueyio.storage.sqlite.engine.opening import open_writer
from hueyio.storage.sqlite.engine.tables import open_queue
from hueyio.storage.sqlite.options import SqliteOptions

__all__ = ["Place"]

_SUCCESSOR_TIME: Final = 0.5
"""Seconds that whoever removed the file gets to put another one there, before this process makes one."""

_LOOK_FOR_SUCCESSOR: Final = 0.02

_BESIDE: Final = ("-wal", "-shm")

_renewing: Final = threading.Lock()
"""One session at a time leaves a file: what it closes and removes must not be what another one has just opened."""

_Identity: TypeAlias = tuple[int, int]

log = logging.getLogger(__name__)


class Place:
    """Shared by the threads of one session. ``on_renewed`` is called in the thread that opened another file."""

    def __init__(self, options: SqliteOptions, on_renewed: Callable[[], object] = lambda: None) -> None:
        self._options = options
        self._identity: _Identity | None = None
        self._was_left = False
        self._beside: dict[str, _Identity | None] = {}
        self.on_renewed = on_renewed
        self.path = ""
        self._named = ""
        self.queue = 0
        self.epoch = 0

    def open(self, file: SqliteFile) -> None:
        """Open the queue for the first time, patiently."""
        self.queue, self.path = open_queue(file, self._options)
        self._named = self._name()
        self._identity = identify(self._named)

    def is_left(self) -> bool:
        """Whether the file at the path is another one than that which was opened, or none."""
        if self._was_left:
            return True
        try:
            return self._identity is not None and identify(self._named) != self._identity
        except OSError:  # nobody can tell now; what is asked of the file will say what it is
            return False

    def written_at(self) -> int | None:
        """Return when the file itself was written last, which only a checkpoint does beside a log.

        None if another file stands at the path, or nobody can tell.
        """
        if self._was_left:
            return None
        try:
            found = os.stat(self._named)
        except OSError:
            return None
        return found.st_mtime_ns if (found.st_dev, found.st_ino) == self._identity else None

    def check(self) -> None:
        """Open what is there now, if it is another file. Raises what sqlite3 raises."""
        if self.is_left():
            with _renewing:
                if self.is_left():  # else somebody else was faster
                    self._renew()

    def note_opened(self) -> None:
        """Remember which log belongs to the file."""
        with contextlib.suppress(OSError):
            self._beside = {suffix: identify(self.path + suffix) for suffix in _BESIDE}

    def note_left(self) -> None:
        """Remember that all connections to the file are closed, because it is another one now."""
        self._was_left = True

    def _name(self) -> str:
        """Return the path as it was given: a link that is turned to another file counts. Of a URI, what it names."""
        options = self._options
        return self.path if options.connect.get("uri") else options.target

    def _renew(self) -> None:
        if not self._was_left:
            leave_file(self._options.target, self._finish)
            self._was_left = True
        with contextlib.suppress(OSError):
            self._await_successor()
        file = SqliteFile(lambda: open_writer(self._options), self._options.target)
        try:
            queue, path = open_queue(file, self._options)
        finally:
            file.close()
        log.warning("SQLite file %s was removed or exchanged: going on with the file that is there now", path)
        self.queue, self.path = queue, path
        self._named = self._name()
        self.epoch += 1
        self._identity = identify(self._named)
        self._was_left = False
        self.on_renewed()

    def _finish(self, connection: sqlite3.Connection) -> None:
        if _finish_log(connection):
            self._remove_log()

    def _remove_log(self) -> None:
        """Remove the log and its index, if they are still those of the file that was open."""
        for suffix, known in self._beside.items():
            with contextlib.suppress(OSError):
                if known is not None and identify(self.path + suffix) == known:
                    os.unlink(self.path + suffix)

    def _await_successor(self) -> None:
        until = time.monotonic() + _SUCCESSOR_TIME
        while identify(self._named) is None and time.monotonic() < until:
            time.sleep(_LOOK_FOR_SUCCESSOR)


def identify(path: str) -> _Identity | None:
    """Return the device and inode of what stands at a path; None if nothing does. Raises OSError."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def _finish_log(connection: sqlite3.Connection) -> bool:
    """Copy the log to its file; False if not all of it was copied, as while somebody reads it."""
    with contextlib.suppress(sqlite3.Error):
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return bool(busy == 0)
    return False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_renewing.acquire, after_in_parent=_renewing.release, after_in_child=_renewing.release)
