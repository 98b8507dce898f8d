"""Revoke and restore, on every storage."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hueyio import Huey, HueyException, MemoryHuey, TaskRevoked
from tests.facts.steps import consuming, enqueue_and_run, later, listen, put_in_queue, run_all, run_next


def declare_work(huey: Huey) -> Any:
    @huey.task
    async def work(number: int = 0) -> int:
        return number

    return work


async def test_revoked_function_is_skipped_with_one_signal(huey: Huey) -> None:
    work = declare_work(huey)
    heard = listen(huey)
    await work.revoke()
    result = await work(1)
    assert await result.is_revoked()
    assert await huey.is_revoked(work)
    assert await huey.is_revoked(work.s())
    assert await run_next(huey) is None
    assert heard == ["enqueued", "revoked"]
    assert (await work.restore(), await work.restore()) == (True, False)
    assert not await result.is_revoked()


async def test_revoked_call_is_skipped_once_and_runs_when_it_is_enqueued_again(huey: Huey) -> None:
    work = declare_work(huey)
    task = work.s(1)
    await huey.revoke(task, revoke_once=True)
    result = await huey.enqueue(task)
    assert await run_next(huey) is None
    assert not await result.is_revoked()
    await huey.enqueue(task)
    assert await run_next(huey) == 1


async def test_revocation_for_good_outlasts_executions(huey: Huey) -> None:
    work = declare_work(huey)
    task = work.s(1)
    await huey.revoke(task)
    for _ in range(2):
        await huey.enqueue(task)
        assert await run_next(huey) is None
    assert (await huey.restore(task), await huey.restore_by_id(task.id)) == (True, False)


async def test_revocation_of_a_function_for_once_skips_the_next_only(huey: Huey) -> None:
    work = declare_work(huey)
    await work.revoke(revoke_once=True)
    assert await work.is_revoked()
    assert await work.is_revoked()
    await work.map([1, 2])
    assert await run_all(huey) == [None, 2]


async def test_revocation_for_once_used_up_by_another_leaves_nobody_behind(huey: Huey) -> None:
    @huey.task
    async def work() -> int:
        return 1

    await work.revoke(revoke_once=True)
    group = await work.map([()] * 400)
    async with consuming(huey, workers=200, prefetch=200):
        endings = await asyncio.gather(*group, return_exceptions=True)
    assert sum(ending == 1 for ending in endings) == 399


async def test_look_without_peek_uses_a_revocation_for_once_up(huey: Huey) -> None:
    work = declare_work(huey)
    await work.revoke(revoke_once=True)
    assert await work.is_revoked(peek=False) is True
    assert await work.is_revoked(peek=False) is False


async def test_revocation_until_a_moment_ends_at_that_moment(huey: Huey) -> None:
    work = declare_work(huey)
    until = later(600)
    await work.revoke(revoke_until=until)
    assert await work.is_revoked(until - timedelta(seconds=1))
    assert not await work.is_revoked(until)
    for number in (1, 2):
        await put_in_queue(huey, work.s(number))
    assert await run_next(huey, until - timedelta(seconds=1)) is None
    assert await run_next(huey, until) == 2
    assert await work.is_revoked(until, peek=False) is False
    assert await work.restore() is False


async def test_later_revocation_takes_the_place_of_the_former(huey: Huey) -> None:
    work = declare_work(huey)
    await work.revoke()
    await work.revoke(revoke_until=later(60))
    assert not await work.is_revoked(later(61))


async def test_id_and_function_are_revoked_apart(huey: Huey) -> None:
    work = declare_work(huey)
    result = await work(1)
    await work.revoke()
    assert not await huey.is_revoked(result.id)
    assert await huey.is_revoked(result)
    assert await result.restore() is False
    assert await result.is_revoked()


async def test_revoked_task_of_the_future_is_told_of_when_it_is_due(huey: Huey) -> None:
    heard = listen(huey)
    result = await declare_work(huey).schedule((1,), delay=60)
    await result.revoke()
    assert (heard, await huey.scheduled_count()) == (["scheduled"], 1)
    await huey.read_schedule(later(61))
    assert await run_next(huey, later(61)) is None
    assert heard == ["scheduled", "revoked"]
    with pytest.raises(TaskRevoked):
        await result


async def test_revocation_of_a_running_task_leaves_nothing_behind(huey: Huey) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    @huey.task
    async def slow() -> int:
        started.set()
        await go_on.wait()
        return 1

    task = slow.s()
    result = huey.result_of(task.id)
    running = asyncio.ensure_future(enqueue_and_run(huey, task))
    await started.wait()
    await result.revoke(False)
    assert await result.is_revoked()
    go_on.set()
    assert await running == 1
    assert not await result.is_revoked()


@pytest.mark.parametrize(
    ("method", "arguments", "says"),
    [
        ("revoke", (5,), "only a Task or a Result can be revoked and restored, not 5"),
        ("revoke", ("id",), "'id' is an id, not a Task or a Result: use ..._by_id"),
        ("restore", (None,), "only a Task or a Result"),
        ("revoke_by_id", (5,), "a task's id is a text, not 5"),
        ("restore_by_id", (None,), "a task's id is a text, not None"),
        ("revoke_all", ("work",), "only all calls of a declared task can be revoked and restored, not 'work'"),
        ("restore_all", (5,), "only all calls of a declared task"),
        ("is_revoked", (5,), "only a Task, a Result, a declared task or an id"),
        ("revoke_by_id", ("id", 60), "revoke_until must be a datetime, not 60"),
        ("is_revoked", ("id", 60), "timestamp must be a datetime, not 60"),
    ],
)
async def test_what_cannot_be_revoked_is_refused(method: str, arguments: tuple[Any, ...], says: str) -> None:
    with pytest.raises(HueyException, match=says):
        await getattr(MemoryHuey(), method)(*arguments)


async def test_declared_task_is_not_taken_for_one_of_its_calls() -> None:
    huey = MemoryHuey()
    work = declare_work(huey)
    with pytest.raises(HueyException, match="is a declared task, not one call of it"):
        await huey.revoke(work)
