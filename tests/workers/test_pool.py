"""Processes of tasks under a real worker: they end with it, and a signal for all does not end them."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from tests.conftest import on_one_storage
from tests.support.patience import until_gone
from tests.workers.process import Bench

pytestmark = on_one_storage


async def test_pool_process_does_not_outlive_a_worker_that_is_killed(workers: Bench, app: Any) -> None:
    worker = workers.start("--pool", "1")
    await app.compute()
    await workers.reached("start", 1)
    (run,) = workers.runs("start")
    assert run.pid != worker.pid
    os.kill(worker.pid, signal.SIGKILL)
    await until_gone(run.pid)
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
    await until_gone(run.pid)
    await app.huey.close()
