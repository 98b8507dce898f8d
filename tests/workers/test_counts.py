"""What workers count, while one of them is killed."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.workers.process import Bench


async def test_killed_worker_loses_only_counts_that_it_had_not_told_and_nothing_counts_twice(
    workers: Bench, app: Any
) -> None:
    async def run(count: int) -> None:
        await asyncio.gather(*[await app.add(number, 1) for number in range(count)])

    async def ended() -> int:
        found: int = (await app.huey.statistics()).total.ended
        return found

    first = workers.start("--lease", "1")
    async with app.huey:
        await run(20)
        assert await asyncio.to_thread(first.stop) == 0  # it tells what it counted when it stops
        assert await ended() == 20
        victim = await asyncio.to_thread(workers.start, "--lease", "1")
        await run(10)
        victim.kill()
        kept = await ended()
        assert 20 <= kept <= 30  # 20, unless its 5 s were over just then
        last = await asyncio.to_thread(workers.start, "--lease", "1")
        await run(5)
        assert await asyncio.to_thread(last.stop) == 0
        assert await ended() == kept + 5
        assert (await app.huey.statistics()).enqueued == 35  # the storage counts those itself
        assert len((await app.huey.history()).items) == 35
