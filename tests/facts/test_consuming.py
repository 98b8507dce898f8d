"""A consumer beside the facts about single tasks, on every storage."""

from __future__ import annotations

import asyncio
import time

import pytest

from hueyio import ConfigurationError, Huey

LEASE = 1800.0
"""A consumer that nobody wakes waits at the bell for a third of it, and tests need no narrow bounds."""


@pytest.fixture
def long_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hueyio.consumer.fetcher._LONGEST_WAIT", LEASE / 3)


@pytest.mark.usefixtures("long_wait")
async def test_idle_consumer_stops_at_once(huey: Huey) -> None:
    @huey.task
    async def work() -> int:
        return 1

    consumer = huey.create_consumer(lease=LEASE)
    await consumer.start()
    assert await (await work()) == 1
    begun = time.monotonic()
    consumer.stop()
    await consumer.wait_stopped()
    assert time.monotonic() - begun < 60


@pytest.mark.usefixtures("long_wait")
async def test_idle_consumer_starts_what_comes_at_once(huey: Huey) -> None:
    @huey.task
    async def work() -> float:
        return time.time()

    async with huey.create_consumer(lease=LEASE):
        assert await (await work())
        begun = time.time()
        assert await (await work()) - begun < 60


async def test_interrupted_task_that_finishes_stores_its_result(huey: Huey) -> None:
    started = asyncio.Event()

    @huey.task
    async def stuck() -> str:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "finished"
        return "never"

    consumer = huey.create_consumer()
    await consumer.start()
    result = await stuck()
    await started.wait()
    consumer.stop(graceful=False)
    await consumer.wait_stopped()
    assert await result == "finished"


def test_consumer_refuses_immediate_mode(huey: Huey) -> None:
    huey.immediate = True
    with pytest.raises(ConfigurationError, match="immediate mode"):
        huey.create_consumer()
