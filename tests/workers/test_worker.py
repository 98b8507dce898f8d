"""Tasks run by a worker in another process."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any

from tests.conftest import on_one_storage
from tests.workers.process import Bench


async def test_result_of_another_process_is_awaited(workers: Bench, app: Any) -> None:
    worker = workers.start()
    async with app.huey:
        assert await (await app.add(1, 2)) == 3
        assert await (await app.where()) == worker.pid != os.getpid()
    assert worker.stop() == 0


async def test_tasks_that_were_there_before_the_worker_run(workers: Bench, app: Any) -> None:
    async with app.huey:
        group = await app.add.map([(n, 1) for n in range(300)])
        workers.start()
        assert await group == [n + 1 for n in range(300)]


@on_one_storage
async def test_sleeping_coroutines_run_side_by_side(workers: Bench, app: Any) -> None:
    workers.start("-w", "500")
    async with app.huey:
        began = time.monotonic()
        await (await app.sleep.map([(0.2, n) for n in range(500)]))
        # One after another they would take 100 s; the bound is far from both, for a machine that is busy.
        assert time.monotonic() - began < 20


@on_one_storage
async def test_blocking_tasks_do_not_hold_up_coroutines(workers: Bench, app: Any) -> None:
    workers.start("--threads", "2")
    async with app.huey:
        blocking = await app.block.map([(0.1, n) for n in range(200)])
        assert await (await app.add(1, 2)) == 3
        statuses = await asyncio.gather(*(result.status() for result in blocking))
        assert statuses.count("done") < 200


async def test_stop_lets_running_tasks_finish_and_gives_the_others_back(workers: Bench, app: Any) -> None:
    """INT and TERM both stop gracefully."""
    worker = workers.start("-w", "2", "--prefetch", "4")
    async with app.huey:
        results = await app.sleep.map([(0.5, n) for n in range(20)])
        await workers.reached("start", 2)
        assert worker.stop() == 0
        started, ended = workers.runs("start"), workers.runs("end")
        assert {run.id for run in started} == {run.id for run in ended}
        # Two, and on a busy machine those that started before the signal came.
        assert len(started) == len(ended) < 20
        assert await app.huey.count() == 20 - len(ended)
        assert {task.attempt for task in await app.huey.pending()} == {0}
        workers.start("-w", "20")
        assert await results == list(range(20))
    assert len(workers.runs("start")) == 20


async def test_second_signal_stops_at_once_and_the_task_runs_again(workers: Bench, app: Any) -> None:
    """The task is not lost."""
    worker = workers.start()
    async with app.huey:
        result = await app.sleep(3600, 7)
        await workers.reached("start", 1)
        worker.send(signal.SIGINT)
        worker.wait_line("once more to stop at once")
        worker.send(signal.SIGINT)
        assert worker.wait() == 0
        assert await result.status() == "ready"
        (task,) = await app.huey.pending()
        assert (task.attempt, task.retries) == (0, 0)


@on_one_storage
async def test_task_that_ignores_its_cancellation_is_named_and_left(workers: Bench, app: Any) -> None:
    worker = workers.start("--shutdown-timeout", "0.1")
    async with app.huey:
        result = await app.stuck()
        await workers.reached("start", 1)
        assert worker.stop() == 70
    assert result.id in worker.wait_line("ignores its cancellation")
