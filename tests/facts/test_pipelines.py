"""Pipelines, one step at a time, on every storage."""

from __future__ import annotations

from typing import Any

import pytest

from hueyio import Huey, Task, TaskException
from tests.facts.steps import run_all, run_next


def declare_add(huey: Huey) -> Any:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    return add


def statuses_at(huey: Huey, signal: str, head: Task) -> list[list[str]]:
    """Return a list that is filled with the statuses of all stages whenever the signal is sent."""
    seen: list[list[str]] = []

    @huey.signal(signal)
    async def look(signal: str, task: Task) -> None:
        seen.append([await huey.result_of(stage.id).status() for stage in head.stages()])

    return seen


async def test_one_stage_is_in_the_queue_at_a_time(huey: Huey) -> None:
    add = declare_add(huey)
    head = add.s(1, 2).then(add, 3).then(add, 4)
    seen = statuses_at(huey, "executing", head)
    group = await huey.enqueue(head)
    assert await run_all(huey) == [3, 6, 10]
    assert seen == [["running", "waiting", "waiting"], ["done", "running", "waiting"], ["done", "done", "running"]]
    assert await huey.count() == 0
    assert await group == [3, 6, 10]


@pytest.mark.parametrize(
    ("value", "received"),
    [
        ((1, 2), [["own", 1, 2], {"k": "own"}]),
        ({"k": 1, "other": 2}, [["own"], {"k": "own", "other": 2}]),
        ([1, 2], [["own", [1, 2]], {"k": "own"}]),
        (None, [["own"], {"k": "own"}]),
        ((), [["own"], {"k": "own"}]),
        (0, [["own", 0], {"k": "own"}]),
        ([], [["own", []], {"k": "own"}]),
    ],
)
async def test_value_extends_the_arguments_of_the_next_stage(huey: Huey, value: Any, received: Any) -> None:
    @huey.task
    async def give() -> Any:
        return value

    @huey.task
    async def take(*args: Any, **kwargs: Any) -> Any:
        return [list(args), kwargs]

    await huey.enqueue(give.s().then(take, "own", k="own"))
    assert (await run_all(huey))[1] == received
    task = Task("app.take", ("own",), {"k": "own"})
    task.extend_data(value)
    assert [list(task.args), task.kwargs] == received


async def test_stages_and_handlers_may_be_tasks_with_more_arguments(huey: Huey) -> None:
    @huey.task
    async def fail(*args: Any, **kwargs: Any) -> None:
        raise ValueError(f"{args} {kwargs}")

    @huey.task
    async def alert(*args: Any, **kwargs: Any) -> Any:
        return [*map(str, args), kwargs]

    add = declare_add(huey)
    stage = fail.s(1, k=2)
    group = await huey.enqueue(add.s(1, 2).then(stage, 5, j=6).error(alert.s("a"), "b", c="d"))
    stage.error(alert.s("unused"))
    assert await run_next(huey) == 3
    assert await run_next(huey) is None
    with pytest.raises(TaskException, match=r"\(1, 5, 3\) \{'k': 2, 'j': 6\}"):
        await group[1]
    other = await huey.enqueue(fail.s().error(alert.s("a"), "b", c="d"))
    assert await run_all(huey) == [None, ["a", "b", "() {}", {"c": "d"}]]
    with pytest.raises(TaskException):
        await other


async def test_failed_stage_ends_all_later_ones_only_for_good(huey: Huey) -> None:
    add = declare_add(huey)

    @huey.task(retries=1)
    async def fail(value: int) -> None:
        raise ValueError("broken")

    head = add.s(1, 2).then(fail).then(add, 3).then(add, 4)
    seen = statuses_at(huey, "retrying", head)
    group = await huey.enqueue(head)
    assert await run_all(huey) == [3, None, None]
    assert seen == [["done", "retrying", "waiting", "waiting"]]
    assert await huey.count() == 0
    for result in list(group)[1:]:
        with pytest.raises(TaskException, match="broken") as caught:
            await result
        assert caught.value.metadata["task_id"] == group[1].id


async def test_unblocked_read_of_a_pipeline_gives_none_for_what_is_missing(huey: Huey) -> None:
    add = declare_add(huey)
    group = await huey.enqueue(add.s(1, 2).then(add, 3, delay=60))
    await run_next(huey)
    assert await group.get() == [3, None]
    assert await group() == [3, None]
    assert (len(group), [result.id for result in group]) == (2, [group[0].id, group[1].id])
