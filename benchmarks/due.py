"""Very many tasks that fall due in the same second: what promoting them costs everybody else.

One scheduler promotes; beside it a task of another lane is enqueued, claimed and settled again and again. Told are
how long the server was in one script (Redis), how late the loop was, and how long those other tasks took.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from benchmarks.contenders import Kind
from benchmarks.hueyio_app import Noop
from benchmarks.lag import LoopLag
from benchmarks.server import RedisServer
from benchmarks.timing import percentile
from hueyio.client.prepare import prepare
from hueyio.consumer.scheduler import Scheduler
from hueyio.core import core_of
from hueyio.storage.contract import Session
from hueyio.storage.records import Entry, Finish, Header

__all__ = ["measure_and_print"]

_CHUNK: Final = 10_000
_LONG_AGO: Final = 1.0
_PAUSE: Final = 0.005


def measure_and_print(kind: Kind, count: int, server: RedisServer | None, folder: Path) -> None:
    """Measure and print."""
    if server is not None:
        server.clear()
    address = server.url if server is not None else str(folder / "due.db")
    asyncio.run(_measure(kind, address, count, server))


async def _measure(kind: Kind, address: str, count: int, server: RedisServer | None) -> None:
    app = Noop(kind, address, {})
    async with app.huey:
        session = await core_of(app.huey).session()
        message = prepare(core_of(app.huey), app.task.s(1)).data
        for first in range(0, count, _CHUNK):
            numbers = range(first, min(first + _CHUNK, count))
            await session.enqueue([Entry(Header(f"due-{number}", eta=_LONG_AGO), message) for number in numbers])
        if server is not None:
            server.watch_scripts()
        scheduler = Scheduler(session, time.time)
        lag, stop = LoopLag(), asyncio.Event()
        others = asyncio.create_task(_run_others(session, stop))
        begun = time.perf_counter()
        while await scheduler.step() == 0:
            pass
        seconds = time.perf_counter() - begun
        told = lag.take()
        stop.set()
        latencies = await others
        await lag.stop()
        moved = sum((await session.counts()).queued.values())
    assert moved >= count, f"{count - moved} tasks are missing"
    others_told = (
        f"others' tasks p99 {1000 * percentile(latencies, 0.99):.1f} ms, longest {1000 * max(latencies):.1f} ms"
    )
    print(f"  {kind}: {count} tasks promoted in {seconds:.1f} s; {told}; {others_told}", flush=True)
    if server is not None:
        print(f"  longest script on the server: {server.longest_script():.1f} ms", flush=True)


async def _run_others(session: Session, stop: asyncio.Event) -> list[float]:
    """Enqueue, claim and settle one task of the other lane after another."""
    latencies: list[float] = []
    await session.register("bench", b"{}")
    while not stop.is_set():
        number = len(latencies) + 1
        begun = time.perf_counter()
        await session.enqueue([Entry(Header(f"other-{number}", lane="thread"), b"")])
        (delivery,) = await session.claim({"thread": 1}, "bench")
        await session.settle([Finish(delivery.receipt)], "bench", number)
        latencies.append(time.perf_counter() - begun)
        await asyncio.sleep(_PAUSE)
    await session.deregister("bench")
    return latencies
