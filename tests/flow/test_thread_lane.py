"""Sync tasks in threads: how many run at a time, in how many threads, and what becomes of those behind a long one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from hueyio import MemoryHuey, TaskCancelled, TaskExpired
from tests.support.patience import until


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


class Blocking:
    """A task that blocks its thread until it is let go, and one that does nothing; both note that they ran."""

    def __init__(self, huey: MemoryHuey) -> None:
        self.ran: list[object] = []
        self.threads: set[int] = set()
        self.began, self.go = threading.Event(), threading.Event()

        @huey.task
        def block() -> str:
            self.note("block")
            self.began.set()
            self.go.wait(30)
            return "blocked"

        @huey.task
        def note(number: int) -> int:
            self.note(number)
            return number

        self.block, self.short = block, note

    def note(self, what: object) -> None:
        self.ran.append(what)
        self.threads.add(threading.get_ident())

    async def begun(self) -> None:
        assert await asyncio.to_thread(self.began.wait, 30)


async def test_one_thread_runs_all_in_their_order_those_with_a_time_limit_too(huey: MemoryHuey) -> None:
    tasks = Blocking(huey)
    calls = [tasks.short.s(number) for number in range(40)]
    for task in calls[::7]:
        task.timeout = 60.0
    async with huey.create_consumer(workers=1):
        results = await huey.enqueue_many(calls)
        assert [await result for result in results] == list(range(40))
    assert tasks.ran == list(range(40))


async def test_nothing_waits_behind_a_long_body_while_another_thread_is_free(huey: MemoryHuey) -> None:
    tasks = Blocking(huey)
    async with huey.create_consumer(workers=2):
        blocked = await tasks.block()
        assert await (await tasks.short.map(range(50))) == list(range(50))
        tasks.go.set()
        assert await blocked == "blocked"


async def test_those_behind_a_body_that_is_cancelled_run_in_another_thread(huey: MemoryHuey) -> None:
    tasks = Blocking(huey)
    async with huey.create_consumer(workers=1) as consumer:
        first = await tasks.short(0)
        blocked = await tasks.block()
        others = await tasks.short.map([1, 2])
        await tasks.begun()
        await blocked.cancel()
        with pytest.raises(TaskCancelled):
            await blocked
        assert [await first, *await others] == [0, 1, 2]
        assert consumer.statistics().abandoned_threads == 1
        assert await blocked.status() == "cancelled"

        async def no_thread_is_left_behind() -> bool:
            return consumer.statistics().abandoned_threads == 0

        tasks.go.set()
        await until(no_thread_is_left_behind)
    assert (tasks.ran, len(tasks.threads)) == ([0, "block", 1, 2], 2)


async def test_what_is_cancelled_or_expires_behind_a_long_body_is_not_run(huey: MemoryHuey) -> None:
    tasks = Blocking(huey)
    async with huey.create_consumer(workers=1, prefetch=5) as consumer:
        blocked = await tasks.block()
        await tasks.begun()
        cancelled, last = await tasks.short(1), await tasks.short(2)
        moment = datetime.now(UTC) + timedelta(seconds=0.2)
        late = await tasks.short.options(expires=moment)(3)

        async def are_held_and_one_late() -> bool:
            return consumer.statistics().held == 4 and datetime.now(UTC) > moment

        async def is_cancelled() -> bool:
            return cancelled.id in consumer._ledger.cancelled

        await until(are_held_and_one_late)
        await cancelled.cancel()
        await until(is_cancelled)
        tasks.go.set()
        assert (await blocked, await last) == ("blocked", 2)
        for result, ended in ((cancelled, TaskCancelled), (late, TaskExpired)):
            with pytest.raises(ended):
                await result
    assert tasks.ran == ["block", 2]


async def test_stop_lets_the_body_finish_and_gives_back_those_behind_it(huey: MemoryHuey) -> None:
    tasks = Blocking(huey)
    async with huey.create_consumer(workers=1, prefetch=5) as consumer:
        blocked = await tasks.block()
        behind = await tasks.short.map([1, 2, 3])
        await tasks.begun()
        consumer.stop()
        tasks.go.set()
        await consumer.wait_stopped()
    assert await blocked == "blocked"
    assert [await result.status() for result in behind] == ["ready"] * 3
    assert tasks.ran == ["block"]


async def test_stop_at_once_leaves_the_thread_behind_and_gives_all_back(huey: MemoryHuey) -> None:
    tasks = Blocking(huey)
    async with huey.create_consumer(workers=1) as consumer:
        first, blocked = await tasks.short(0), await tasks.block()
        await tasks.begun()
        consumer.stop(graceful=False)
        await consumer.wait_stopped()
    tasks.go.set()
    assert (await first, await blocked.status()) == (0, "ready")


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_coroutine_behind_a_decorator_is_run_on_the_loop(huey: MemoryHuey, is_cancelled: bool) -> None:
    began: asyncio.Queue[int] = asyncio.Queue()
    go = asyncio.Event()

    async def work(number: int) -> int:
        began.put_nowait(threading.get_ident())
        await go.wait()
        return number

    @huey.task
    def hidden(number: int) -> int:
        return work(number)  # type: ignore[return-value]

    async with huey.create_consumer(workers=1):
        for number in range(2):  # the second is known to be one
            result = await hidden(number)
            assert await began.get() == threading.get_ident()
            if is_cancelled:
                await result.cancel()
                with pytest.raises(TaskCancelled):
                    await result
            else:
                go.set()
                assert await result == number


async def test_body_that_has_ended_in_its_thread_is_named_until_the_loop_has_heard_of_it(huey: MemoryHuey) -> None:
    """As when it held the interpreter lock: a heartbeat that is late is sent before the loop goes on."""
    began, second_began, may_end = threading.Event(), threading.Event(), threading.Event()

    @huey.task
    def first() -> None:
        began.set()
        assert may_end.wait(30)

    @huey.task
    def second() -> None:
        second_began.set()

    async with huey.create_consumer(threads=1) as consumer:
        results = await huey.enqueue_many([first.s(), second.s()])
        assert await asyncio.to_thread(began.wait, 30)
        may_end.set()
        assert second_began.wait(30)  # the loop stands still, and the first has ended
        assert results[0].id in ", ".join(consumer._names_of_running())
        await results[1]
