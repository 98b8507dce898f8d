"""Locks and semaphores whose holder is killed."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from tests.patience import until
from tests.workers.process import Bench

LEASE: Final = 1.0
SLACK: Final = 4.0
"""Seconds that a busy machine may take beyond what is promised."""


async def test_killed_holders_task_takes_its_lock_over(workers: Bench, app: Any) -> None:
    victim = workers.start("--lease", str(LEASE))
    async with app.huey:
        holder = await app.hold_all(1.5)
        await workers.reached("start", 1)
        other = await app.hold_all(0)
        victim.kill()
        rescuer = workers.start("--lease", str(LEASE))
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


async def _is_free(app: Any) -> bool:
    return not await app.huey.is_locked("one") and await app.huey.limit("pool", 1).current_usage() == 0
