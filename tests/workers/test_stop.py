"""A worker that is told to stop ends in time, whatever is away or hangs."""

from __future__ import annotations

import asyncio
import fcntl
import os
import resource
import shutil
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from tests.conftest import EACH_SERVER, SERVERS
from tests.support.patience import until_gone
from tests.support.proxy import FaultProxy
from tests.support.servers import Server
from tests.workers.process import Bench, Worker

TIMEOUT: Final = 1.0
PROMISED: Final = TIMEOUT + 5.0
SLACK: Final = 4.0
"""Seconds for a machine that is busy with other tests."""

TakeAway = Callable[[], Any]


class Away:
    """A storage that a test can take away."""

    def __init__(self, source: str, take: TakeAway, bring_back: TakeAway) -> None:
        self.source = source
        self.take = take
        self.bring_back = bring_back


async def stop_and_time(worker: Worker, number: signal.Signals = signal.SIGTERM) -> tuple[float, int]:
    """Send a signal; return after how many seconds the worker ended, and with what."""
    began = time.monotonic()
    worker.send(number)
    code = await asyncio.to_thread(worker.wait)
    return time.monotonic() - began, code


def killed_server(kind: str) -> Away:
    server = Server(SERVERS[kind])
    server.start()
    return Away(f"hueyio.RedisHuey('test', url={server.url!r})", server.kill, server.dispose)


def locked_sqlite(path: Path) -> Away:
    filename = str(path / "test.db")
    other = sqlite3.connect(filename, check_same_thread=False, isolation_level=None)
    return Away(
        f"hueyio.SqliteHuey('test', filename={filename!r})", lambda: other.execute("BEGIN IMMEDIATE"), other.close
    )


def locked_folder(path: Path) -> Away:
    held: list[int] = []

    def take() -> None:
        (lock,) = path.glob("test/*/lock")
        held.append(os.open(lock, os.O_RDWR))
        fcntl.flock(held[0], fcntl.LOCK_EX)

    def give_back() -> None:
        for fd in held:
            os.close(fd)

    return Away(f"hueyio.FileHuey('test', path={str(path / 'test')!r})", take, give_back)


def deleted_folder(path: Path) -> Away:
    return Away(
        f"hueyio.FileHuey('test', path={str(path / 'test')!r})",
        lambda: shutil.rmtree((path / "test").rename(path / "deleted")),  # the worker makes files meanwhile
        lambda: None,
    )


@pytest.fixture(params=[*EACH_SERVER, "sqlite", "file", "folder deleted", "black hole"])
async def away(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Away]:
    match request.param:
        case "sqlite":
            made = locked_sqlite(tmp_path)
        case "file":
            made = locked_folder(tmp_path)
        case "folder deleted":
            made = deleted_folder(tmp_path)
        case "black hole":
            server: Server = request.getfixturevalue("server_of")(next(iter(sorted(SERVERS))))
            async with FaultProxy(server.port) as proxy:
                source = f"hueyio.RedisHuey({tmp_path.name!r}, url='redis://127.0.0.1:{proxy.port}/0')"
                yield Away(source, proxy.hold, proxy.release)
                return
        case kind:
            made = killed_server(kind)
    yield made
    made.bring_back()


@pytest.fixture
def huey_source(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if "away" in request.fixturenames:
        source: str = request.getfixturevalue("away").source
        return source
    if getattr(request, "param", "sqlite") == "file":
        return f"hueyio.FileHuey('test', path={str(tmp_path / 'test')!r})"
    return f"hueyio.SqliteHuey('test', filename={str(tmp_path / 'test.db')!r})"


@pytest.mark.parametrize(
    "options", [(), pytest.param(("--processes", "2"), marks=pytest.mark.again("each process stops as one alone does"))]
)
async def test_worker_ends_in_time_while_the_storage_is_away(
    away: Away, workers: Bench, app: Any, options: tuple[str, ...]
) -> None:
    worker = await asyncio.to_thread(workers.start, "--shutdown-timeout", str(TIMEOUT), *options)
    async with app.huey:
        await app.sleep(3600)
        await workers.reached("start", 1)
        await app.huey.close()
    await asyncio.to_thread(away.take)
    took, _ = await stop_and_time(worker)
    print(f"\n{away.source} {options}: {took:.1f} s from SIGTERM to the exit")
    assert took < PROMISED + SLACK


@pytest.mark.parametrize("away", [*EACH_SERVER, "sqlite", "file", "black hole"], indirect=True)
async def test_outcome_that_cannot_be_written_does_not_hold_up_the_stop(away: Away, workers: Bench, app: Any) -> None:
    """The body ends after the storage has gone."""
    worker = await asyncio.to_thread(workers.start, "--shutdown-timeout", str(TIMEOUT))
    async with app.huey:
        await app.sleep(0.7)
        await workers.reached("start", 1)
        await app.huey.close()
    await asyncio.to_thread(away.take)
    await workers.reached("end", 1)
    took, _ = await stop_and_time(worker)
    assert took < PROMISED + SLACK


@pytest.mark.parametrize("huey_source", ["sqlite", "file"], indirect=True)
async def test_full_disk_does_not_hold_up_the_stop(workers: Bench, app: Any) -> None:
    worker = workers.start("--shutdown-timeout", str(TIMEOUT))
    async with app.huey:
        await app.sleep(0.7)
        await workers.reached("start", 1)
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (0, 0))  # no file may grow: as on a full disk
    await workers.reached("end", 1)
    took, _ = await stop_and_time(worker)
    assert took < PROMISED + SLACK


