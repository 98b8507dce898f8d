"""From what the user says of where Huey's queue is to the source that reads it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import anyio.to_thread

from hueyio.exceptions import ConfigurationError, HueyException, StorageUnavailable
from hueyio.migration.folder_source import FolderSource
from hueyio.migration.redis_source import RedisSource
from hueyio.migration.source import Source
from hueyio.migration.sqlite_source import SqliteSource

__all__ = ["open_source"]


async def open_source(where: str, name: str | None, timeout: float) -> Source:
    """Return the source of a queue; ``where`` is a URL of Redis, an SQLite file, or a folder.

    Without a name it is the only one there. Raises ConfigurationError, StorageUnavailable, and HueyException if all are
    empty.
    """
    if "://" in where:
        return await _on_server(where, name, timeout)
    return await anyio.to_thread.run_sync(_at_path, Path(where), name, timeout)


async def _on_server(url: str, name: str | None, timeout: float) -> RedisSource:
    if url.partition("://")[0] not in ("redis", "rediss", "unix"):
        raise ConfigurationError("the address of Huey's server begins with redis://, rediss:// or unix://")
    if name is None:
        name = _only(await RedisSource.find_names(url, timeout), "the server")
    source = RedisSource(url, name, timeout)
    await source.settle_name()
    return source


def _at_path(path: Path, name: str | None, timeout: float) -> Source:
    if not path.exists():
        raise ConfigurationError(f"there is no file or folder {path.absolute()}")
    if path.is_dir():
        if not FolderSource.is_one(path):
            raise ConfigurationError(f"{path} has no queue of Huey's")
        return FolderSource(path, timeout)
    return _in_file(path, name, timeout)


def _in_file(path: Path, name: str | None, timeout: float) -> SqliteSource:
    try:
        is_one = SqliteSource.is_one(path, timeout)
    except StorageUnavailable as error:
        if isinstance(error.__cause__, sqlite3.DatabaseError) and "not a database" in str(error):
            raise ConfigurationError(f"{path} is no SQLite file") from error
        raise
    if not is_one:
        raise ConfigurationError(f"{path} has no queue of Huey's")
    return SqliteSource(path, name or _only(SqliteSource.find_names(path, timeout), str(path)), timeout)


def _only(names: list[str], where: str) -> str:
    if not names:
        raise HueyException(
            f"all queues of Huey's at {where} are empty; if one is meant all the same, say --from-queue"
        )
    if len(names) > 1:
        listed = ", ".join(names)
        raise ConfigurationError(f"{where} has {len(names)} queues of Huey's: say --from-queue with one of {listed}")
    return names[0]
