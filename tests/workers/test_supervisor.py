"""Several worker processes under one supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hueyio.worker.supervisor import Supervisor
from tests.support.patience import is_alive, until, until_gone
from tests.support.servers import free_port
from tests.workers.process import Bench, Worker


@pytest.fixture
def huey_source(tmp_path: Path) -> str:
    """What is tested here does not depend on the storage: one is enough."""
    return f"hueyio.SqliteHuey('test', filename={str(tmp_path / 'test.db')!r})"


def children(worker: Worker) -> list[int]:
    text = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text()
    return [int(pid) for pid in text.split()]


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
        endless = await app.sleep.map([(3600.0, 0), (3600.0, 1)])
        await workers.reached("start", 2)  # a process has room for one
        assert {run.pid for run in workers.runs("start")} == set(pids)
        for result in endless:
            assert await result.cancel()
        results = await app.sleep.map([(0.05, n) for n in range(20)])
        assert await results == list(range(20))
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
        worker.wait_line("ended with SIGKILL")  # perhaps before the supervisor heard that it was ready
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
    return bool(await result.status() == "lost")


async def test_processes_end_when_the_supervisor_is_killed(workers: Bench, app: Any) -> None:
    worker = await start(workers)
    pids = children(worker)
    async with app.huey:
        result = await app.sleep(3600, 1)
        await workers.reached("start", 1)
        worker.process.kill()
        await until_gone(*pids)
        assert await result.status() == "ready"


@pytest.mark.again("the process whose probes its successor serves has had enough tasks too")
async def test_process_is_replaced_without_a_gap_after_enough_tasks(workers: Bench, app: Any) -> None:
    worker = workers.start("--max-tasks", "3")
    (first,) = children(worker)
    async with app.huey:
        assert await (await app.add.map([(n, 0) for n in range(3)])) == [0, 1, 2]
        line = await asyncio.to_thread(worker.wait_line, "takes over from")
        assert str(first) in line
        await until_gone(first)  # before, it may claim as well as its successor
        assert await (await app.where()) != first
    assert worker.stop() == 0


async def test_process_that_uses_too_much_memory_is_replaced_without_a_gap(workers: Bench, app: Any) -> None:
    worker = workers.start("--max-memory", "1")  # which no process of Python gets by with
    # Not the first of its children: the second, which is no better, may be there before one can look.
    line = await asyncio.to_thread(worker.wait_line, "takes over from")
    assert any("MB of memory are in use" in line for line in worker.lines), line
    async with app.huey:
        assert await (await app.add(1, 2)) == 3
    assert worker.stop() == 0


@pytest.mark.again("so does the SIGHUP after which locks are still held; and one process alone is seen to be gone")
async def test_sighup_replaces_every_process(workers: Bench, app: Any) -> None:
    worker = await start(workers)
    before = set(children(worker))
    worker.send(signal.SIGHUP)
    await wait_lines(workers, worker, "takes over from", 2)
    await until_gone(*before)  # before, they may claim as well as their successors
    async with app.huey:
        assert await (await app.where()) not in before
    assert worker.stop() == 0


async def test_app_that_cannot_be_loaded_ends_the_supervisor(workers: Bench) -> None:
    workers.environment["HUEYIO_TEST_HUEY"] = "7"
    worker = workers.launch("--processes", "2")
    assert worker.wait() == 78
    worker.wait_line("does not import")


async def test_sighup_of_one_process_replaces_it_alone(workers: Bench, app: Any) -> None:
    worker = await start(workers)
    one, other = children(worker)
    os.kill(one, signal.SIGHUP)
    line = await asyncio.to_thread(worker.wait_line, "takes over from")
    assert line.endswith(str(one))
    await until_gone(one)
    left = [pid for pid in children(worker) if is_alive(pid)]
    assert len(left) == 2
    assert other in left
    assert worker.stop() == 0


async def test_successor_serves_the_probes_of_the_process_that_it_replaces(workers: Bench, app: Any) -> None:
    port = free_port()
    worker = workers.start("--max-tasks", "1", "--lease", "1", "--health", f"127.0.0.1:{port}")
    async with app.huey:
        await app.sleep(3600.0)  # so that the old process lives on
        await workers.reached("start", 1)
        (first,) = children(worker)
        assert await (await app.add(1, 2)) == 3
        await asyncio.to_thread(worker.wait_line, f"takes over from {first}")
        await workers.wait_for(lambda: any("once more to stop at once" in line for line in worker.lines))

        async def answers_as_the_successor() -> bool:
            answers = [await asyncio.to_thread(fetch, f"http://127.0.0.1:{port}/ready") for _ in range(20)]
            return answers == [200] * 20  # the process that stops would say so, with 503

        await until(answers_as_the_successor)
        assert is_alive(first)
    assert worker.stop() == 0


async def test_port_that_is_taken_ends_the_supervisor_before_it_starts(workers: Bench, app: Any) -> None:
    with taken_after_a_free_port() as taken:
        first = taken.getsockname()[1] - 1
        worker = workers.launch("--processes", "2", "--health", f"127.0.0.1:{first}")
        assert await asyncio.to_thread(worker.wait) == 78
        worker.wait_line(f"cannot serve the probes on 127.0.0.1:{first + 1}")


async def test_locks_are_freed_once_before_the_first_process_consumes(workers: Bench, app: Any) -> None:
    async with app.huey:
        held = app.huey.lock_task("held")
        assert await held.acquire()
        worker = await start(workers, "-L", "held")
        worker.wait_line("test: freed 1 locks: held")
        # Replacements must not free what running tasks hold.
        again = app.huey.lock_task("held")
        assert await again.acquire()
        worker.send(signal.SIGHUP)
        await wait_lines(workers, worker, "takes over from", 2)
        assert await app.huey.is_locked("held")
        assert sum("freed 1 locks" in line or "freed 0 locks" in line for line in worker.lines) == 1
        await again.release()
    assert worker.stop() == 0


async def test_program_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    program = tmp_path / "program"
    tries: list[int] = []

    def command(place: int) -> list[str]:
        tries.append(place)
        if len(tries) == 2:
            program.write_text("#!/bin/sh\nexit 2\n")
            program.chmod(0o755)
        return [str(program)]

    assert await asyncio.wait_for(Supervisor(command, 1).run(), 60) == 2
    assert len(tries) == 2


async def test_systemd_hears_of_the_supervisor_alone(workers: Bench, app: Any, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        workers.environment |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000000"}
        worker = workers.start("--processes", "1", "--max-tasks", "1")
        assert {manager.recv(100), manager.recv(100)} == {b"WATCHDOG=1", b"READY=1"}
        async with app.huey:
            assert await (await app.add(1, 2)) == 3
            await asyncio.to_thread(worker.wait_line, "takes over from")
            await workers.wait_for(lambda: any(line.endswith(": stopped") for line in worker.lines))
        assert worker.stop() == 0
        assert manager.recv(100) == b"STOPPING=1"
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):
            manager.recv(100)


def taken_after_a_free_port() -> socket.socket:
    """Listen on a port whose predecessor is free."""
    while True:
        taken = socket.socket()
        with suppress(OSError), socket.socket() as before:
            taken.bind(("127.0.0.1", 0))
            before.bind(("127.0.0.1", taken.getsockname()[1] - 1))
            taken.listen()
            return taken
        taken.close()


def fetch(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
