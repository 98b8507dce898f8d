"""A worker keeps its lease whatever its tasks do, and loses it when it gives no sign of life or is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hueyio import WorkerLost
from tests.conftest import SERVER_KINDS, first_and
from tests.support.patience import until, until_gone
from tests.support.processes import beaters_of
from tests.workers.process import Bench, Worker

on_every_storage = pytest.mark.parametrize(
    "huey_source",
    first_and("test_beat_recipes shows the beats of each", ["sqlite", *SERVER_KINDS, "file"]),
    indirect=True,
)


@pytest.fixture
def huey_source(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What says nothing else is on SQLite."""
    kind = getattr(request, "param", "sqlite")
    if kind == "sqlite":
        return f"hueyio.SqliteHuey('test', filename={str(tmp_path / 'test.db')!r})"
    if kind == "file":
        return f"hueyio.FileHuey('test', path={str(tmp_path / 'test')!r})"
    server = request.getfixturevalue("server_of")(kind)
    return f"hueyio.RedisHuey({tmp_path.name!r}, url={server.url!r})"


async def beater_of(worker: Worker) -> int:
    """Wait for the process that beats for a worker."""
    found: list[int] = []

    async def is_there() -> bool:
        found[:] = beaters_of(worker.pid)
        return len(found) == 1

    await until(is_there)
    return found[0]


@on_every_storage
async def test_task_that_holds_the_interpreter_lock_for_three_leases_runs_once(workers: Bench, app: Any) -> None:
    both = [workers.start("--lease", "1") for _ in range(2)]
    async with app.huey:
        result = await app.hold_interpreter(3.0)
        value = await result
        assert value in [worker.pid for worker in both]
        assert len(workers.runs("start")) == 1
    (held,) = [worker for worker in both if worker.pid == value]
    line = await asyncio.to_thread(held.wait_line, "held the interpreter lock")
    assert result.id in line
    assert 'run_in="process"' in line
    assert [worker.stop() for worker in both] == [0, 0]


@on_every_storage
async def test_worker_that_gives_no_sign_of_life_is_killed_and_its_task_counts_a_delivery(
    workers: Bench, app: Any
) -> None:
    worker = workers.start("--lease", "1", "--max-block", "1")
    async with app.huey:
        result = await app.hold_interpreter(3600.0)
        assert await asyncio.to_thread(worker.wait) == -signal.SIGKILL
        worker.wait_line("gave no sign of life")
        workers.start("--lease", "1")
        with pytest.raises(WorkerLost):  # its only delivery
            await result


@on_every_storage
async def test_stopped_worker_is_taken_over_although_its_beater_lives(workers: Bench, app: Any) -> None:
    worker = workers.start("--lease", "1", "--max-block", "2")
    async with app.huey:
        result = await app.sleep(3600)
        await workers.reached("start", 1)
        beater = await beater_of(worker)
        worker.send(signal.SIGSTOP)
        other = workers.start("--lease", "1")
        await asyncio.to_thread(other.wait_line, "is gone;")
        await workers.wait_for(lambda: len(workers.runs("start")) == 2)
        os.kill(beater, 0)  # it lives, and has killed nobody
        worker.send(signal.SIGCONT)
        await asyncio.to_thread(worker.wait_line, "goes on anew")
        await result.cancel()


async def kill(worker: Worker) -> None:
    worker.process.kill()


async def terminate(worker: Worker) -> None:
    worker.send(signal.SIGTERM)


async def stop_and_kill(worker: Worker) -> None:
    worker.send(signal.SIGSTOP)
    worker.process.kill()


@pytest.mark.parametrize("end", [kill, terminate, stop_and_kill])
async def test_beater_ends_with_its_worker(workers: Bench, end: Any) -> None:
    worker = workers.start()
    beater = await beater_of(worker)
    await end(worker)
    await until_gone(beater)
    worker.wait()


async def test_beater_ends_although_a_process_that_a_task_forked_lives_on(workers: Bench, app: Any) -> None:
    worker = workers.start("--threads", "1")
    async with app.huey:
        child = await (await app.leave_child(600.0))
        try:
            beater = await beater_of(worker)
            worker.process.kill()
            await until_gone(beater)
            os.kill(child, 0)
        finally:
            os.kill(child, signal.SIGKILL)
        await until_gone(child)


