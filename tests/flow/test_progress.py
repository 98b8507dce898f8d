"""Progress that bodies report and others follow, and pauses of the queue."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

from hueyio import Huey, HueyException, MemoryHuey, Progress, Task
from tests.support.patience import until


async def take(updates: Any, count: int) -> list[Progress]:
    return [await asyncio.wait_for(anext(updates), 20) for _ in range(count)]


async def test_updates_follow_a_coroutine_from_another_session(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    go = asyncio.Event()
    kept: list[bool] = []

    @huey.task(context=True)
    async def pages(task: Task) -> str:
        kept.append(await task.progress(0.25, "page 1"))
        await go.wait()
        kept.append(await task.progress(1))
        await asyncio.Event().wait() if not kept[0] else None
        return "done"

    async with huey.create_consumer():
        result = await pages()
        updates = result.updates()
        assert await take(updates, 1) == [Progress(0.25, "page 1")]
        go.set()
        rest = [update async for update in updates]
        assert rest in ([Progress(1.0)], [])  # the end may come before the look
        assert await result == "done"
        assert [update async for update in result.updates()] == []
    assert kept == [True, True]
    await huey.close()


async def test_body_in_a_thread_reports_and_blocks_until_it_is_kept(huey: Huey) -> None:
    go = threading.Event()
    kept: list[Any] = []

    @huey.task(context=True)
    def pages(task: Task) -> None:
        kept.append(task.progress_sync(0.5, "half"))
        go.wait(20)
        kept.append(asyncio.run(task.progress(0.75)))  # a loop of its own in the thread

    async with huey.create_consumer():
        result = await pages()
        assert await take(result.updates(), 1) == [Progress(0.5, "half")]
        go.set()
        await result
    assert kept == [True, True]


async def test_blocking_report_on_the_loop_is_refused(huey: Huey) -> None:
    refusals: list[str] = []

    @huey.task(context=True)
    async def pages(task: Task) -> None:
        try:
            task.progress_sync(0.5)
        except HueyException as error:
            refusals.append(str(error))

    async with huey.create_consumer():
        await (await pages())
    assert "await task.progress" in refusals[0]


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan"), "half", True, None])
async def test_fraction_that_is_none_is_refused(bad: Any) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        await Task("t").progress(bad)
    with pytest.raises(ValueError, match="text"):
        Task("t").progress_sync(0.5, 1)  # type: ignore[arg-type]


async def test_progress_is_kept_by_nobody_when_hueyio_does_not_run_the_body() -> None:
    task = Task("pages")
    assert await task.progress(0.5) is False
    assert task.progress_sync(0.5) is False


async def test_progress_is_kept_in_immediate_mode_as_in_a_consumer() -> None:
    huey = MemoryHuey(immediate=True)

    @huey.task(context=True)
    async def pages(task: Task) -> bool:
        return await task.progress(0.5)

    result = await pages()
    assert await result is True
    assert [update async for update in result.updates()] == []  # it is over
    await huey.close()


async def test_task_of_a_running_body_can_be_pickled(huey: Huey) -> None:
    copies: list[Task] = []

    @huey.task(context=True)
    async def pages(task: Task) -> None:
        copies.append(pickle.loads(pickle.dumps(task)))

    async with huey.create_consumer():
        result = await pages()
        await result
    assert (copies[0].id, copies[0].reporter) == (result.id, None)


async def test_paused_queue_starts_nothing_until_it_is_resumed(huey: Huey) -> None:
    started: asyncio.Queue[int] = asyncio.Queue()
    gate = asyncio.Event()

    @huey.task
    async def wait(number: int) -> int:
        started.put_nowait(number)
        await gate.wait()
        return number

    async with huey.create_consumer(workers=1, prefetch=5):
        results = await wait.map(range(4))
        assert await started.get() == 0

        async def all_are_prefetched() -> bool:
            return (await huey.counts()).running == 4

        async def unstarted_went_back() -> bool:
            counts = await huey.counts()
            return counts.running == 1 and counts.queued["loop"] == 3

        await until(all_are_prefetched)
        await huey.pause()
        assert await huey.is_paused()
        await until(unstarted_went_back)
        gate.set()
        assert await results[0] == 0
        await wait(4)
        assert started.empty()
        await huey.resume()
        assert not await huey.is_paused()
        assert await asyncio.wait_for(results.get(True), 20) == [0, 1, 2, 3]
        assert [await asyncio.wait_for(started.get(), 20) for _ in range(4)] == [1, 2, 3, 4]


async def test_consumer_that_starts_on_a_paused_queue_waits(huey: Huey) -> None:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    await huey.pause()
    result = await add(1, 2)
    async with huey.create_consumer():
        assert await result.get(timeout=0.2) is None
        assert await result.status() == "ready"
        await huey.resume()
        assert await asyncio.wait_for(result.get(True), 20) == 3
