"""A task that becomes due starts soon also on a consumer that is never idle."""

from __future__ import annotations

import asyncio

import pytest

from hueyio import Huey
from tests.support.patience import until


async def test_due_task_is_noticed_by_a_consumer_that_never_listens(
    huey: Huey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All slots of the other lane are taken, so that nobody waits at the bells."""
    monkeypatch.setattr("hueyio.consumer.scheduler._LONGEST_REST", 600.0)
    free = asyncio.Event()
    started = asyncio.Event()

    @huey.task
    async def occupy() -> None:
        started.set()
        await free.wait()

    @huey.task
    def soon() -> str:
        return "ran"

    async with huey.create_consumer(workers=1, threads=1, prefetch=0, lease=60.0) as consumer:
        await occupy()
        await started.wait()
        fetcher = consumer._fetcher

        async def is_deaf() -> bool:
            return not fetcher.is_listening

        fetcher.pause(True)  # nothing is claimed, and nobody listens
        await until(is_deaf)
        result = await soon.schedule(delay=0.05)

        async def is_promoted() -> bool:
            return await result.status() == "ready"

        await until(is_promoted)  # the scheduler by itself would look after 600 s
        fetcher.pause(False)
        assert await result == "ran"
        free.set()
