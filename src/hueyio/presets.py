"""One Huey for each storage."""

from __future__ import annotations

import os
from typing import Any, Unpack

from hueyio.app import Huey, HueyOptions
from hueyio.storage.blackhole import BlackHoleStorage
from hueyio.storage.file import FileStorage
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.records import Entry
from hueyio.storage.redis import (
    PriorityRedisExpireStorage,
    PriorityRedisStorage,
    RedisExpireStorage,
    RedisStorage,
)
from hueyio.storage.sqlite import SqliteStorage
from hueyio.task import Task

__all__ = [
    "BlackHoleHuey",
    "FileHuey",
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


class FileHuey(Huey):
    """Tasks in a folder, shared by all processes of one machine; see ``FileStorage``.

    Priorities are whole numbers from 0 to 65535, as in Huey; others raise ValueError where the task is enqueued.
    ``SqliteHuey`` does the same, faster, and with any priority.
    """

    storage_class = FileStorage

    def __init__(
        self,
        name: str = "huey",
        path: str | os.PathLike[str] = "huey",
        levels: int = 2,
        use_thread_lock: bool = False,
        *,
        storage_kwargs: dict[str, Any] | None = None,
        **options: Unpack[HueyOptions],
    ) -> None:
        super().__init__(
            name,
            **options,
            path=path,
            levels=levels,
            use_thread_lock=use_thread_lock,
            **(storage_kwargs or {}),
        )

    def prepare(self, task: Task) -> Entry:
        """Check the priority, and do what every Huey does."""
        if isinstance(task, Task):
            for stage in task.stages():
                if stage.priority is not None:
                    stage.priority = _file_priority(stage)
        return super().prepare(task)


class BlackHoleHuey(Huey):
    """Keeps nothing: tasks are checked and dropped, no result ever comes, and awaiting one gives None at once.

    For switching the queue off without touching the code that uses it. A consumer can be started, and has nothing to
    do. In immediate mode tasks run, as in that of any Huey.
    """

    storage_class = BlackHoleStorage


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


def _file_priority(task: Task) -> float:
    if not 0 <= (task.priority or 0) < 2**16:
        raise ValueError(f"task {task.name}: FileHuey takes priorities from 0 to 65535, not {task.priority!r}")
    return int(task.priority or 0)
