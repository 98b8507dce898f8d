"""Many coroutines of one process wait for the results of as many tasks.

Three phases: they begin to wait; nothing happens; a worker in another process runs all tasks. In each: how late
the loop was, and, where there is a server, what it was sent.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from benchmarks.child import Child
from benchmarks.contenders import Kind, contenders
from benchmarks.hueyio_app import Noop
from benchmarks.lag import LoopLag
from benchmarks.server import RedisServer, Usage

__all__ = ["measure_and_print"]

_BEGIN_TIME: Final = 2.0
_HOLD_TIME: Final = 3.0


def measure_and_print(kind: Kind, count: int, server: RedisServer | None, folder: Path) -> None:
    """Measure and print."""
    if server is not None:
        server.clear()
    address = server.url if server is not None else str(folder / "waiters.db")
    asyncio.run(_measure(kind, address, count, server))


async def _measure(kind: Kind, address: str, count: int, server: RedisServer | None) -> None:
    app = Noop(kind, address, {})
    async with app.huey:
        results = list(await app.task.map(range(count)))
        lag = LoopLag()
        before = server.usage() if server else None
        waiting = [asyncio.ensure_future(result.get(blocking=True)) for result in results]
        await asyncio.sleep(_BEGIN_TIME)
        _print(f"{count} begin to wait", lag.take(), server, before)
        before = server.usage() if server else None
        await asyncio.sleep(_HOLD_TIME)
        _print(f"{count} wait, for {_HOLD_TIME:.0f} s", lag.take(), server, before)
        if server:
            print(f"  connections of the process: {server.connections()}")
        before = server.usage() if server else None
        # Starting a process would hold up the loop.
        worker = await asyncio.to_thread(Child, contenders(kind)[0], address)
        with worker:
            lag.take()
            begun = time.perf_counter()
            await asyncio.to_thread(worker.ask, "consume")
            values = await asyncio.gather(*waiting)
            seconds = time.perf_counter() - begun
            _print(f"{count} are told, in {seconds:.2f} s with the worker's start", lag.take(), server, before)
            await lag.stop()
    assert values == list(range(count)), "a waiter got another's result"


def _print(what: str, lag: str, server: RedisServer | None, before: Usage | None) -> None:
    sent = ""
    if server and before:
        used = server.usage().since(before)
        sent = f"; the server read {used.reads} requests, ran {used.commands} commands, those in scripts too"
    print(f"  {what}: {lag}{sent}", flush=True)
