"""SqliteHuey."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Unpack

from hueyio.app.huey import Huey
from hueyio.app.options import HueyOptions
from hueyio.handles.options import check_names, merged, shows_options
from hueyio.storage.sqlite import SqliteStorage

__all__ = ["SqliteHuey"]


class SqliteHueyOptions(HueyOptions, total=False):
    """What ``SqliteHuey`` takes beside its own; see ``SqliteStorage``."""

    dead_limit: int
    keep_ended: int
    keep_failed: int
    failed_bytes: int
    failed_ttl: float
    keep_history: int
    history_ttl: float
    sync_on_loop: bool
    clock: Callable[[], float]
    mode: int
    uri: bool
    cached_statements: int
    detect_types: int
    factory: type[Any]


class SqliteHuey(Huey):
    """Tasks in an SQLite file, shared by all processes of one machine; durable, no server.

    Example::

        huey = SqliteHuey("app", filename="app.db")
    """

    storage_class = SqliteStorage

    @shows_options(Huey, SqliteStorage, names=SqliteHueyOptions.__annotations__)
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
        **options: Unpack[SqliteHueyOptions],
    ) -> None:
        check_names(type(self).__name__, options, SqliteHueyOptions.__annotations__)
        given: dict[str, Any] = {
            "filename": filename,
            "cache_mb": cache_mb,
            "fsync": fsync,
            "journal_mode": journal_mode,
            "timeout": timeout,
            "strict_fifo": strict_fifo,
            "create_tables": create_tables,
        }
        super().__init__(name, **merged({**given, **options}, storage_kwargs))
