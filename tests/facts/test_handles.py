"""What a handle on a result can do beside being awaited, on every storage."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hueyio import Error, Huey, HueyException, MemoryHuey, Result, ResultGroup, TaskException, TaskRevoked
from tests.facts.steps import consuming, later, run_all


def declare_add(huey: Huey, **options: Any) -> Any:
    async def add(a: int, b: int) -> int:
        return a + b

    return huey.task(**options)(add)


def declare_fail(huey: Huey) -> Any:
    @huey.task
    async def fail() -> None:
        raise ValueError("no")

    return fail


async def test_is_ready_reads_the_value_into_the_handle_and_leaves_it_until_it_is_got(huey: Huey) -> None:
    add = declare_add(huey)
    assert await (await add.schedule((1, 2), delay=60)).is_ready() is False
    result = await add(1, 2)
    async with consuming(huey):
        assert await huey.result(result.id, blocking=True, preserve=True) == 3
    assert await huey.result_count() == 1
    assert await result.is_ready() is True
    assert await huey.result_count() == 1
    assert await result.get() == 3
    assert await huey.result_count() == 0


@pytest.mark.parametrize("value", [None, "failure"])
async def test_is_ready_when_the_task_returned_none_or_failed(huey: Huey, value: str | None) -> None:
    """A task that is over is ready, whatever it left."""

    @huey.task
    async def work() -> None:
        if value is not None:
            raise ValueError(value)

    result = await work()
    async with consuming(huey):
        await result.get_raw_result(blocking=True)
    result.reset()
    assert await result.is_ready() is True


async def test_raw_result_is_the_error_or_the_value(huey: Huey) -> None:
    add = declare_add(huey)
    assert await (await add.schedule((1, 2), delay=60)).get_raw_result() is None
    value, failure = await add(1, 2), await declare_fail(huey)()
    async with consuming(huey):
        assert await value.get_raw_result(blocking=True) == 3
        error = await failure.get_raw_result(blocking=True, timeout=30)
    assert isinstance(error, Error)
    assert error.metadata["error"] == "ValueError('no')"
    assert await failure.get_raw_result() is error
    with pytest.raises(TaskException):
        await failure.get()


async def test_as_completed_yields_values_as_they_come(huey: Huey) -> None:
    doors = [asyncio.Event() for _ in range(3)]

    @huey.task
    async def pass_door(number: int) -> int:
        await doors[number].wait()
        return number

    async with huey.create_consumer():
        group = await pass_door.map(range(3))
        seen = []
        doors[2].set()
        async for value in group.as_completed():
            seen.append(value)
            doors[{2: 0, 0: 1}.get(value, 2)].set()
    assert seen == [2, 0, 1]


async def test_as_completed_raises_for_a_member_that_failed_and_ends(huey: Huey) -> None:
    @huey.task
    async def check(number: int) -> int:
        if number == 1:
            raise ValueError("one")
        await asyncio.Event().wait()
        return number

    async with huey.create_consumer(shutdown_timeout=0):
        group = await check.map(range(3))
        values = group.as_completed()
        with pytest.raises(TaskException, match="one"):
            await anext(values)
        with pytest.raises(StopAsyncIteration):
            await anext(values)


async def test_rescheduled_task_runs_under_a_new_id_and_the_old_one_is_revoked(huey: Huey) -> None:
    add = declare_add(huey, retries=2, retry_delay=3, retry_backoff=2, timeout=60)
    old = await add.schedule((1, 2), delay=600)
    new = await old.reschedule(delay=300, expires=900)
    assert isinstance(new, Result)
    assert new.id != old.id
    assert await old.is_revoked()
    first, second = await huey.scheduled()
    assert [first.id, second.id] == [new.id, old.id]
    assert first.data == second.data == ((1, 2), {})
    kept = ("retries", "retry_delay", "retry_backoff", "timeout", "name")
    assert [getattr(first, name) for name in kept] == [getattr(second, name) for name in kept]
    assert first.expires == 900
    assert first.eta is not None
    assert second.eta is not None
    assert first.eta < second.eta
    again = await new.reschedule()
    async with consuming(huey):
        assert await again == 3


async def test_rescheduled_pipeline_begins_anew_as_a_whole(huey: Huey) -> None:
    """Old and new pipeline share no id, so that the revocation of the old one reaches none of the new."""
    add = declare_add(huey)
    old = await huey.enqueue(add.s(1, 2, delay=60).then(add, 3))
    new = await old[0].reschedule()
    assert isinstance(new, ResultGroup)
    assert {result.id for result in old}.isdisjoint(result.id for result in new)
    assert await run_all(huey) == [3, 6]
    await huey.read_schedule(later(61))
    assert await run_all(huey, later(61)) == [None]
    assert await new == [3, 6]
    for result in old:
        with pytest.raises(TaskRevoked):
            await result


async def test_rescheduled_head_without_its_pipeline_is_one_task(huey: Huey) -> None:
    add = declare_add(huey)
    group = await huey.enqueue(add.s(1, 2).then(add, 3))
    alone = await group[0].reschedule(preserve_pipeline=False)
    assert isinstance(alone, Result)
    async with consuming(huey):
        assert await alone == 3


async def test_handle_made_from_an_id_reschedules_what_is_in_the_queue(huey: Huey) -> None:
    result = await declare_add(huey).schedule((1, 2), delay=60)
    new = await huey.result_of(result.id).reschedule()
    async with consuming(huey):
        assert await new == 3
    with pytest.raises(HueyException, match=f"task {new.id} is not in the queue any more"):
        await huey.result_of(new.id).reschedule()


async def test_reschedule_refuses_times_that_are_none(huey: Huey) -> None:
    result = await declare_add(huey)(1, 2)
    with pytest.raises(ValueError, match="not both"):
        await result.reschedule(eta=datetime.now(UTC), delay=1)
    with pytest.raises(ValueError, match="must be a datetime"):
        await result.reschedule(eta=60)
    with pytest.raises(ValueError, match="expires must be seconds"):
        await result.reschedule(expires="soon")
    assert not await result.is_revoked()


async def test_revoking_what_is_over_leaves_nothing_behind(huey: Huey) -> None:
    result = await declare_add(huey)(1, 2)
    async with consuming(huey):
        await result
    await result.revoke()
    assert not await result.is_revoked()


@pytest.mark.parametrize("timeout", ["x", True, timedelta(seconds=1)])
async def test_timeout_that_is_no_number_is_refused(huey: Huey, timeout: Any) -> None:
    result = await declare_add(huey)(1, 2)
    with pytest.raises(HueyException, match="timeout must be a number of seconds"):
        await result.get(blocking=True, timeout=timeout)


async def test_result_of_something_that_is_no_id_is_refused() -> None:
    with pytest.raises(HueyException, match="a task's id is a text, not 5"):
        await MemoryHuey().result(5)  # type: ignore[arg-type]


async def test_handle_shows_its_id() -> None:
    assert repr(MemoryHuey().result_of("one")) == "<Result: task one>"
