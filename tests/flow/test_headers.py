"""Headers on their way: through each storage and lane, and into what follows a task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hueyio import (
    FileHuey,
    Huey,
    JSONSerializer,
    MemoryHuey,
    RetryTask,
    SignedSerializer,
    TaskArgumentError,
    chord,
    current_task,
    group,
)
from tests.flow.test_periodic import NOON
from tests.flow.test_schedules import Desk

GIVEN = {"traceparent": "00-1", "tenant": "Ä"}


class Tasks:
    """Tasks that tell their headers."""

    def __init__(self, huey: Huey) -> None:
        self.failures = 0

        @huey.task(name="on_loop")
        async def on_loop(*_: Any, **__: Any) -> dict[str, str]:
            return dict(current_task().headers)

        @huey.task(name="in_thread")
        def in_thread(*_: Any, **__: Any) -> dict[str, str]:
            return dict(current_task().headers)

        @huey.task(name="flaky", retries=2)
        async def flaky() -> dict[str, str]:
            self.failures += 1
            if self.failures == 1:
                raise ValueError
            if self.failures == 2:
                raise RetryTask
            return dict(current_task().headers)

        @huey.task(name="fail")
        async def fail() -> None:
            raise ValueError

        @huey.task(name="gather")
        async def gather(values: list[Any]) -> list[Any]:
            return [*values, dict(current_task().headers)]

        self.on_loop, self.in_thread, self.flaky, self.fail, self.gather = on_loop, in_thread, flaky, fail, gather


@asynccontextmanager
async def consuming(huey: Huey) -> AsyncIterator[Tasks]:
    tasks = Tasks(huey)
    if huey.immediate:
        yield tasks
        return
    async with huey, huey.create_consumer(threads=2):
        yield tasks


async def test_headers_reach_the_body_and_its_retries(huey: Huey) -> None:
    async with consuming(huey) as tasks:
        assert await (await tasks.on_loop.options(headers=GIVEN)()) == GIVEN
        assert await (await tasks.in_thread.options(headers=GIVEN)()) == GIVEN
        assert await (await tasks.in_thread.schedule(delay=0.01, headers=GIVEN)) == GIVEN
        assert await (await tasks.on_loop()) == {}
        assert await (await tasks.flaky.options(headers=GIVEN)()) == GIVEN
        assert tasks.failures == 3


@pytest.mark.parametrize("serializer", [JSONSerializer(), SignedSerializer("secret")], ids=["json", "signed"])
async def test_headers_are_there_with_each_serializer(serializer: Any) -> None:
    async with consuming(MemoryHuey("headers", serializer=serializer)) as tasks:
        assert await (await tasks.in_thread.options(headers=GIVEN)()) == GIVEN


async def test_headers_are_kept_in_files(tmp_path: Path) -> None:
    huey = FileHuey("headers", path=str(tmp_path / "queue"))
    async with huey:
        task = Tasks(huey).on_loop.options(headers=GIVEN).s()
        await huey.enqueue(task)
    again = FileHuey("headers", path=str(tmp_path / "queue"))
    async with consuming(again):
        assert await again.result_of(task.id) == GIVEN


async def test_headers_are_passed_in_immediate_mode() -> None:
    async with consuming(MemoryHuey("headers", immediate=True)) as tasks:
        assert await (await tasks.on_loop.options(headers=GIVEN)()) == GIVEN
        assert await (await tasks.in_thread.options(headers=GIVEN)()) == GIVEN


def test_headers_go_along_with_blocking_calls() -> None:
    huey = MemoryHuey("headers", immediate=True)
    tasks = Tasks(huey)
    assert tasks.in_thread.options(headers=GIVEN).sync().get() == GIVEN
    assert tasks.in_thread.sync.schedule(delay=0, headers=GIVEN).get() == GIVEN
    huey.sync.close()


async def test_stages_and_error_handlers_get_the_headers_of_their_parents(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    async with consuming(huey) as tasks:
        handled: asyncio.Queue[dict[str, str]] = asyncio.Queue()

        @huey.task(name="alert")
        async def alert(error: Any) -> None:
            handled.put_nowait(dict(current_task().headers))

        head = tasks.on_loop.options(headers=GIVEN).s()
        head.then(tasks.in_thread.options(headers={"tenant": "own"}).s()).then(tasks.on_loop)
        pipeline = await huey.enqueue(head)
        stages = [await result for result in pipeline]
        assert stages == [GIVEN, {**GIVEN, "tenant": "own"}, {**GIVEN, "tenant": "own"}]
        await huey.enqueue(tasks.fail.options(headers=GIVEN).s().error(alert))
        assert await asyncio.wait_for(handled.get(), 30) == GIVEN


async def test_chord_keeps_the_headers_of_members_and_callback_apart(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    async with consuming(huey) as tasks:
        members = [tasks.on_loop.options(headers={"member": str(number)}).s() for number in range(2)]
        members[1].then(tasks.in_thread)
        callback = tasks.gather.s()
        callback.headers = {"own": "callback"}
        result = await huey.enqueue(chord(members, callback))
        assert await result == [{"member": "0"}, {"member": "1"}, {"own": "callback"}]


async def test_group_keeps_the_headers_of_each(huey: Huey) -> None:
    async with consuming(huey) as tasks:
        calls = [tasks.on_loop.options(headers={"at": str(number)}).s() for number in range(3)]
        assert await (await huey.enqueue(group(calls))) == [{"at": "0"}, {"at": "1"}, {"at": "2"}]


async def test_task_that_is_rescheduled_keeps_its_headers(huey: Huey) -> None:
    tasks = Tasks(huey)
    result = await tasks.on_loop.options(headers=GIVEN, delay=1000)()
    (scheduled,) = await huey.scheduled()
    assert scheduled.headers == GIVEN
    await result.reschedule()
    (pending,) = await huey.pending()
    assert pending.headers == GIVEN


async def test_dead_letter_that_is_requeued_keeps_its_headers(huey: Huey) -> None:
    @huey.task(name="interrupted", max_deliveries=1)
    async def interrupted() -> None:
        raise KeyboardInterrupt

    result = await interrupted.options(headers=GIVEN)()
    task = await huey.dequeue()
    assert task is not None
    await huey.execute(task)
    assert await huey.dequeue() is None
    assert await huey.requeue([result.id]) == {result.id: "added"}
    (pending,) = await huey.pending()
    assert pending.headers == GIVEN


async def test_schedule_keeps_the_headers_of_its_call(huey: Huey) -> None:
    desk = await Desk.on(huey)
    tasks = Tasks(huey)
    await desk.schedules.add("given", tasks.on_loop, "* * * * *", headers=GIVEN)
    own = tasks.on_loop.options(headers=GIVEN).s().then(tasks.in_thread.options(headers={"own": "stage"}).s())
    await desk.schedules.add("own", own, "* * * * *", headers={"tenant": "over"})
    assert own.headers == GIVEN
    await desk.step(NOON - 10)
    await desk.step(NOON)
    first, second = sorted(await huey.pending(), key=lambda task: task.on_complete is not None)
    assert first.headers == GIVEN
    assert second.headers == {**GIVEN, "tenant": "over"}
    assert second.on_complete is not None
    assert second.on_complete.headers == {"own": "stage"}
    assert second.id != own.id
    with pytest.raises(TaskArgumentError, match="header 'a' must be a text"):
        await desk.schedules.add("bad", tasks.on_loop, "* * * * *", headers={"a": 1})  # type: ignore[dict-item]
