"""One Huey for each storage."""

from __future__ import annotations

from typing import Any, Unpack

from hueyio.app import Huey, HueyOptions
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.redis import (
    PriorityRedisExpireStorage,
    PriorityRedisStorage,
    RedisExpireStorage,
    RedisStorage,
)
from hueyio.storage.sqlite import SqliteStorage

__all__ = [
    "MemoryHuey",
    "PriorityRedisExpireHuey",
    "PriorityRedisHuey",
    "RedisExpireHuey",
    "RedisHuey",
    "SqliteHuey",
]


class MemoryHuey(Huey):
    """Tasks in the memory of this process: for tests, and for an embedded consumer that may lose them."""

    storage_class = MemoryStorage


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


class RedisHuey(Huey):
    """Tasks in Redis or Valkey, shared by all machines that reach it; first come, first served, no priorities.

    ``url`` (``redis://``, ``rediss://``, ``unix://``), or a ``connection_pool``, or ``host``, ``port`` and what
    else redis-py's connections take.
    """

    storage_class = RedisStorage


class PriorityRedisHuey(RedisHuey):
    """``RedisHuey`` with priorities: any number, the highest first; first come, first served within one.

    Its queue and one of ``RedisHuey`` cannot have the same name: whichever comes second raises StorageError.
    """

    storage_class = PriorityRedisStorage


class RedisExpireHuey(RedisHuey):
    """``RedisHuey`` whose results stay for ``expire_time`` seconds (a day) and may be read any number of times."""

    storage_class = RedisExpireStorage


class PriorityRedisExpireHuey(RedisExpireHuey):
    """``PriorityRedisHuey`` and ``RedisExpireHuey`` in one."""

    storage_class = PriorityRedisExpireStorage
