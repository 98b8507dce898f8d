"""Queues of Huey's on each of its storages."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import huey

from tests.migration.tasks import declare

__all__ = ["KINDS", "Written", "written_queue"]

KINDS: Final = ("sqlite", "list", "priority", "expire", "file")


class Written(NamedTuple):
    """A queue that a Huey of its own writes. ``where`` is how a command names it, ``tasks`` what makes calls."""

    kind: str
    huey: Any
    where: str
    tasks: dict[str, Any]

    @property
    def size(self) -> int:
        """How many tasks are in Huey's queue and schedule."""
        return int(self.huey.pending_count() + self.huey.scheduled_count())

    @property
    def has_priorities(self) -> bool:
        """Whether it orders by priority."""
        return bool(self.huey.storage.priority)


@contextmanager
def written_queue(kind: str, folder: Path, url: str, *, file: str = "huey.db", **options: Any) -> Iterator[Written]:
    """Make a queue."""
    name = f"shop{uuid.uuid4().hex}"
    where = url
    made: Any
    match kind:
        case "sqlite":
            where = str(folder / file)
            made = huey.SqliteHuey(name, filename=where, **options)
        case "file":
            where = str(folder / "huey")
            made = huey.FileHuey(name, path=where, **options)
        case "list":
            made = huey.RedisHuey(name, url=url, blocking=False, **options)
        case "priority":
            made = huey.PriorityRedisHuey(name, url=url, blocking=False, **options)
        case _:
            made = huey.PriorityRedisExpireHuey(name, url=url, blocking=False, **options)
    try:
        yield Written(kind, made, where, declare(made))
    finally:
        made.storage.close()
        if hasattr(made.storage, "pool"):
            made.storage.pool.disconnect()
