"""Immediate mode prints the same as a consumer, in the process that enqueues."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from hueyio import (
    ConfigurationError,
    Huey,
    MemoryHuey,
    Task,
    TaskArgumentError,
    TaskException,
    TaskRevoked,
    TaskTimeout,
)


@pytest.fixture
def huey() -> Huey:
    return MemoryHuey("immediate", immediate=True)


async def test_result_is_there_at_once(huey: Huey) -> None:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    result = await add(1, 2)
    assert await result.get() == 3
    assert await huey.count() == 0


async def test_sync_body_runs_in_a_thread(huey: Huey) -> None:
    @huey.task
    def where() -> int:
        return threading.get_ident()

    assert await (await where()) != threading.get_ident()


async def test_failure_comes_only_by_the_result(huey: Huey) -> None:
    @huey.task
    async def fail() -> None:
        raise ValueError("no")

    result = await fail()
    with pytest.raises(TaskException, match="no"):
        await result.get()


async def test_retries_loop_and_do_not_recurse(huey: Huey) -> None:
    attempts: list[int] = []

    @huey.task(retries=1500)
    async def stuck() -> int:
        attempts.append(1)
        if len(attempts) <= 1500:
            raise ValueError
        return len(attempts)

    assert await (await stuck()) == 1501


async def test_arguments_are_passed_by_reference_and_checked(huey: Huey) -> None:
    seen: list[Any] = []

    @huey.task
    async def keep(value: Any) -> None:
        seen.append(value)

    value = [1]
    await keep(value)
    assert seen[0] is value
    with pytest.raises(TaskArgumentError):
        await keep(threading.Lock())


async def test_pipeline_and_map_complete_inside(huey: Huey) -> None:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    assert await (await huey.enqueue(add.s(1, 2).then(add, 3))).get() == [3, 6]
    assert await (await add.map([(1, 2), (3, 4)])).get() == [3, 7]


async def test_scheduled_task_stays_in_the_schedule(huey: Huey) -> None:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    result = await add.schedule((1, 2), delay=60)
    assert await result.get() is None
    assert await result.status() == "scheduled"


async def test_revoked_task_is_not_run(huey: Huey) -> None:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    await add.revoke(revoke_once=True)
    with pytest.raises(TaskRevoked):
        await (await add(1, 2))
    assert await (await add(1, 2)) == 3


async def test_task_may_enqueue_others(huey: Huey) -> None:
    @huey.task
    async def inner(n: int) -> int:
        return n + 1

    @huey.task
    async def outer(n: int) -> int:
        return await (await inner(n)) + 1

    assert await asyncio.gather(*[await outer(n) for n in range(5)]) == [2, 3, 4, 5, 6]


async def test_result_that_cannot_be_passed_on_is_a_failure(huey: Huey) -> None:
    @huey.task
    async def odd(value: Any = None) -> Any:
        return threading.Lock()

    first, second = await huey.enqueue(odd.s().then(odd))
    for result in (first, second):
        with pytest.raises(TaskException, match="cannot be serialised"):
            await result


async def test_switching_swaps_the_storage() -> None:
    huey = MemoryHuey("live")

    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    await add(1, 2)
    huey.immediate = True
    assert await huey.count() == 0
    assert await (await add(1, 2)) == 3
    with pytest.raises(ConfigurationError, match="immediate"):
        huey.create_consumer()
    huey.immediate = False
    assert await huey.count() == 1


async def test_live_storage_can_be_kept() -> None:
    huey = MemoryHuey("live", immediate_use_memory=False)
    storage = huey.storage
    huey.immediate = True
    assert huey.storage is storage


async def test_status_of_a_task_that_waits_for_its_retry(huey: Huey) -> None:
    @huey.task(retries=1, retry_delay=60)
    async def fail() -> None:
        raise ValueError

    result = await fail()
    with pytest.raises(TaskException):
        await result.get()
    assert await result.status() == "retrying"


async def test_hooks_of_the_start_run_before_the_first_task_and_those_of_the_end_at_close(huey: Huey) -> None:
    ran: list[str] = []

    @huey.on_startup()
    async def open_all() -> None:
        ran.append("startup")

    @huey.on_shutdown()
    def close_all() -> None:
        ran.append("shutdown")

    @huey.task
    async def work() -> None:
        ran.append("body")

    async with huey:
        assert ran == []
        await work()
        await work()
    assert ran == ["startup", "body", "body", "shutdown"]


async def test_timeout_ends_a_coroutine_and_lets_a_thread_go(huey: Huey) -> None:
    ended: list[str] = []
    asked = threading.Event()

    @huey.task(timeout=0.05)
    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("coroutine")

    @huey.task(timeout=0.05, context=True)
    def compute(task: Task) -> None:
        try:
            while not asked.wait(0.01):
                task.check_timeout()
        except TaskTimeout:
            asked.set()
            raise

    for task in (wait, compute):
        with pytest.raises(TaskException, match="ran longer than"):
            await (await task())
    assert ended == ["coroutine"]
    assert await asyncio.to_thread(asked.wait, 30)
