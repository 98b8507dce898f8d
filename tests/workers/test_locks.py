"""Locks, semaphores and unique keys whose holder is killed."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from hueyio.core import core_of
from tests.support.patience import until
from tests.workers.process import Bench

LEASE: Final = 1.0
SLACK: Final = 4.0
"""Seconds that a busy machine may take beyond what is promised."""


async def test_killed_holders_task_takes_its_lock_over(workers: Bench, app: Any) -> None:
    lease = str(3 * LEASE)  # for so long the rescuer's task can take the places over
    victim = workers.start("--lease", lease)
    async with app.huey:
        holder = await app.hold_all(4)
        await workers.reached("start", 1)
        other = await app.hold_all(0)
        victim.kill()
        rescuer = workers.start("--lease", lease)
        assert list(await asyncio.gather(holder, other)) == [rescuer.pid, rescuer.pid]
        assert not await app.huey.is_locked("one")
    # The redelivered one ran to its end before the other began.
    order = [(phase, run.id) for phase in ("start", "end") for run in workers.runs(phase)]
    assert order == [
        ("start", holder.id),
        ("start", holder.id),
        ("start", other.id),
        ("end", holder.id),
        ("end", other.id),
    ]


async def test_lock_of_a_killed_holder_that_never_runs_again_is_free_within_two_leases(
    workers: Bench, app: Any
) -> None:
    victim = workers.start("--lease", str(LEASE))
    async with app.huey:
        holder = await app.hold_all(3600)
        await workers.reached("start", 1)
        assert await app.huey.is_locked("one")
        workers.start("--lease", str(LEASE))
        await app.huey.revoke(holder)
        before = asyncio.get_running_loop().time()
        victim.kill()
        await until(lambda: _is_free(app))
        assert asyncio.get_running_loop().time() - before < 2 * LEASE + SLACK
        assert await (await app.hold_all(0)) > 0


async def test_unique_keys_are_never_alive_twice_whoever_is_killed(workers: Bench, app: Any) -> None:
    producers, kills = 10, 2
    done = asyncio.Event()
    ids: dict[str, set[str]] = {f"k{n}": set() for n in range(4)}

    async def produce() -> None:
        while not done.is_set():
            for key, known in ids.items():
                known.add((await app.only(0.05, key)).id)
                assert await _count_alive(app, known) <= 1

    async with app.huey:
        producing = [asyncio.create_task(produce()) for _ in range(producers)]
        for number in range(1, kills + 1):
            victim = workers.start("--lease", "0.5")
            await workers.reached("end", 8 * number)
            victim.kill()
        workers.start("--lease", "0.5")
        done.set()
        await asyncio.gather(*producing)
        await until(lambda: _is_drained(app))
    assert sum(map(len, ids.values())) >= 8 * kills


async def _count_alive(app: Any, ids: set[str]) -> int:
    found = await (await core_of(app.huey).session()).locate(sorted(ids))
    return sum(it.state in ("queued", "scheduled", "running") for it in found)


async def _is_drained(app: Any) -> bool:
    counts = await app.huey.counts()
    return bool(counts.running == sum(counts.queued.values()) == counts.suspects == 0)


async def _is_free(app: Any) -> bool:
    return not await app.huey.is_locked("one") and await app.huey.limit("pool", 1).current_usage() == 0
