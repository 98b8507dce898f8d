"""Processes of tasks under a real worker: they end with it, and a signal for all does not end them."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from tests.patience import until
from tests.workers.process import Bench


async def test_pool_process_does_not_outlive_a_worker_that_is_killed(workers: Bench, app: Any) -> None:
    worker = workers.start("--pool", "1")
    await app.compute()
    await workers.reached("start", 1)
    (run,) = workers.runs("start")
    assert run.pid != worker.pid
    os.kill(worker.pid, signal.SIGKILL)
    async with asyncio.timeout(10):
        await _gone(run.pid)
    await app.huey.close()


async def test_signals_for_all_processes_let_the_task_of_a_process_finish(workers: Bench, app: Any) -> None:
    worker = workers.start("--pool", "1")
    result = await app.compute_for(1.0)
    await workers.reached("start", 1)
    (run,) = workers.runs("start")
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(run.pid, number)
    worker.send(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait) == 0
    assert await result == run.pid
    await _gone(run.pid)
    await app.huey.close()


async def _gone(pid: int) -> None:
    async def is_gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return _is_zombie(pid)

    await until(is_gone)


def _is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
