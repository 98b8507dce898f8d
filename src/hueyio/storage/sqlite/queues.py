"""Which queues there are in a file: for whoever has a path and no app.

A session makes the file, its tables and the queue where they are missing, and so would do it for a name that was
mistyped. This only reads, before anything is opened.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from hueyio.exceptions import ConfigurationError, StorageUnavailable

__all__ = ["find_queues"]


def find_queues(path: str | os.PathLike[str], timeout: float) -> list[str]:
    """Return the names of the queues in an SQLite file, by name.

    Raises ConfigurationError if there is no such file or it is none of ours, StorageUnavailable if it is locked.
    """
    where = Path(path).absolute()
    if not where.is_file():
        raise ConfigurationError(f"there is no file {where}")
    try:
        with closing(sqlite3.connect(f"{where.as_uri()}?mode=ro", uri=True, timeout=timeout)) as connection:
            rows = connection.execute("SELECT name FROM hueyio_queues ORDER BY name").fetchall()
    except sqlite3.DatabaseError as error:
        text = str(error)
        if "no such table" in text or "not a database" in text:
            raise ConfigurationError(f"{where} has no queue of hueyio: {text}") from error
        raise StorageUnavailable(f"SQLite file {where} cannot be read: {text}") from error
    return [name for (name,) in rows]
