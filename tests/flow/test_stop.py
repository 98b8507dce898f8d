"""A consumer inside another program stops in time, whatever its storage does."""

from __future__ import annotations

import asyncio
import logging
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from hueyio import Huey, MemoryHuey, RedisHuey, SqliteHuey
from hueyio.consumer.stop_times import MARGIN
from tests.conftest import SERVER_KINDS
from tests.support.proxy import FaultProxy
from tests.support.servers import Server

TIMEOUT: Final = 0.2
SLACK: Final = 4.0
"""Seconds for a machine that is busy with other tests."""


class Bench:
    """A Huey whose storage goes away."""

    def __init__(self, huey: Huey) -> None:
        self.huey = huey
        self.started = asyncio.Event()
        self.work = huey.task(name="work")(self._work)
        self.consumer = huey.create_consumer(shutdown_timeout=TIMEOUT)

    async def _work(self) -> None:
        self.started.set()
        await asyncio.Event().wait()

    async def take_away(self) -> None: ...


@pytest.fixture(params=["sqlite", SERVER_KINDS[0]])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    if request.param == "sqlite":
        filename = str(tmp_path / "test.db")
        with closing(sqlite3.connect(filename, isolation_level=None)) as other:
            made = Bench(SqliteHuey("test", filename=filename))

            async def lock() -> None:
                other.execute("BEGIN IMMEDIATE")

            made.take_away = lock  # type: ignore[method-assign]
            yield made
        await made.huey.close()
        return
    server: Server = request.getfixturevalue("server_of")(request.param)
    async with FaultProxy(server.port) as proxy:
        made = Bench(RedisHuey(tmp_path.name, url=f"redis://127.0.0.1:{proxy.port}/0"))

        async def hold() -> None:
            proxy.hold()

        made.take_away = hold  # type: ignore[method-assign]
        yield made
        proxy.release()
        await made.huey.close()


async def test_consumer_stops_in_time_while_its_storage_is_away(bench: Bench) -> None:
    async with bench.consumer:
        await bench.work()
        await bench.started.wait()
        await bench.take_away()
        began = time.monotonic()
    assert time.monotonic() - began < TIMEOUT + MARGIN + SLACK
    assert bench.consumer.statistics().state == "stopped"


async def test_cancelled_consumer_stops_in_time_while_its_storage_is_away(bench: Bench) -> None:
    embedding = asyncio.create_task(bench.consumer.run())
    await bench.work()
    await bench.started.wait()
    await bench.take_away()
    began = time.monotonic()
    embedding.cancel()
    await asyncio.sleep(0)
    embedding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await embedding
    assert time.monotonic() - began < MARGIN + SLACK
    assert bench.consumer.statistics().state == "stopped"


async def test_shutdown_hook_that_hangs_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    huey = MemoryHuey("test")
    hanging = asyncio.Event()

    @huey.on_shutdown()
    async def hang() -> None:
        while not hanging.is_set():
            try:
                await hanging.wait()
            except asyncio.CancelledError:
                continue

    consumer = huey.create_consumer(shutdown_timeout=0)
    caplog.set_level(logging.WARNING)
    began = time.monotonic()
    async with consumer:
        pass
    assert time.monotonic() - began < MARGIN + SLACK
    assert consumer.stuck == 1
    assert "ignores its cancellation" in caplog.text
    hanging.set()
    await huey.close()


async def test_sigquit_stops_at_once_where_the_consumer_handles_signals() -> None:
    huey = MemoryHuey("test")
    started = asyncio.Event()

    @huey.task
    async def work() -> None:
        started.set()
        await asyncio.Event().wait()

    consumer = huey.create_consumer(shutdown_timeout=300)
    running = asyncio.create_task(consumer.run(handle_signals=True))
    await work()
    await started.wait()
    signal.raise_signal(signal.SIGQUIT)
    await asyncio.wait_for(running, 30)
    assert await huey.count() == 1
    await huey.close()
