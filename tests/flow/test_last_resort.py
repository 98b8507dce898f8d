"""Errors that keep a task from its end, whoever made them: it is put back or buried, and never stays running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hueyio import Huey, MemoryHuey, Serializer, TaskException
from tests.support.patience import until


class Broken(Serializer):
    """One that takes calls, and breaks at every end of a run that is bad."""

    def serialize(self, value: Any) -> bytes:
        if isinstance(value, list) and ("bad" in value or "failed" in value or "lost" in value):
            raise ReferenceError("broken")
        return super().serialize(value)


def declare(huey: Huey, lane: str) -> Any:
    def work(value: str) -> str:
        return value

    async def awork(value: str) -> str:
        return value

    named: Any = huey.task(name="work")
    return named(awork if lane == "loop" else work)


@pytest.mark.parametrize("lane", ["loop", "thread"])
@pytest.mark.parametrize("listened", [False, True])
async def test_task_whose_end_cannot_be_written_is_buried_and_others_run(
    make_huey: Callable[..., Huey], lane: str, listened: bool
) -> None:
    huey = make_huey(serializer=Broken())
    work = declare(huey, lane)
    if listened:
        huey.signal()(lambda *_: None)
        huey.post_execute()(lambda *_: None)
    async with huey, huey.create_consumer(workers=2, threads=2):
        bad = await work.map([("bad",)] * 5)
        good = await work.map([("good",)] * 20)
        assert await good == ["good"] * 20

        async def is_buried() -> bool:
            return len(await huey.dead()) == 5

        await until(is_buried)
        assert {letter.id for letter in await huey.dead()} == {result.id for result in bad}
        assert (await huey.counts()).running == 0


async def test_task_that_cannot_be_ended_stays_in_no_hand(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey(serializer=Broken())
    work = declare(huey, "loop")
    async with huey:
        await work("bad")
        task = await huey.dequeue()
        assert task is not None
        with pytest.raises(ReferenceError):
            await huey.execute(task)
        counts = await huey.counts()
        assert (counts.running, sum(counts.queued.values())) == (0, 1)


async def test_immediate_task_that_cannot_be_ended_is_buried() -> None:
    huey = MemoryHuey(immediate=True, serializer=Broken())
    work = declare(huey, "loop")
    async with huey:
        with pytest.raises(ReferenceError):
            await work("bad")
        assert (await huey.counts()).running == 0
        assert len(await huey.dead()) == 1
        assert await (await work("good")) == "good"


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
async def test_value_whose_pickling_raises_anything_is_the_tasks_own_trouble(
    make_huey: Callable[..., Huey], error: type[BaseException]
) -> None:
    huey = make_huey()

    class Value:
        def __reduce__(self) -> Any:
            raise error

    @huey.task
    async def work() -> Any:
        return Value()

    @huey.task
    def work_in_thread() -> Any:
        return Value()

    async with huey, huey.create_consumer():
        for task in (work, work_in_thread):
            with pytest.raises(TaskException):
                await (await task())
        assert (await huey.counts()).running == 0


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
async def test_hooks_receivers_and_context_managers_that_raise_anything_stop_no_consumer(
    make_huey: Callable[..., Huey], error: type[BaseException]
) -> None:
    huey = make_huey()

    async def fail(*_: Any) -> None:
        raise error

    def fail_in_thread(*_: Any) -> None:
        raise error

    for hook in (fail, fail_in_thread):
        huey.pre_execute()(hook)
        huey.post_execute()(hook)
        huey.signal()(hook)
        huey.on_startup()(hook)

    class Manager:
        def __enter__(self) -> None:
            raise error

        def __exit__(self, *_: object) -> None: ...

    @huey.task
    async def work() -> int:
        return 1

    @huey.context_task(Manager())
    def managed() -> int:
        return 1

    async with huey, huey.create_consumer():
        assert await (await work()) == 1
        with pytest.raises(TaskException):
            await (await managed())
        assert await (await work()) == 1
