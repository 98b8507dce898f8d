"""How late scheduled tasks start on an idle consumer, hueyio's and Huey's: each in a process of its own.

Beside them a bare timer, followed on Redis by two round trips, which is the least that it takes to promote a task and
to claim it: what the machine itself is late.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import redis.asyncio

from benchmarks.child import ChildFailed
from benchmarks.contenders import Kind
from benchmarks.server import RedisServer
from benchmarks.timing import in_milliseconds
from hueyio import Huey, RedisHuey, SqliteHuey

__all__ = ["measure_and_print"]

_AHEAD: Final = 2.0
"""Seconds before the first is due: all are enqueued by then."""

_APART: Final = 0.0173
"""Seconds between two; no multiple of any poll."""


def measure_and_print(kind: Kind, count: int, server: RedisServer | None, folder: Path) -> None:
    """Measure both and print."""
    for side in ("timer", "hueyio", "huey"):
        if server is not None:
            server.clear()
        address = server.url if server is not None else str(folder / f"delay-{side}.db")
        command = [sys.executable, "-m", "benchmarks.delay", side, kind, address, str(count)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise ChildFailed(f"{side} on {kind} ended with {done.returncode}")
        late = in_milliseconds(json.loads(done.stdout))
        print(
            f"  {kind}, {side}: {count} tasks start p50 {late['p50']:.1f} ms, p99 {late['p99']:.1f} ms late", flush=True
        )


def _times(count: int) -> list[float]:
    first = time.time() + _AHEAD
    return [first + number * _APART for number in range(count)]


async def _run_timer(kind: str, address: str, count: int) -> list[float]:
    late: list[float] = []
    client: Any = redis.asyncio.Redis.from_url(address) if kind == "redis" else None
    for due in _times(count):
        await asyncio.sleep(due - time.time())
        if client is not None:
            await client.ping()
            await client.ping()
        late.append(time.time() - due)
    return late


async def _run_hueyio(kind: str, address: str, count: int) -> list[float]:
    late: list[float] = []
    done = asyncio.Event()
    huey: Huey = RedisHuey("bench", url=address) if kind == "redis" else SqliteHuey("bench", filename=address)

    @huey.task(name="note")
    async def note(due: float) -> None:
        late.append(time.time() - due)
        if len(late) == count:
            done.set()

    async with huey, huey.create_consumer():
        calls = [note.options(eta=datetime.fromtimestamp(due, UTC)).s(due) for due in _times(count)]
        await huey.enqueue_many(calls)
        await done.wait()
    return late


def _run_huey(kind: str, address: str, count: int) -> list[float]:
    late: list[float] = []
    done = threading.Event()
    library: Any = importlib.import_module("huey")
    on_redis = kind == "redis"
    huey = library.RedisHuey("bench", url=address) if on_redis else library.SqliteHuey("bench", filename=address)

    def note(due: float) -> None:
        late.append(time.time() - due)
        if len(late) == count:
            done.set()

    task = huey.task(name="note")(note)
    huey.create_consumer(periodic=False, workers=4).start()
    for due in _times(count):
        task.schedule((due,), eta=datetime.fromtimestamp(due, UTC))
    done.wait()
    return late


def main() -> None:
    """Run one side and print how late each task was, in seconds."""
    side, kind, address, count = sys.argv[1:]
    if side == "timer":
        late = asyncio.run(_run_timer(kind, address, int(count)))
    elif side == "hueyio":
        late = asyncio.run(_run_hueyio(kind, address, int(count)))
    else:
        late = _run_huey(kind, address, int(count))
    print(json.dumps(late), flush=True)
    os._exit(0)  # Huey's threads end by themselves only after a while


if __name__ == "__main__":
    main()
