"""hueyio with one no-op task."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from hueyio import Huey, RedisHuey, SqliteHuey, TaskWrapper

__all__ = ["Noop"]


class Noop:
    """A Huey and its task, which returns its argument; ``on_run`` hears how many have run in this process."""

    def __init__(self, kind: str, address: str, options: dict[str, Any]) -> None:
        self.huey: Huey
        if kind == "redis":
            self.huey = RedisHuey("bench", url=address, **options)
        else:
            self.huey = SqliteHuey("bench", filename=address, **options)
        self.on_run: Callable[[int], None] = _ignore
        self.task: TaskWrapper[[int], int] = self._declare()

    def _declare(self) -> TaskWrapper[[int], int]:
        runs = itertools.count(1)

        @self.huey.task(name="noop")
        async def noop(number: int) -> int:
            self.on_run(next(runs))
            return number

        return noop


def _ignore(run: int) -> None:
    """Hear and do nothing."""
