"""SqliteHuey."""

from __future__ import annotations

from typing import Any, Unpack

from hueyio.app import Huey, HueyOptions
from hueyio.storage.sqlite import SqliteStorage

__all__ = ["SqliteHuey"]


class SqliteHuey(Huey):
    """Tasks in an SQLite file, shared by all processes of one machine; durable, no server."""

    storage_class = SqliteStorage

    def __init__(
        self,
        name: str = "huey",
        filename: str = "huey.db",
        *,
        cache_mb: int = 8,
        fsync: bool | None = True,
        journal_mode: str = "wal",
        timeout: float = 5,
        strict_fifo: bool = False,
        create_tables: bool = True,
        storage_kwargs: dict[str, Any] | None = None,
        **options: Unpack[HueyOptions],
    ) -> None:
        super().__init__(
            name,
            **options,
            filename=filename,
            cache_mb=cache_mb,
            fsync=fsync,
            journal_mode=journal_mode,
            timeout=timeout,
            strict_fifo=strict_fifo,
            create_tables=create_tables,
            **(storage_kwargs or {}),
        )
