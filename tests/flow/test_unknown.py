"""Tasks that a consumer does not know, or knows in another version: they wait for one that does, and not for long."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from hueyio import Huey, MemoryHuey, PutBackTooLong, Snooze, TaskException
from hueyio.core import core_of
from tests.support.patience import until


async def add(a: int, b: int) -> int:
    return a + b


async def test_consumers_that_do_not_know_a_task_do_not_hold_it_back(make_huey: Callable[..., Huey]) -> None:
    if isinstance(make_huey(), MemoryHuey):
        pytest.skip("a queue in memory belongs to one Huey")
    hueys = [make_huey() for _ in range(4)]
    knowing = hueys[-1].task(name="add")(add)
    async with AsyncExitStack() as stack:
        for huey in hueys:
            await stack.enter_async_context(huey)
        for huey in hueys:
            await stack.enter_async_context(huey.create_consumer(workers=2))
        began = time.monotonic()
        results = await knowing.map([(n, 1) for n in range(200)])
        assert await results == [n + 1 for n in range(200)]
        print(f"200 tasks after {time.monotonic() - began:.1f} s")
        assert time.monotonic() - began < 30
        assert (await hueys[0].counts()).dead == 0


def declare(huey: Huey, lane: str, version: int) -> Any:
    """Declare the task as one deploy or the next has it."""

    def narrow(a: int) -> int:
        return a

    def wide(a: int, b: int) -> int:
        return a + b

    async def anarrow(a: int) -> int:
        return a

    async def awide(a: int, b: int) -> int:
        return a + b

    functions = {"loop": (anarrow, awide), "thread": (narrow, wide)}
    named: Any = huey.task(name="add")
    return named(functions[lane][version])


@pytest.mark.parametrize("lane", ["loop", "thread"])
async def test_call_of_another_version_waits_for_it(
    make_huey: Callable[..., Huey], lane: str, caplog: pytest.LogCaptureFixture
) -> None:
    old, new = make_huey(), make_huey()
    if isinstance(old, MemoryHuey):
        pytest.skip("a queue in memory belongs to one version")
    declare(old, lane, 0)
    newer = declare(new, lane, 1)
    async with old, new:
        result = await newer(3, 4)
        async with old.create_consumer():

            async def is_put_off() -> bool:
                return bool(await result.status() == "scheduled")

            await until(is_put_off)
            assert "does not take its call" in caplog.text
            assert "is another version deployed?" in caplog.text
        async with new.create_consumer():
            assert await result == 7


async def test_type_error_of_the_body_is_a_failure(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()

    @huey.task
    async def broken(a: int) -> None:
        await declared(1, 2)  # type: ignore[call-arg]

    async def declared(a: int) -> None: ...

    @huey.task
    def broken_in_thread(a: int) -> int:
        return a + "x"  # type: ignore[operator]

    async with huey, huey.create_consumer():
        for task in (broken, broken_in_thread):
            with pytest.raises(TaskException, match="TypeError"):
                await (await task(1))


async def test_task_that_always_snoozes_has_failed_in_the_end(
    make_huey: Callable[..., Huey], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hueyio")
    huey = make_huey(max_put_back_age=0.3)
    handled: list[BaseException] = []
    after = asyncio.Event()

    @huey.task
    async def snooze() -> None:
        raise Snooze(0.01)

    @huey.task
    async def handle(error: BaseException) -> None:
        handled.append(error)
        after.set()

    async with huey, huey.create_consumer():
        result = await huey.enqueue(snooze.s().error(handle).then(handle))
        with pytest.raises(TaskException, match="PutBackTooLong") as raised:
            await result
        assert isinstance(raised.value.__cause__, PutBackTooLong)
        await after.wait()
    assert [type(it) for it in handled] == [PutBackTooLong]
    counts = [int(it.message.split("put back ")[1].split()[0]) for it in caplog.records if "snoozes" in it.message]
    assert counts == [2**number for number in range(len(counts))]  # as many as this machine came to in that time
    assert counts


@pytest.mark.parametrize("age", ["1", -1, 0, True])
def test_put_back_age_that_is_no_time_is_refused(age: Any) -> None:
    with pytest.raises(Exception, match="max_put_back_age must be seconds > 0 or None"):
        MemoryHuey(max_put_back_age=age)


async def test_put_back_age_is_seven_days_unless_lifted() -> None:
    assert core_of(MemoryHuey()).rules.max_put_back_age == 7 * 86400
    assert core_of(MemoryHuey(max_put_back_age=None)).rules.max_put_back_age is None
