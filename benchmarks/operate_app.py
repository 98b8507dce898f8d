"""What the worker processes of ``benchmarks operate`` run; where its queue is, the environment says.

Each task says on standard error that it starts, so that nobody has to guess.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import Any

import hueyio

__all__ = ["block", "huey", "sleep"]

_address = os.environ["HUEYIO_BENCH_ADDRESS"]
# Each storage is imported where it is used, as an application does: redis-py alone takes 12 MB.
huey: hueyio.Huey = (
    hueyio.RedisHuey("bench", url=_address)
    if _address.startswith("redis:")
    else hueyio.SqliteHuey("bench", filename=_address)
)


def _tell(word: str, task: Any) -> None:
    print(f"{word} {task.id}", file=sys.stderr, flush=True)


@huey.task(context=True)
async def sleep(seconds: float, task: Any = None) -> float:
    """Take time."""
    _tell("start", task)
    await asyncio.sleep(seconds)
    return seconds


@huey.task(context=True)
async def block(seconds: float, task: Any = None) -> float:
    """Keep the loop from running."""
    _tell("start", task)
    time.sleep(seconds)  # noqa: ASYNC251 - blocking the loop is the point
    return seconds
