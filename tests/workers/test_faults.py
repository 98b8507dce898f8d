"""What is promised when a worker dies or stands still. Leases are short, so that recovery is quick."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest

from hueyio import WorkerLost
from tests.conftest import on_one_storage
from tests.support.patience import until_stopped
from tests.workers.process import Bench


async def test_killed_worker_loses_nothing(workers: Bench, app: Any) -> None:
    victim = workers.start("--lease", "1")
    async with app.huey:
        running = await app.sleep.map([(0.5, n) for n in range(64)])
        blocking = await app.block.map([(0.1, n) for n in range(20)])
        await workers.reached("start", 65)
        victim.kill()
        held_by_victim = {run.id for run in workers.runs("start")}
        rescuer = workers.start("--lease", "1")
        assert await running == list(range(64))
        assert await blocking == list(range(20))
        counts = await app.huey.counts()
        assert (counts.running, counts.dead) == (0, 0)
    rescuer.wait_line("is gone;")
    finished = [run.id for run in workers.runs("end")]
    assert {result.id for result in (*running, *blocking)} == set(finished)
    # Only what the victim had in hand may have run twice.
    assert {id for id in finished if finished.count(id) > 1} <= held_by_victim


async def test_worker_that_stood_still_overwrites_nothing_and_goes_on(workers: Bench, app: Any) -> None:
    sleeper = workers.start("--lease", "1")
    async with app.huey:
        result = await app.stop_self(0.2)
        await until_stopped(sleeper.pid)
        rescuer = workers.start("--lease", "30")  # so that nobody gives it up while it stands still
        # The rescuer runs it soon, and stops itself in the same way.
        await workers.wait_for(lambda: len(workers.runs("start")) == 2)
        await until_stopped(rescuer.pid)
        sleeper.send(signal.SIGCONT)
        await asyncio.to_thread(sleeper.wait_line, "goes on anew")
        # What the sleeper brings to its end now is refused: its waiter gets the other's answer.
        rescuer.send(signal.SIGCONT)
        assert await result == rescuer.pid
        await asyncio.to_thread(rescuer.wait_line, "is gone;")
        rescuer.kill()
        assert await (await app.add(3, 4)) == 7
    assert sleeper.stop() == 0


@on_one_storage
@pytest.mark.parametrize("bystanders", [50])
async def test_task_that_kills_its_workers_is_buried_alone(workers: Bench, app: Any, bystanders: int) -> None:
    async with app.huey:
        others = await app.sleep.map([(0.12, n) for n in range(bystanders)])
        poison = await app.exit_process()
        for _ in range(3):
            worker = workers.start("--lease", "0.5")
            await workers.ended(worker)
            assert worker.wait() == 23
        workers.start("--lease", "0.5")
        with pytest.raises(WorkerLost):
            await poison
        assert await others == list(range(bystanders))
        (letter,) = await app.huey.dead()
        assert (letter.id, letter.task.name) == (poison.id, app.exit_process.name)
    assert [run.id for run in workers.runs("start")].count(poison.id) == 3
