"""HTTP probes of a worker."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support.patience import until
from tests.workers.process import Bench, Worker


@pytest.fixture
def huey_source(tmp_path: Path) -> str:
    """What is tested here does not depend on the storage: one is enough."""
    return f"hueyio.SqliteHuey('test', filename={str(tmp_path / 'test.db')!r})"


class Client:
    def __init__(self, worker: Worker) -> None:
        line = worker.wait_line("probes on ")
        self.base = re.findall(r"http://[\d.]+:\d+", line)[0]

    async def get(self, path: str) -> tuple[int, str]:
        def fetch() -> tuple[int, str]:
            try:
                with urllib.request.urlopen(self.base + path, timeout=30) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read().decode()

        return await asyncio.to_thread(fetch)


async def test_live_and_ready_worker_says_so(workers: Bench, app: Any) -> None:
    client = Client(workers.start("--health", "127.0.0.1:0"))
    assert await client.get("/live") == (200, "the loop moves\n")
    assert (await client.get("/ready"))[0] == 200
    assert (await client.get("/nothing"))[0] == 404


async def test_worker_that_stops_is_live_and_not_ready(workers: Bench, app: Any) -> None:
    worker = workers.start("--health", "127.0.0.1:0")
    client = Client(worker)
    async with app.huey:
        await app.sleep(3600)
        await workers.reached("start", 1)
        worker.send(signal.SIGTERM)
        await asyncio.to_thread(worker.wait_line, "once more to stop at once")
        assert await client.get("/ready") == (503, "test: stopping\n")
        assert (await client.get("/live"))[0] == 200


async def test_blocked_loop_is_not_live(workers: Bench, app: Any) -> None:
    client = Client(workers.start("--health", "127.0.0.1:0"))
    async with app.huey:
        await app.block_loop(3600.0)

        async def is_dead() -> bool:
            return (await client.get("/live"))[0] == 503

        await until(is_dead)
        assert "blocked for" in (await client.get("/live"))[1]


async def test_metrics_count_what_ran_and_what_waits(workers: Bench, app: Any) -> None:
    client = Client(workers.start("--health", "127.0.0.1:0", "-w", "1"))
    async with app.huey:
        assert await (await app.add.map([(1, 2), (3, 4)])) == [3, 7]
        await app.sleep(3600)
        await workers.reached("start", 1)
        while True:  # the figures of the queue are left out where the storage is slow
            status, text = await client.get("/metrics")
            if "hueyio_queue_tasks" in text:
                break
    assert status == 200
    assert 'hueyio_tasks_total{outcome="Succeeded",queue="test"} 2.0' in text
    assert 'hueyio_tasks_running{lane="loop",queue="test"} 1.0' in text
    assert 'hueyio_queue_tasks{queue="test",state="running"} 1.0' in text
    assert "hueyio_loop_lag_seconds" in text
    assert f'hueyio_tasks_ended_total{{end="done",queue="test",task="{app.add.path}"}} 2.0' in text
    assert f'hueyio_task_run_seconds_count{{queue="test",task="{app.add.path}"}} 2.0' in text


async def test_port_that_is_taken_is_said_in_one_line(workers: Bench, app: Any) -> None:
    client = Client(workers.start("--health", "127.0.0.1:0"))
    worker = workers.launch("--health", client.base.removeprefix("http://"))
    assert await asyncio.to_thread(worker.wait) == 78
    worker.wait_line("hueyio: cannot serve the probes on 127.0.0.1:")


async def test_probes_are_served_on_an_ipv6_address(workers: Bench, app: Any) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    worker = workers.start("--health", "[::1]:0")
    line = worker.wait_line("probes on http://[::1]:")
    url = re.findall(r"http://\S+?/live", line)[0]
    with await asyncio.to_thread(urllib.request.urlopen, url, timeout=30) as answer:
        assert answer.status == 200
