"""What can be done on a full disk, so that what needs no room goes on: deletes, and small updates.

Whatever is written goes into the log first, and the log may not grow. But a checkpoint copies it into the file, and
then it begins anew in the room that it has. So on a full disk there is one checkpoint, and the transaction is tried
again.

The log would also take what makes the file grow, and then no checkpoint could copy it, and nothing went on at all. So
while there is no room the connection may not grow the file (``max_page_count``): what needs more fails by itself. Nor
may it grow the file by more than the last bit of room; ``watch`` sees to that on a disk that is nearly full.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import Final

__all__ = ["Room", "free_bytes"]

_ENOUGH: Final = 2**20
"""Bytes that must be free before the file may grow again; a quota may leave less, and is met again then."""


class Room:
    """Of one connection at a time; belongs to its thread."""

    def __init__(self) -> None:
        self._bounded: tuple[sqlite3.Connection, int] | None = None
        """A connection that may not grow the file, and what bounded it before."""

    def make(self, connection: sqlite3.Connection) -> None:
        """Have the log begin anew, and bound the file or lift the bound."""
        with contextlib.suppress(sqlite3.Error):  # what follows is the attempt that says what is wrong
            connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
            self.watch(connection)

    def watch(self, connection: sqlite3.Connection) -> None:
        """Bound the file if there is no room, and lift the bound if there is."""
        if self._bounded is not None and self._bounded[0] is not connection:
            self._bounded = None
        if free_bytes(_path(connection)) >= _ENOUGH:
            if self._bounded is not None:
                _set_most_pages(connection, self._bounded[1])
                self._bounded = None
            return
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        before = _set_most_pages(connection, None)
        if self._bounded is None:
            self._bounded = connection, before
        _set_most_pages(connection, min(before, pages))


def free_bytes(path: str) -> int:
    """Return how much room there is on a file's disk; more than any disk has where nobody can tell."""
    try:
        found = os.statvfs(os.path.dirname(path))
    except OSError:
        return 2**62
    return found.f_bavail * found.f_frsize


def _path(connection: sqlite3.Connection) -> str:
    path: str = connection.execute("PRAGMA database_list").fetchone()[2]
    return path


def _set_most_pages(connection: sqlite3.Connection, pages: int | None) -> int:
    """Bound the file, unless told nothing; return the bound."""
    (bound,) = connection.execute(f"PRAGMA max_page_count{'' if pages is None else f' = {pages}'}").fetchone()
    return int(bound)
