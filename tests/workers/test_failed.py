"""Failed tasks while workers are killed: kept once, and run again once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hueyio import TaskException
from tests.workers.process import Bench


async def test_failed_task_is_kept_once_when_its_worker_dies_before_that_is_written(
    workers: Bench, app: Any, tmp_path: Path
) -> None:
    victim = workers.start("--lease", "1")
    async with app.huey:
        result = await app.fail_and_die(str(tmp_path / "died"))
        await workers.ended(victim)
        assert (await app.huey.failed()).items == []
        assert await result.status() == "running"
        workers.start("--lease", "1")
        with pytest.raises(TaskException, match="no"):
            await result
        assert [(it.id, it.kind, it.reason) for it in (await app.huey.failed()).items] == [
            (result.id, "failed", "ValueError('no')")
        ]
        counts = await app.huey.counts()
        assert (counts.failed, counts.dead, counts.running, counts.scheduled) == (1, 0, 0, 0)
        assert [run.attempt for run in workers.runs("start")] == [0, 1, 1]
        result.reset()
        assert await app.huey.requeue([result.id]) == {result.id: "added"}
        with pytest.raises(TaskException, match="no"):
            await result
        assert (await app.huey.counts()).failed == 1
    assert [run.attempt for run in workers.runs("start")] == [0, 1, 1, 2, 3]


async def test_requeued_tasks_are_never_alive_twice_while_workers_are_killed(
    workers: Bench, app: Any, tmp_path: Path
) -> None:
    marker = tmp_path / "mended"
    alive = [workers.start("--lease", "1") for _ in range(2)]
    async with app.huey:
        results = await app.fail_until.map([(str(marker),) for _ in range(20)])
        for _ in range(3):
            await workers.reached("end", 1)
            answers = await asyncio.gather(*(app.huey.requeue(name=app.fail_until.path) for _ in range(3)))
            for result in results:
                assert [it.get(result.id) for it in answers].count("added") <= 1
            alive.pop(0).kill()
            alive.append(await asyncio.to_thread(workers.start, "--lease", "1"))
        marker.touch()
        while missing := [result for result in results if await result.status() != "done"]:
            await app.huey.requeue(name=app.fail_until.path)
            await asyncio.wait([asyncio.ensure_future(_end_of(result)) for result in missing], timeout=30)
        counts = await app.huey.counts()
        assert (counts.failed, counts.dead, counts.running, sum(counts.queued.values())) == (0, 0, 0, 0)
    # Each failure is an attempt, so a task that was alive twice would begin the same one twice in one process.
    starts = workers.runs("start")
    assert len(set(starts)) == len(starts)


async def _end_of(result: Any) -> None:
    result.reset()
    await result(blocking=True, preserve=True)
