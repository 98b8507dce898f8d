"""Immediate mode on a live storage: what runs at once is in memory, all the rest where it always is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from hueyio import Huey, HueyException, ResultTimeout, Task, TaskCancelled, chord
from hueyio.core import core_of
from tests.conftest import EACH_STORAGE
from tests.facts.steps import later, run_all

pytestmark = pytest.mark.parametrize("make_huey", EACH_STORAGE, indirect=True)


@pytest.fixture
async def huey(make_huey: Callable[..., Huey]) -> AsyncIterator[Huey]:
    made = make_huey(immediate=True, immediate_use_memory=False)
    yield made
    await made.close()


@pytest.fixture
async def live(make_huey: Callable[..., Huey]) -> AsyncIterator[Huey]:
    """Make another Huey of the same name, as another process would."""
    made = make_huey()
    yield made
    await made.close()


def declare_add(huey: Huey, **options: Any) -> Any:
    async def add(a: int, b: int = 0) -> int:
        return a + b

    return huey.task(**options)(add)


async def test_results_values_and_schedule_are_in_the_live_storage_and_nothing_in_its_queue(
    huey: Huey, live: Huey
) -> None:
    seen: list[int] = []

    @huey.task
    async def look() -> str:
        counts = await live.counts()
        seen.append(sum(counts.queued.values()) + counts.running + len(await (await core_of(live).session()).owners()))
        await huey.put("key", "value")
        return "done"

    result = await look()
    await declare_add(huey).schedule((1, 2), delay=600)
    assert seen == [0]
    assert await live.get("key") == "value"
    assert (await live.count(), await live.scheduled_count(), await live.result_count()) == (0, 1, 1)
    assert await live.result(result.id) == "done"
    assert await live.result_count() == 0


async def test_locks_and_revocations_are_in_the_live_storage(huey: Huey, live: Huey) -> None:
    add, other = declare_add(huey), declare_add(live)

    @huey.task
    @huey.lock_task("one")
    async def work() -> bool:
        return await live.is_locked("one")

    assert await (await work()) is True
    assert not await live.is_locked("one")
    async with live.lock_task("one"):
        assert await (await work()).get_raw_result() is not None
    await other.revoke(revoke_once=True)
    assert await (await add(1, 2)).status() == "cancelled"
    assert await (await add(1, 2)) == 3


async def test_consumer_runs_what_is_due_later(huey: Huey, live: Huey) -> None:
    add = declare_add(huey, retries=1, retry_delay=0.01)
    tail = declare_add(live, retries=1, retry_delay=0.01)

    @huey.task(name="flaky", retries=1, retry_delay=0.01, context=True)
    @live.task(name="flaky", context=True)
    async def flaky(task: Task) -> int:
        if task.attempt == 0:
            raise ValueError("not yet")
        return task.attempt

    scheduled = await add.schedule((1, 2), delay=0.01)
    pipeline = await huey.enqueue(add.s(1, 2).then(add, 3, delay=0.01).then(add, 4))
    retried = await flaky()
    assert tail.path == add.path
    with pytest.raises(ResultTimeout):
        await scheduled.get(blocking=True, timeout=0.001)
    async with live.create_consumer():
        assert await scheduled == 3
        assert await pipeline == [3, 6, 10]
        assert await retried == 1


async def test_status_progress_and_cancel_know_what_runs(huey: Huey) -> None:
    reported, go_on = asyncio.Event(), asyncio.Event()

    @huey.task(context=True)
    async def work(task: Task) -> None:
        await task.progress(0.5, "half")
        reported.set()
        await go_on.wait()

    task = work.s()
    calling = asyncio.ensure_future(huey.enqueue(task))
    await reported.wait()
    result = huey.result_of(task.id)
    assert await result.status() == "running"
    updates = result.updates()
    assert (await anext(updates)).message == "half"
    waiting = asyncio.ensure_future(huey.result(task.id, blocking=True))
    assert await huey.cancel(task)
    with pytest.raises(TaskCancelled):
        await waiting
    assert [it async for it in updates] == []
    await calling


async def test_chord_with_a_part_that_is_due_later_is_driven_by_hand(huey: Huey, live: Huey) -> None:
    """A chord is complete in memory, so no consumer can run a part of it, and whoever waits is told."""
    add = declare_add(huey)

    @huey.task
    async def total(values: list[int]) -> int:
        return sum(values)

    result = await huey.enqueue(chord([add.s(1, 1), add.s(2, 2, delay=60)], total.s(delay=120)))
    assert await live.scheduled_count() == 0
    with pytest.raises(HueyException, match="would be awaited for ever"):
        await result
    for seconds in (61, 121):
        await huey.read_schedule(later(seconds))
        await run_all(huey, later(seconds))
    assert await result == 6
    assert (await huey.counts()).latches == 0


async def test_unique_key_holds_in_this_process(huey: Huey) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    @huey.task(unique="skip")
    async def work() -> str:
        started.set()
        await go_on.wait()
        return "done"

    calling = asyncio.ensure_future(work())
    await started.wait()
    second = await work()
    go_on.set()
    first = await calling
    assert first.id == second.id
    assert await second == "done"


async def test_live_session_outlasts_the_switch(huey: Huey) -> None:
    add = declare_add(huey)
    result = await add(1, 2)
    huey.immediate = False
    queued = await add(2, 2)
    huey.immediate = True
    assert await result == 3
    assert await queued.status() == "ready"
    huey.immediate = False
    async with huey.create_consumer():
        assert await queued == 4
