"""Hooks and receivers around a body, one step at a time, on every storage."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from hueyio import CancelExecution, Huey, Task, TaskCancelled, crontab
from tests.facts.steps import NOW, later, listen, run_all, run_next


def declare_add(huey: Huey, **options: Any) -> Any:
    async def add(a: int, b: int) -> int:
        return a + b

    return huey.task(**options)(add)


async def test_hook_that_cancels_ends_the_task_and_its_retries(huey: Huey) -> None:
    order: list[str] = []
    heard = listen(huey)

    @huey.pre_execute()
    def first(task: Task) -> None:
        order.append("first")
        raise ValueError("is logged and ignored")

    @huey.pre_execute()
    async def second(task: Task) -> None:
        order.append("second")
        raise CancelExecution

    @huey.post_execute()
    def after(task: Task, value: Any, error: Any) -> None:
        order.append("after")

    result = await declare_add(huey, retries=2)(1, 2)
    assert await run_next(huey) is None
    assert order == ["first", "second"]
    assert heard == ["enqueued", "executing", "canceled"]
    assert (await huey.count(), await huey.scheduled_count()) == (0, 0)
    with pytest.raises(TaskCancelled):
        await result


async def test_post_hook_gets_the_value_or_the_exception_and_cannot_fail_the_task(huey: Huey) -> None:
    seen: list[Any] = []

    @huey.post_execute()
    def after(task: Task, value: Any, error: Any) -> None:
        seen.append((task.name.rpartition(".")[2], value, repr(error)))
        raise RuntimeError("is logged and ignored")

    add = declare_add(huey)
    result = await add(1, 2)
    await add(1, "2")
    assert await run_all(huey) == [3, None]
    assert seen[0] == ("add", 3, "None")
    assert seen[1][:2] == ("add", None)
    assert seen[1][2].startswith("TypeError")
    assert await result == 3


async def test_receiver_that_fails_stops_neither_the_others_nor_the_task(
    huey: Huey, caplog: pytest.LogCaptureFixture
) -> None:
    @huey.signal("executing", "complete")
    def fail(signal: str, task: Task) -> None:
        raise ValueError(signal)

    heard = listen(huey)
    await declare_add(huey)(1, 2)
    with caplog.at_level(logging.ERROR):
        assert await run_next(huey) == 3
    assert heard == ["enqueued", "executing", "complete"]
    assert len([record for record in caplog.records if record.name == "hueyio.signals"]) == 2


async def test_everything_that_is_enqueued_is_told_of_after_its_write(huey: Huey) -> None:
    """A task that was scheduled is told of by SCHEDULED alone."""
    heard: list[tuple[str, str]] = []

    @huey.signal("enqueued", "scheduled")
    async def hear(signal: str, task: Task) -> None:
        assert await huey.result_of(task.id).status() in ("ready", "scheduled", "retrying")
        heard.append((signal, task.name.rpartition(".")[2]))

    @huey.task(retries=1)
    async def fail(*args: Any) -> None:
        raise ValueError

    @huey.periodic_task(crontab())
    async def tick() -> None: ...

    add = declare_add(huey)
    await huey.enqueue(add.s(1, 2).then(fail))
    await run_all(huey)
    assert heard == [("enqueued", "add"), ("enqueued", "fail"), ("enqueued", "fail")]
    heard.clear()
    await add.schedule((1, 2), delay=60)
    await huey.read_schedule(later(61))
    for task in huey.read_periodic(NOW):
        await huey.enqueue(task)
    assert heard == [("scheduled", "add"), ("enqueued", "tick")]


async def test_hook_is_unregistered_once_by_its_name_or_itself(huey: Huey) -> None:
    ran: list[str] = []

    @huey.pre_execute("named")
    def first(task: Task) -> None:
        ran.append("first")

    @huey.post_execute()
    def second(task: Task, value: Any, error: Any) -> None:
        ran.append("second")

    assert (huey.unregister_pre_execute("named"), huey.unregister_pre_execute("named")) == (True, False)
    assert (huey.unregister_post_execute(second), huey.unregister_post_execute(second)) == (True, False)
    await declare_add(huey)(1, 2)
    await run_next(huey)
    assert ran == []
