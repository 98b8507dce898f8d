"""Sync tasks in threads: how many run at a time, in how many threads, and what becomes of those behind a long one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from hueyio import MemoryHuey


@pytest.fixture
async def huey() -> AsyncIterator[MemoryHuey]:
    made = MemoryHuey("lane")
    yield made
    await made.close()


def task_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("hueyio-task")]


async def test_as_many_bodies_run_at_a_time_as_workers_says(huey: MemoryHuey) -> None:
    meeting = threading.Barrier(20)

    @huey.task
    def meet() -> int:
        return meeting.wait(30)

    async with huey.create_consumer(workers=20):
        assert sorted(await (await meet.map([()] * 20))) == list(range(20))


async def test_no_thread_is_started_that_no_body_needs(huey: MemoryHuey) -> None:
    before = task_threads()

    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    async with huey.create_consumer(workers=256):
        await (await add.map([(1, n) for n in range(50)]))
        await asyncio.sleep(0)
        assert task_threads() == before
