"""A worker that is process 1, as in a container: in a pid namespace of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.patience import until
from tests.support.processes import beaters_of
from tests.workers.process import Bench, Worker

_PLAIN: Final = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
_AS_USER: Final = (*_PLAIN, "--user", "--map-root-user")


def _find_namespace() -> tuple[str, ...] | None:
    for around in (_PLAIN, _AS_USER):
        try:
            subprocess.run([*around, "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return around
    return None


NAMESPACE: Final = _find_namespace()
pytestmark = pytest.mark.skipif(NAMESPACE is None, reason="this machine lets nobody make a pid namespace")


@pytest.fixture
def huey_source(tmp_path: Path) -> str:
    """What is tested here does not depend on the storage: one is enough."""
    return f"hueyio.SqliteHuey('test', filename={str(tmp_path / 'test.db')!r})"


def children(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def launch(workers: Bench, *options: str) -> Worker:
    assert NAMESPACE is not None
    return workers.launch(*options, around=NAMESPACE)


async def process_one(worker: Worker) -> int:
    """Wait until process 1 is what it will be, and return it as it is named here."""

    async def has_become() -> bool:
        found = children(worker.pid)
        return bool(found) and b"init_process" in command(found[0])

    await until(has_become)
    return children(worker.pid)[0]


async def start(workers: Bench, *options: str) -> tuple[Worker, int]:
    worker = launch(workers, *options)
    await asyncio.to_thread(worker.wait_line, "is ready")
    return worker, await process_one(worker)


async def ended(worker: Worker) -> int:
    return await asyncio.to_thread(worker.wait)


async def test_sigterm_lets_a_running_task_end_and_ends_with_0(workers: Bench, app: Any) -> None:
    worker, one = await start(workers)
    async with app.huey:
        result = await app.sleep(0.5, 7)
        await workers.reached("start", 1)
        os.kill(one, signal.SIGTERM)
        assert await result == 7
    assert await ended(worker) == 0
    assert any("SIGTERM: finishing what runs" in line for line in worker.lines)


async def test_second_signal_stops_at_once(workers: Bench, app: Any) -> None:
    worker, one = await start(workers)
    async with app.huey:
        result = await app.sleep(3600)
        await workers.reached("start", 1)
        os.kill(one, signal.SIGINT)
        await asyncio.to_thread(worker.wait_line, "once more to stop at once")
        os.kill(one, signal.SIGINT)
        assert await ended(worker) == 0
        assert await result.status() == "ready"


async def test_sigterm_before_the_worker_runs_is_not_lost(workers: Bench) -> None:
    worker = launch(workers)
    os.kill(await process_one(worker), signal.SIGTERM)
    assert await ended(worker) == 0


async def test_what_a_task_left_behind_is_waited_for_and_exit_codes_are_not_taken(workers: Bench, app: Any) -> None:
    worker, one = await start(workers)
    (consumer,) = children(one)
    async with app.huey:
        assert await (await app.leave_behind(3600)) == 3
    (left,) = set(children(one)) - {consumer}
    os.kill(left, signal.SIGKILL)

    async def is_waited_for() -> bool:
        return children(one) == [consumer]

    await until(is_waited_for)
    os.kill(one, signal.SIGTERM)
    assert await ended(worker) == 0


async def test_helper_of_a_killed_process_is_waited_for(workers: Bench, app: Any) -> None:
    worker, one = await start(workers, "--processes", "2")
    (supervisor,) = children(one)
    killed = children(supervisor)[0]

    async def has_helper() -> bool:
        return bool(beaters_of(killed))

    await until(has_helper)
    (helper,) = beaters_of(killed)
    os.kill(killed, signal.SIGKILL)

    async def is_waited_for() -> bool:
        return children(one) == [supervisor] and not is_there(helper)

    await until(is_waited_for)
    os.kill(one, signal.SIGTERM)
    assert await ended(worker) == 0


async def test_exit_codes_are_those_of_the_worker(workers: Bench, app: Any) -> None:
    refused = launch(workers, "--health", "nowhere")
    assert await ended(refused) == 78
    worker, one = await start(workers)
    os.kill(children(one)[0], signal.SIGKILL)
    assert await ended(worker) == 128 + signal.SIGKILL
