"""Keeps the log (``-wal``) as long as it should be, as far as SQLite allows.

A commit appends to the log; a checkpoint copies it into the file, after which it begins anew. SQLite does that by
itself every 1,000 pages, unless somebody still reads what is in the log: then it grows, until the disk is full. What is
done here, once a second at most, and by those who write:

* A log that is longer than ``_LONG`` is copied and cut, in a moment when nobody reads. That is enough where many short
  readers take turns.
* If that fails again and again, somebody keeps a transaction open, and SQLite has no means against it. One warning says
  so, and which process it is, where ``/proc`` tells. Commits then wait a little, so that more operations share one and
  the log grows more slowly; nothing is refused.
* On a disk that is nearly full the log is copied every second, and after each commit that makes the file longer: once
  the disk is full, what the log has for the end of the file can be copied no more, and nothing would go on at all. And
  the log is made some MB long while that can be done: on a full disk it is all the room that a transaction has.

And once: a commit that makes the log longer takes up to twice as long to sync as one that writes over what is there. So
a log that is synced gets its full length at once, but not before there were some commits, because a program that makes
few would pay more than it saves. SQLite has no setting for that. But a transaction whose pages do not fit into the
cache writes them into the log before it ends, and if it is rolled back, nobody ever reads them there.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable
from typing import Final

from hueyio.storage.sqlite.engine.readers import name_processes, reading_processes
from hueyio.storage.sqlite.engine.room import free_bytes
from hueyio.storage.sqlite.statements import statements

__all__ = ["LogWatch"]

log = logging.getLogger(__name__)

_SQL = statements("log_watch.sql")

_PERIOD: Final = 1.0
_LONG: Final = 64 * 2**20
"""Bytes; also ``journal_size_limit``, to which SQLite cuts a log that begins anew."""

_LITTLE_ROOM: Final = 256 * 2**20
_RESERVE: Final = 4 * 2**20
_LOOKS_TO_WARN: Final = 3
_COMMITS_TO_LENGTHEN: Final = 32
_LITTLE_CACHE: Final = 16
"""Pages."""

_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.25


class LogWatch:
    """Belongs to the writer's thread. ``pause``: how many seconds the next commit waits for company.

    ``pages``: the full length of a log that is synced.
    """

    def __init__(
        self, path: Callable[[], str], monotonic: Callable[[], float] = time.monotonic, pages: int | None = None
    ) -> None:
        self._path = path
        self._monotonic = monotonic
        self._pages = pages
        self._commits = 0
        self._next = 0.0
        self._pinned = 0
        """How many looks in a row found somebody reading what keeps the log long."""
        self._readers: set[int] = set()
        self._said = False
        self.is_tight = False
        """Whether the disk was nearly full."""
        self.pause = 0.0

    def needs_look(self, now: float) -> bool:
        """Whether the next commit has to be looked after; ``now`` is monotonic time."""
        return self.is_tight or self.pause > 0 or now >= self._next

    def look(self, connection: sqlite3.Connection) -> None:
        """Look after the log, if it is time for that. Between two transactions."""
        self._commits += 1
        if self._commits == _COMMITS_TO_LENGTHEN and self._pages is not None:
            self._lengthen_at_once(connection, self._pages)
        now = self._monotonic()
        if now < self._next:
            if self.is_tight and _has_growth(connection, self._path()):
                _checkpoint(connection, "PASSIVE")
            return
        self._next = now + _PERIOD
        path = self._path()
        size = _size(path)
        if size > _LONG:
            self._cut(connection, path, size)
        self.is_tight = free_bytes(path) < _LITTLE_ROOM
        if self.is_tight:
            if size < _RESERVE and free_bytes(path) > 4 * _RESERVE:
                _lengthen(connection)
            _checkpoint(connection, "RESTART")
        if self.pause and _size(path) <= _LONG:
            self._recover(path)

    def _cut(self, connection: sqlite3.Connection, path: str, size: int) -> None:
        if _checkpoint(connection, "TRUNCATE"):
            self._pinned = self._commits = 0
            return
        found = reading_processes(path)
        self._readers = self._readers & found if self._pinned else found
        self._pinned += 1
        if self._pinned < _LOOKS_TO_WARN:
            return
        self.pause = min(_PAUSE * size / _LONG, _LONGEST_PAUSE)
        if not self._said:
            self._said = True
            log.warning(
                "SQLite file %s: its log has %d MB and grows, because somebody keeps a transaction open: %s; "
                "commits wait for each other until that is over",
                path,
                size // 2**20,
                name_processes(self._readers),
            )

    def _lengthen_at_once(self, connection: sqlite3.Connection, pages: int) -> None:
        path = self._path()
        length = pages * int(connection.execute("PRAGMA page_size").fetchone()[0])
        if _size(path) < length and free_bytes(path) >= _LITTLE_ROOM:
            _write_in_vain(connection, length)
            _checkpoint(connection, "PASSIVE")  # which syncs what was written: no commit has to wait for it

    def _recover(self, path: str) -> None:
        self.pause, self._pinned = 0.0, 0
        self._said = False
        log.info("SQLite file %s: its log is short again", path)


def _checkpoint(connection: sqlite3.Connection, kind: str) -> bool:
    """Copy the log; say whether all of it was copied and nobody reads it."""
    with contextlib.suppress(sqlite3.Error):  # locked, or no room: the next look tries again
        busy, _, _ = connection.execute(f"PRAGMA wal_checkpoint({kind})").fetchone()
        return bool(busy == 0)
    return False


def _lengthen(connection: sqlite3.Connection) -> None:
    """Write something long, in the place of a value of no area, and delete it: log and file keep the room."""
    with contextlib.suppress(sqlite3.Error):  # locked, or no room: the next look tries again
        connection.execute(_SQL["write_reserve"], (_RESERVE,))
        connection.execute(_SQL["delete_reserve"])


def _write_in_vain(connection: sqlite3.Connection, length: int) -> None:
    """Have the log written, in a transaction that is rolled back."""
    (cache,) = connection.execute("PRAGMA cache_size").fetchone()
    with contextlib.suppress(sqlite3.Error):  # locked, or no room: then it grows as it is needed
        connection.execute(f"PRAGMA cache_size = {_LITTLE_CACHE}")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_SQL["write_reserve"], (length,))
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    connection.execute(f"PRAGMA cache_size = {cache}")


def _has_growth(connection: sqlite3.Connection, path: str) -> bool:
    """Whether the file is shorter than the log says."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    try:
        return os.stat(path).st_size < int(pages) * int(size)
    except OSError:
        return False


def _size(path: str) -> int:
    try:
        return os.stat(f"{path}-wal").st_size
    except OSError:
        return 0