async def test_signals_to_the_whole_group_are_for_the_worker(workers: Bench, app: Any) -> None:
    worker = workers.start()
    beater = await beater_of(worker)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1):
        os.kill(beater, number)
    async with app.huey:
        assert await (await app.add(1, 2)) == 3
    assert beaters_of(worker.pid) == [beater]
    assert worker.stop() == 0


async def test_thread_beats_when_the_beater_was_killed(workers: Bench, app: Any) -> None:
    worker, other = workers.start("--lease", "1"), workers.start("--lease", "1")
    async with app.huey:
        os.kill(await beater_of(worker), signal.SIGKILL)
        os.kill(await beater_of(other), signal.SIGKILL)
        for each in (worker, other):
            await asyncio.to_thread(each.wait_line, "a thread does, from now on")
        assert await (await app.block(2.5, 7)) == 7
        assert len(workers.runs("start")) == 1
    assert [worker.stop(), other.stop()] == [0, 0]


async def test_worker_that_starts_anew_has_one_beater_and_no_zombie(workers: Bench, app: Any) -> None:
    worker = workers.start()
    before = await beater_of(worker)
    worker.send(signal.SIGHUP)
    await workers.wait_for(lambda: sum("is ready" in line for line in worker.lines) == 2)
    after = await beater_of(worker)
    assert after != before
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)
    assert worker.stop() == 0
    await app.huey.close()


async def test_each_process_of_a_supervisor_has_a_beater(workers: Bench, app: Any) -> None:
    supervisor = workers.start("--processes", "2")
    await workers.wait_for(lambda: sum("is ready" in line for line in supervisor.lines) == 2)
    async with app.huey:
        pids = {await result for result in [await app.where() for _ in range(40)]}
    beaters = [beater for pid in pids for beater in beaters_of(pid)]
    assert len(beaters) == len(pids)
    supervisor.process.kill()
    await until_gone(*beaters, *pids)


async def test_embedded_consumer_that_lost_its_lease_names_the_task_that_held_the_interpreter_lock(
    workers: Bench, app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Its thread sends the heartbeats: it belongs to the program around it, which nobody may kill."""
    async with app.huey:
        await app.block(2.0)
        worker = workers.start("--lease", "1", "--threads", "1", "--prefetch", "0")
        await workers.reached("start", 1)
        async with app.huey.create_consumer(lease=1.0):
            result = await app.hold_interpreter(4.0)
            with pytest.raises(WorkerLost):
                await result
            await until_said(caplog, "no heartbeat was sent")
        assert await asyncio.to_thread(worker.wait_line, "is gone;")
    (line,) = [it for it in caplog.messages if "no heartbeat was sent" in it]
    assert result.id in line
    assert 'run_in="process"' in line


async def until_said(caplog: pytest.LogCaptureFixture, text: str) -> None:
    async def is_said() -> bool:
        return text in caplog.text

    await until(is_said)


async def test_worker_gives_its_lease_up_though_nobody_reads_its_log(workers: Bench, app: Any) -> None:
    """The pipe of standard error is full: each line of the log, and of the task, waits for ever."""
    command = [sys.executable, "-m", "hueyio", "worker", "tests.workers.app:huey", "--lease", "1", "--max-block", "1"]
    environment = {**os.environ, **workers.environment}
    worker = await asyncio.to_thread(subprocess.Popen, command, env=environment, stderr=subprocess.PIPE, bufsize=0)
    try:
        assert worker.stderr is not None
        while b"is ready" not in worker.stderr.readline():
            pass
        fill(worker.stderr.fileno())
        async with app.huey:
            result = await app.sleep(0.1, 5)
            other = workers.start("--lease", "1")
            assert await result == 5
            assert [run.pid for run in workers.runs("end")] == [other.pid]
        assert await asyncio.to_thread(worker.wait, 60) == 70
    finally:
        worker.kill()
        worker.communicate()


def fill(pipe: int) -> None:
    """Write into a pipe until it takes no more. An opening of its own, so that its other writers still wait."""
    writing = os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK)
    for size in (65536, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * size)
    os.close(writing)


async def test_worker_gives_its_lease_up_though_its_log_handlers_are_locked(workers: Bench, app: Any) -> None:
    worker = workers.start("--lease", "1", "--max-block", "1", "--block-warning", "0.2")
    async with app.huey:
        result = await app.hold_log(3600.0)
        await workers.reached("start", 1)
        other = workers.start("--lease", "1")
        assert await result == other.pid
        assert await asyncio.to_thread(worker.wait) == 70
    assert other.stop() == 0
