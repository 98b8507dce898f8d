"""Several worker processes under one supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.patience import until
from tests.workers.process import Bench, Worker


@pytest.fixture
def huey_source(tmp_path: Path) -> str:
    """What is tested here does not depend on the storage: one is enough."""
    return f"hueyio.SqliteHuey('test', filename={str(tmp_path / 'test.db')!r})"


def children(worker: Worker) -> list[int]:
    text = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text()
    return [int(pid) for pid in text.split()]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def wait_lines(workers: Bench, worker: Worker, text: str, count: int) -> None:
    await workers.wait_for(lambda: sum(text in line for line in worker.lines) >= count or worker.ended)


async def start(workers: Bench, *options: str) -> Worker:
    worker = workers.start("--processes", "2", *options)
    await wait_lines(workers, worker, "is ready", 2)
    return worker


async def test_processes_share_the_work_and_stop_together(workers: Bench, app: Any) -> None:
    worker = await start(workers, "-w", "1", "--prefetch", "0")
    pids = children(worker)
    async with app.huey:
        results = await app.sleep.map([(0.05, n) for n in range(20)])
        assert await results == list(range(20))
    assert {run.pid for run in workers.runs("end")} == set(pids)
    assert worker.stop() == 0
    assert not any(is_alive(pid) for pid in pids)


async def test_killed_process_is_replaced_and_its_task_runs_again(workers: Bench, app: Any) -> None:
    worker = await start(workers, "--lease", "1")
    async with app.huey:
        result = await app.sleep(0.5, 7)
        await workers.reached("start", 1)
        (first,) = workers.runs("start")
        os.kill(first.pid, signal.SIGKILL)
        assert await result == 7
        worker.wait_line("ended with SIGKILL; it is replaced")
        await wait_lines(workers, worker, "is ready", 3)
    assert len(children(worker)) == 2
    assert worker.stop() == 0


async def test_task_that_kills_its_process_is_buried_and_the_processes_are_replaced(workers: Bench, app: Any) -> None:
    worker = await start(workers, "--lease", "1")
    async with app.huey:
        result = await app.exit_process()
        await until(lambda: _is_dead(result))
        await workers.wait_for(lambda: sum("exit code 23" in line for line in worker.lines) == 3)
        assert await (await app.add(1, 2)) == 3
    assert worker.stop() == 0


async def _is_dead(result: Any) -> bool:
    return bool(await result.status() == "dead")


async def test_processes_end_when_the_supervisor_is_killed(workers: Bench, app: Any) -> None:
    worker = await start(workers)
    pids = children(worker)
    async with app.huey:
        result = await app.sleep(3600, 1)
        await workers.reached("start", 1)
        worker.process.kill()

        async def gone() -> bool:
            return not any(is_alive(pid) for pid in pids)

        await until(gone, 30)
        assert await result.status() == "queued"


async def test_process_is_replaced_without_a_gap_after_enough_tasks(workers: Bench, app: Any) -> None:
    worker = workers.start("--max-tasks", "3")
    (first,) = children(worker)
    async with app.huey:
        assert await (await app.add.map([(n, 0) for n in range(3)])) == [0, 1, 2]
        line = await asyncio.to_thread(worker.wait_line, "takes over from")
        assert str(first) in line
        assert await (await app.where()) != first
    assert worker.stop() == 0


async def test_sighup_replaces_every_process(workers: Bench, app: Any) -> None:
    worker = await start(workers)
    before = set(children(worker))
    worker.send(signal.SIGHUP)
    await wait_lines(workers, worker, "takes over from", 2)
    async with app.huey:
        assert await (await app.where()) not in before
    assert worker.stop() == 0


async def test_app_that_cannot_be_loaded_ends_the_supervisor(workers: Bench) -> None:
    workers.environment["HUEYIO_TEST_HUEY"] = "7"
    worker = workers.launch("--processes", "2")
    assert worker.wait() == 78
    worker.wait_line("does not import")
