"""Tasks in a folder, for those who know Huey's ``FileStorage``.

Huey keeps a file for each message and each result, under one lock. That cannot say that a task is over, that its
result is there and that its follow-up is queued in one step, which is what the contract asks for; so the folder holds
one SQLite file with a rollback journal. Its locks are those of the file system, its journal is written, synced and
removed around every change, and no reader ever sees half of one.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any, Final

from hueyio.storage.sqlite import SqliteStorage
from hueyio.storage.sqlite.session import SqliteSession

__all__ = ["FileStorage"]

_FILE: Final = "hueyio.db"


class FileStorage(SqliteStorage):
    """One queue in a folder, which is made when it is first used; several queues may share it.

    ``levels`` and ``use_thread_lock`` are Huey's and change nothing here: no folders are nested, and the lock holds
    between threads and processes alike. Further arguments are those of ``SqliteStorage``. Raises ValueError if
    ``levels`` is not 0 to 4, or ``path`` is something else than a folder.
    """

    def __init__(
        self,
        name: str = "huey",
        path: str | os.PathLike[str] = "huey",
        levels: int = 2,
        use_thread_lock: bool = False,
        **options: Any,
    ) -> None:
        if isinstance(levels, bool) or not isinstance(levels, int) or not 0 <= levels <= 4:
            raise ValueError(f"FileStorage: levels must be 0 to 4, not {levels!r}")
        if not isinstance(path, str | os.PathLike) or not os.fspath(path):
            raise ValueError(f"FileStorage: path must be that of a folder, not {path!r}")
        self.path = os.path.abspath(os.fspath(path))
        if os.path.exists(self.path) and not os.path.isdir(self.path):
            raise ValueError(f"FileStorage: {self.path} is not a folder")
        super().__init__(name, os.path.join(self.path, _FILE), **{"journal_mode": "truncate", **options})

    async def connect(self) -> SqliteSession:
        """Make the folder if need be, and open a session for the running loop."""
        await asyncio.to_thread(os.makedirs, self.path, exist_ok=True)
        return await super().connect()

    def __str__(self) -> str:
        return f"folder {self.path}, queue {self.name!r}"
