"""What sqlite3 raises, in hueyio's words; and the patience with a file that is locked.

SQLite's own busy handler sleeps in steps of up to 100 ms, so it is off, and ``insist`` repeats with short, random
pauses instead.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from hueyio.exceptions import ConfigurationError, HueyException, StorageDamaged, StorageFull, StorageUnavailable
from hueyio.storage.sqlite.options import SqliteOptions

__all__ = ["explain", "explained", "insist", "is_busy", "is_full"]

T = TypeVar("T")

_SHORTEST_PAUSE: Final = 0.0001
_LONGEST_PAUSE: Final = 0.002
"""Seconds. A writer that is never done lets go of the lock only for a moment between two commits: on a slow disk,
whoever looks too seldom does not meet that moment before his time is up."""


_CANNOT_GROW: Final = (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_TRUNCATE)
"""The second: the index of the log, a file beside the database, is made at the first use."""


def insist(attempt: Callable[[], T], timeout: float) -> T:
    """Call until it does not meet a lock, for up to ``timeout`` seconds; then raise what it raised."""
    deadline = time.monotonic() + timeout
    pause = _SHORTEST_PAUSE
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() >= deadline:
                raise
        time.sleep(pause * random.uniform(0.5, 1.5))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def is_busy(error: BaseException) -> bool:
    """Whether another connection's lock was in the way."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_full(error: BaseException) -> bool:
    """Whether something could not be written, for want of room as far as one can tell.

    A full quota and a limit on the size of files are told apart from a broken disk by nothing that SQLite says.
    """
    return _code(error) == sqlite3.SQLITE_FULL or _extended_code(error) in _CANNOT_GROW


def explained(act: Callable[[], T], options: SqliteOptions, *, at_start: bool = False) -> T:
    """Call, with the errors of sqlite3 turned into ours."""
    try:
        return act()
    except sqlite3.Error as error:
        raise explain(error, options, at_start=at_start) from error


def explain(error: sqlite3.Error, options: SqliteOptions, *, at_start: bool = False) -> HueyException:
    """Turn an error of sqlite3 into ours: one sentence that names the file.

    ``at_start`` nothing was read of the file yet: another one may have been meant.
    """
    file = options.path
    match _code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StorageUnavailable(
                f"SQLite file {file} is busy: another process held its write lock for more than {options.timeout:g} s"
            )
        case _ if is_full(error):
            return StorageFull(f"SQLite file {file} cannot grow: its disk or its quota is full ({error})")
        case sqlite3.SQLITE_NOTADB:
            if at_start:
                return ConfigurationError(f"{file} is not an SQLite database")
            return StorageDamaged(f"SQLite file {file} is damaged: {error}; restore a backup")
        case sqlite3.SQLITE_CANTOPEN:
            return _cannot_open(error, options)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return StorageUnavailable(f"SQLite file {file} is read-only for this process")
        case sqlite3.SQLITE_CORRUPT:
            return StorageDamaged(f"SQLite file {file} is damaged: {error}; restore a backup")
        case _ if "no such table: hueyio_" in str(error) and not at_start:
            return StorageDamaged(f"SQLite file {file} has lost its hueyio tables; restore a backup")
        case _ if "no such table: hueyio_" in str(error):
            return ConfigurationError(f"SQLite file {file} has no hueyio tables; create_tables=True makes them")
        case _:
            return StorageUnavailable(f"SQLite file {file}: {error}")


def _cannot_open(error: sqlite3.Error, options: SqliteOptions) -> HueyException:
    path = Path(options.target)
    if not options.connect.get("uri"):
        try:
            if path.is_dir():
                return ConfigurationError(f"SQLite file {options.path} is a directory")
            if not path.parent.is_dir():
                return ConfigurationError(f"SQLite file {options.path}: its directory does not exist")
        except PermissionError:
            return ConfigurationError(f"SQLite file {options.path}: no permission to look into its directory")
    return StorageUnavailable(f"SQLite file {options.path} cannot be opened: {error}")


def _code(error: BaseException) -> int:
    """Return the primary result code; extended ones keep it in the low byte."""
    return _extended_code(error) & 0xFF


def _extended_code(error: BaseException) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code
