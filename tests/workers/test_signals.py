"""What a worker does at the other signals."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.workers.process import Bench


@pytest.fixture
def huey_source(tmp_path: Path) -> str:
    """What is tested here does not depend on the storage: one is enough."""
    return f"hueyio.SqliteHuey('test', filename={str(tmp_path / 'test.db')!r})"


async def test_sigusr1_says_what_runs(workers: Bench, app: Any) -> None:
    worker = workers.start()
    async with app.huey:
        result = await app.sleep(3600, 1)
        await workers.reached("start", 1)
        worker.send(signal.SIGUSR1)
        line = await asyncio.to_thread(worker.wait_line, "in the loop lane for")
        assert f"tests.workers.app.sleep {result.id}" in line


async def test_sighup_finishes_what_runs_and_starts_anew(workers: Bench, app: Any) -> None:
    worker = workers.start()
    async with app.huey:
        result = await app.sleep(0.2, 5)
        await workers.reached("start", 1)
        worker.send(signal.SIGHUP)
        assert await result == 5
        await workers.wait_for(lambda: sum("is ready" in line for line in worker.lines) == 2)
        assert await (await app.where()) == worker.pid
    assert worker.stop() == 0


async def test_other_signal_than_the_graceful_one_stops_at_once(workers: Bench, app: Any) -> None:
    """``-g`` chooses the signal, and the task is not lost."""
    worker = workers.start("-g", "INT")
    async with app.huey:
        result = await app.sleep(3600, 5)
        await workers.reached("start", 1)
        worker.send(signal.SIGTERM)
        assert worker.wait() == 0
        assert await result.status() == "ready"


async def test_blocked_loop_is_named_in_the_log_and_leases_are_kept(workers: Bench, app: Any) -> None:
    worker = workers.start("--lease", "2", "--block-warning", "0.2")
    other = workers.start("--lease", "2")
    async with app.huey:
        beside = await app.sleep(0.1, 2)
        await workers.reached("start", 1)
        result = await app.block_loop(5.0)
        assert await result == 1
        assert await beside == 2
    lines = [*worker.lines, *other.lines]
    line = next(line for line in lines if "the loop has been blocked" in line and result.id in line)
    assert "tests.workers.app.block_loop" in line
    assert any("time.sleep(seconds)" in line for line in lines)
    assert len(workers.runs("start")) == 2


async def test_loop_that_stays_blocked_costs_the_lease_and_the_process(workers: Bench, app: Any) -> None:
    worker = workers.start("--lease", "1", "--block-warning", "0.2", "--max-block", "1")
    async with app.huey:
        await app.block_loop(3600.0)
        assert await asyncio.to_thread(worker.wait) == 70
        worker.wait_line("thread MainThread:")


def child_of(pid: int) -> int:
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


async def test_process_1_of_a_container_stops_gracefully(tmp_path: Path) -> None:
    """The kernel drops signals that process 1 of a namespace does not handle itself."""
    command = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    probe = await asyncio.create_subprocess_exec(*command, "true", stderr=asyncio.subprocess.DEVNULL)
    if await probe.wait() != 0:
        pytest.skip("this machine lets nobody make a PID namespace")
    (tmp_path / "app.py").write_text("import hueyio\nhuey = hueyio.SqliteHuey(filename='app.db')\n")
    worker = await asyncio.create_subprocess_exec(
        *command, sys.executable, "-m", "hueyio", "worker", "app:huey", cwd=tmp_path, stderr=asyncio.subprocess.PIPE
    )
    assert worker.stderr is not None
    async with asyncio.timeout(60):
        while b"is ready" not in await worker.stderr.readline():
            pass
        os.kill(child_of(worker.pid), signal.SIGTERM)
        rest = await worker.stderr.read()
        assert await worker.wait() == 0
    assert b"stopped" in rest


async def test_sighup_after_sigterm_does_not_start_anew(workers: Bench, app: Any) -> None:
    """systemd sends both, one after the other, where ``SendSIGHUP`` is on."""
    worker = workers.start()
    async with app.huey:
        await app.sleep(3, 5)
        await workers.reached("start", 1)
        worker.send(signal.SIGTERM)
        await asyncio.to_thread(worker.wait_line, "once more to stop at once")
        worker.send(signal.SIGHUP)
        await asyncio.to_thread(worker.wait_line, "already told to stop")
        assert await asyncio.to_thread(worker.wait) == 0
    assert not any("starting anew" in line for line in worker.lines)


@pytest.mark.parametrize(("options", "last"), [((), "process: stopped"), (("--processes", "2"), "supervisor: stopped")])
async def test_late_news_do_not_spoil_the_exit_code(
    workers: Bench, app: Any, options: tuple[str, ...], last: str
) -> None:
    """The log says that it stopped, and the process has yet to end."""
    worker = workers.start(*options)
    worker.send(signal.SIGTERM)
    await asyncio.to_thread(worker.wait_line, last)
    for _ in range(100):
        for number in (signal.SIGHUP, signal.SIGUSR1):
            worker.send(number)
        await asyncio.sleep(0.001)
    assert await asyncio.to_thread(worker.wait) == 0
    await app.huey.close()


async def test_sighups_while_it_starts_anew_change_nothing(workers: Bench, app: Any) -> None:
    worker = workers.start()
    for _ in range(200):
        worker.send(signal.SIGHUP)
        await asyncio.sleep(0.005)
    assert worker.process.poll() is None
    async with app.huey:
        assert await (await app.add(1, 2)) == 3
    assert worker.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_while_the_app_is_imported_stops_with_a_line(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "app.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGHUP)\nos.kill(os.getpid(), signal.SIGUSR1)\n"
        f"os.kill(os.getpid(), {int(number)})\ntime.sleep(60)\n"
    )
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hueyio", "worker", "app:huey", cwd=tmp_path, stderr=asyncio.subprocess.PIPE
    )
    _, log = await asyncio.wait_for(worker.communicate(), 50)
    assert worker.returncode == 0
    assert f"{number.name}: stopped before it ran" in log.decode()
    assert "Traceback" not in log.decode()


async def test_second_signal_ends_a_start_that_hangs(tmp_path: Path) -> None:
    """A server that takes the connection and says nothing."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        (tmp_path / "app.py").write_text(f"import hueyio\nhuey = hueyio.RedisHuey(url={url!r})\n")
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hueyio", "worker", "app:huey", cwd=tmp_path, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(60):
            assert worker.stderr is not None
            connection, _ = await asyncio.to_thread(silent.accept)
            worker.send_signal(signal.SIGTERM)
            while b"once more" not in await worker.stderr.readline():
                pass
            worker.send_signal(signal.SIGTERM)
            await worker.stderr.read()
            assert await worker.wait() == 0
            connection.close()


async def test_thread_that_a_task_waits_for_does_not_hold_up_the_end(workers: Bench, app: Any) -> None:
    worker = workers.start("--shutdown-timeout", "0.1")
    async with app.huey:
        await app.wait_in_thread(3600.0)
        await workers.reached("start", 1)
        assert worker.stop() == 70
    worker.wait_line("threads that tasks started")


async def test_systemd_hears_that_a_worker_starts_anew_and_not_that_it_stops(
    workers: Bench, app: Any, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        workers.environment["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        worker = workers.start()
        assert manager.recv(100) == b"READY=1"
        worker.send(signal.SIGHUP)
        assert manager.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert manager.recv(100) == b"READY=1"
        assert worker.stop() == 0
        assert manager.recv(100) == b"STOPPING=1"
