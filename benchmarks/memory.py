"""What a task costs in the memory of the server: queued, running, and as a result that nobody has read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from benchmarks.server import RedisServer
from hueyio import Huey, PriorityRedisHuey, RedisHuey
from hueyio.client.prepare import prepare
from hueyio.core import core_of
from hueyio.messages.stored_result import Returned, write_ending
from hueyio.storage.records import Finish

__all__ = ["measure_and_print"]

_OWNER: Final = "benchmark"
_CHUNK: Final = 500


def measure_and_print(server: RedisServer, count: int) -> None:
    """Measure each kind of queue and print a line for it."""
    kinds: tuple[type[Huey], ...] = (RedisHuey, PriorityRedisHuey)
    for kind in kinds:
        server.clear()
        asyncio.run(_measure(kind("bench", url=server.url), server, count))


async def _measure(huey: Huey, server: RedisServer, count: int) -> None:
    @huey.task(name="noop")
    async def noop(number: int) -> int:
        return number

    async with huey:
        session = await core_of(huey).session()
        await session.register(_OWNER, b"")
        cost = _meter(server, count)
        message = prepare(core_of(huey), noop.s(1)).data
        await noop.map(range(count))
        queued = cost()
        deliveries = [it for _ in range(0, count, _CHUNK) for it in await session.claim({"loop": _CHUNK}, _OWNER)]
        running = queued + cost()
        data = write_ending(Returned(1), huey.serializer)
        for number, at in enumerate(range(0, count, _CHUNK), 1):
            ends = [Finish(it.receipt, data, ttl=600.0) for it in deliveries[at : at + _CHUNK]]
            await session.settle(ends, _OWNER, number)
        result = running + cost()
        for at in range(0, count, _CHUNK):
            await session.delete("results", [it.receipt.id for it in deliveries[at : at + _CHUNK]])
        left = result + cost()
    print(
        f"  {type(huey).__name__}, {count} tasks with messages of {len(message)} bytes and results of {len(data)}: "
        f"queued {queued:.0f}, running {running:.0f}, result {result:.0f} bytes each; "
        f"{left * count:.0f} bytes in all when they were read",
        flush=True,
    )


def _meter(server: RedisServer, count: int) -> Callable[[], float]:
    """Return a function that says by how many bytes a task the data grew since it was called last."""
    before = server.data_size()

    def read() -> float:
        nonlocal before
        before, grown = (size := server.data_size()), size - before
        return grown / count

    return read