async def test_hook_that_hangs_does_not_hold_up_the_stop(workers: Bench) -> None:
    workers.environment["HUEYIO_TEST_HANGING_HOOK"] = "1"
    worker = workers.start("--shutdown-timeout", str(TIMEOUT))
    took, _ = await stop_and_time(worker)
    assert took < PROMISED + SLACK
    worker.wait_line("the on_shutdown hooks are cut short")


@pytest.mark.parametrize("name", ["stuck", "compute", "wait_in_thread"])
async def test_task_that_ignores_its_end_does_not_hold_up_the_stop(workers: Bench, app: Any, name: str) -> None:
    worker = workers.start("--shutdown-timeout", str(TIMEOUT))
    async with app.huey:
        await getattr(app, name)(*([3600.0] if name == "wait_in_thread" else []))
        await workers.reached("start", 1)
        took, _ = await stop_and_time(worker)
    assert took < PROMISED + SLACK


async def test_blocked_log_does_not_hold_up_the_stop(workers: Bench, app: Any) -> None:
    """The loop waits for a handler's lock, for ever."""
    worker = workers.start("--shutdown-timeout", "0")
    async with app.huey:
        await app.hold_log_in_thread()
        await workers.reached("start", 1)
        took, code = await stop_and_time(worker)
    assert took < 5.0 + SLACK
    assert code == 70


async def test_sigquit_stops_at_once_and_gives_back_what_runs(workers: Bench, app: Any) -> None:
    worker = workers.start("--shutdown-timeout", "300")
    async with app.huey:
        result = await app.sleep(3600)
        await workers.reached("start", 1)
        took, code = await stop_and_time(worker, signal.SIGQUIT)
        assert code == 0
        assert took < PROMISED + SLACK
        assert await result.status() == "ready"
        (entry,) = await app.huey.pending()
        assert entry.id == result.id
    worker.wait_line("SIGQUIT: stopping at once")
    worker.wait_line("stopped")


async def test_sigquit_stops_a_supervisor_and_its_processes_at_once(workers: Bench, app: Any) -> None:
    supervisor = workers.start("--processes", "2", "--shutdown-timeout", "300")
    async with app.huey:
        result = await app.sleep(3600)
        await workers.reached("start", 1)
        took, code = await stop_and_time(supervisor, signal.SIGQUIT)
        assert code == 0
        assert took < PROMISED + SLACK
        assert await result.status() == "ready"


async def test_second_signal_ends_the_time_of_tasks(workers: Bench, app: Any) -> None:
    worker = workers.start("--shutdown-timeout", "300")
    async with app.huey:
        result = await app.sleep(3600)
        await workers.reached("start", 1)
        worker.send(signal.SIGTERM)
        await asyncio.to_thread(worker.wait_line, "once more to stop at once")
        took, code = await stop_and_time(worker)
        assert (code, await result.status()) == (0, "ready")
    assert took < PROMISED + SLACK


async def test_supervisor_kills_a_process_that_cannot_end(workers: Bench, app: Any) -> None:
    supervisor = workers.start("--processes", "1", "--shutdown-timeout", str(TIMEOUT), "--reload")
    async with app.huey:
        pid = await (await app.where())
    os.kill(pid, signal.SIGSTOP)
    took, _ = await stop_and_time(supervisor)
    assert took < PROMISED + SLACK
    supervisor.wait_line("did not end in time")
    await until_gone(pid)


async def test_worker_that_waits_for_a_storage_at_its_start_ends_in_time(workers: Bench, tmp_path: Path) -> None:
    filename = str(tmp_path / "locked.db")
    with closing(sqlite3.connect(filename, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        workers.environment["HUEYIO_TEST_HUEY"] = f"hueyio.SqliteHuey('test', filename={filename!r}, timeout=3600)"
        worker = workers.launch("--shutdown-timeout", str(TIMEOUT))
        await asyncio.to_thread(worker.wait_line, "hueyio")
        took, _ = await stop_and_time(worker)
    assert took < PROMISED + SLACK
