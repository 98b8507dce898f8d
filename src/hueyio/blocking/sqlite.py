"""SqliteHuey, for a program without any ``async``."""

from __future__ import annotations

import os
from typing import Any, Unpack

from hueyio.app.presets import sqlite
from hueyio.app.sync_huey import SyncHuey
from hueyio.blocking.huey import Huey
from hueyio.handles.options import shows_options

__all__ = ["SqliteHuey"]


class SqliteHuey(Huey):
    """Tasks in an SQLite file, shared by all processes of one machine; see ``hueyio.SqliteHuey``."""

    __slots__ = ()

    @shows_options(sqlite.SqliteHuey)
    def __init__(
        self,
        name: str = "huey",
        filename: str | os.PathLike[str] = "huey.db",
        *,
        cache_mb: float = 8,
        fsync: bool | None = True,
        journal_mode: str = "wal",
        timeout: float = 5,
        strict_fifo: bool = False,
        create_tables: bool = True,
        storage_kwargs: dict[str, Any] | None = None,
        **options: Unpack[sqlite.SqliteHueyOptions],
    ) -> None:
        made = sqlite.SqliteHuey(
            name,
            filename,
            cache_mb=cache_mb,
            fsync=fsync,
            journal_mode=journal_mode,
            timeout=timeout,
            strict_fifo=strict_fifo,
            create_tables=create_tables,
            storage_kwargs=storage_kwargs,
            **options,
        )
        SyncHuey.__init__(self, made)
