"""How a call becomes a task: arguments, ids, times, priorities; on every storage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hueyio import (
    ConfigurationError,
    Huey,
    HueyException,
    MemoryHuey,
    RedisHuey,
    ResultTimeout,
    Task,
    TaskArgumentError,
    TaskException,
    TaskExpired,
)
from tests.facts.steps import later, listen, moment_of_run, put_in_queue, run_all, run_next


def declare_keep(huey: Huey, **options: Any) -> Any:
    """Declare a task that returns its arguments."""

    async def keep(*args: Any, **kwargs: Any) -> Any:
        return [list(args), kwargs]

    return huey.task(**options)(keep)


async def test_map_unpacks_tuples_only(huey: Huey) -> None:
    group = await declare_keep(huey).map([1, (2, 3), [4, 5]])
    assert await run_all(huey) == [[[1], {}], [[2, 3], {}], [[[4, 5]], {}]]
    assert await group == [[[1], {}], [[2, 3], {}], [[[4, 5]], {}]]


async def test_reserved_keywords_never_reach_the_function(huey: Huey) -> None:
    keep = declare_keep(huey)
    task = keep.s(
        1, id="mine", delay=-1, retries=1, retry_delay=2, retry_backoff=3, expires=600, timeout=60, task="t", other=5
    )
    assert (task.id, task.retries, task.retry_delay, task.retry_backoff, task.timeout) == ("mine", 1, 2.0, 3, 60.0)
    await huey.enqueue(task)
    assert await run_next(huey) == [[1], {"task": "t", "other": 5}]


async def test_id_of_a_call_can_be_given_everywhere(huey: Huey) -> None:
    keep = declare_keep(huey)
    assert keep.s(id="a").id == "a"
    assert (await keep.schedule((), delay=60, id="b")).id == "b"
    assert (await keep(id="c")).id == "c"
    group = await huey.enqueue(keep.s(id="d").then(keep, id="e"))
    assert [result.id for result in group] == ["d", "e"]


async def test_call_local_knows_no_queue_and_no_context() -> None:
    huey = MemoryHuey()

    @huey.task(context=True)
    def work(number: int, task: Task | None = None) -> tuple[int, Task | None]:
        return number, task

    assert work.call_local(1) == (1, None)
    assert await huey.count() == 0


@pytest.mark.parametrize("time", [{"delay": 0}, {"delay": -5}, {"eta": datetime(2020, 1, 1)}])
async def test_time_that_has_passed_means_at_once(huey: Huey, time: dict[str, Any]) -> None:
    await declare_keep(huey).schedule((1,), **time)
    assert await huey.scheduled_count() == 0
    assert await run_next(huey) == [[1], {}]


@pytest.mark.parametrize("when", [60, 90.5, timedelta(minutes=1), later(86400)])
async def test_schedule_takes_a_time_alone(huey: Huey, when: Any) -> None:
    """A task that is due later goes straight to the schedule, and SCHEDULED is sent."""
    heard = listen(huey)
    await declare_keep(huey).schedule(when)
    (task,) = await huey.scheduled()
    assert (task.data, heard, await huey.count()) == (((), {}), ["scheduled"], 0)
    assert task.eta is not None
    assert task.eta > datetime.now(UTC)


async def test_naive_eta_is_local_and_aware_one_is_kept() -> None:
    keep = declare_keep(MemoryHuey())
    naive = datetime(2030, 1, 1, 12)
    assert keep.s(eta=naive).eta == naive.astimezone()
    aware = datetime(2030, 1, 1, 12, tzinfo=UTC)
    assert keep.s(eta=aware).eta is aware


async def test_naive_eta_is_local_also_without_utc(huey: Huey) -> None:
    local = MemoryHuey("local", utc=False)
    naive = datetime.now() + timedelta(hours=1)
    await declare_keep(local).schedule((), eta=naive)
    await declare_keep(huey).schedule((), eta=naive)
    (one,), (other,) = await local.scheduled(), await huey.scheduled()
    assert one.eta is not None
    assert other.eta is not None
    assert abs(one.eta - naive.astimezone()) < timedelta(milliseconds=1)
    assert abs(one.eta - other.eta) < timedelta(milliseconds=1)


async def test_stages_of_a_pipeline_obey_their_own_times(huey: Huey) -> None:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    group = await huey.enqueue(add.s(1, 2, delay=10).then(add, 3, delay=20))
    assert [len(await huey.read_schedule(later(seconds))) for seconds in (5, 11)] == [0, 1]
    assert await run_all(huey, later(11)) == [3]
    assert [len(await huey.read_schedule(later(seconds))) for seconds in (15, 21)] == [0, 1]
    assert await run_all(huey, later(21)) == [6]
    assert await group == [3, 6]


@pytest.mark.parametrize(("after", "runs"), [(5, True), (12, False)])
async def test_task_expires_when_it_starts_too_late(huey: Huey, after: float, runs: bool) -> None:
    result = await put_in_queue(huey, declare_keep(huey, expires=10).s(1))
    heard = listen(huey)
    assert await run_next(huey, later(after)) == ([[1], {}] if runs else None)
    if not runs:
        assert heard == ["expired"]
        with pytest.raises(TaskExpired):
            await result


async def test_task_runs_at_the_very_moment_at_which_it_expires(huey: Huey) -> None:
    moment = later(60)
    keep = declare_keep(huey, expires=10)
    for task in (keep.s(1), keep.s(2), keep.s(3, expires=moment), keep.s(4, expires=timedelta(hours=1))):
        await put_in_queue(huey, task)
    assert await run_all(huey, moment) == [None, None, [[3], {}], [[4], {}]]


async def test_relative_expiry_counts_anew_from_each_enqueue_and_a_moment_stays(huey: Huey) -> None:
    @huey.task(retries=1, retry_delay=60)
    async def fail() -> None:
        raise ValueError

    moment = later(30)
    await fail.options(expires=10)()
    await fail.options(expires=moment)()
    at = moment_of_run(huey, 5)
    await run_all(huey, at)
    first, second = await huey.scheduled()
    relative, absolute = (second, first) if isinstance(first.expires, datetime) else (first, second)
    assert relative.expires_resolved is not None
    assert abs(relative.expires_resolved - at - timedelta(seconds=10)) < timedelta(seconds=1)
    assert absolute.expires_resolved is not None
    assert abs(absolute.expires_resolved - moment) < timedelta(milliseconds=1)


@pytest.mark.parametrize("expires", [0, timedelta(0), -1])
async def test_expires_of_zero_expires_at_once(huey: Huey, expires: Any) -> None:
    keep = declare_keep(huey)
    result = await keep.options(expires=expires)(1)
    assert await run_next(huey) is None
    with pytest.raises(TaskExpired):
        await result


async def test_priority_orders_the_queue_where_the_storage_has_it(huey: Huey) -> None:
    keep = declare_keep(huey)
    if isinstance(huey, RedisHuey) and not huey.storage.capabilities.priorities:
        with pytest.raises(NotImplementedError, match="PriorityRedisHuey"):
            keep.options(priority=1)(1)
        assert await keep.options(priority=0)(1) is not None
        return
    await huey.enqueue_many([keep.s(number, priority=it) for number, it in enumerate([None, 1, 5, 0, 5])])
    assert [values[0] for values, _ in await run_all(huey)] == [2, 4, 1, 0, 3]


async def test_priority_is_kept_through_schedule_retry_and_reschedule(huey: Huey) -> None:
    if not huey.storage.capabilities.priorities:
        return

    @huey.task(retries=1)
    async def fail() -> None:
        raise ValueError

    keep = declare_keep(huey)
    await keep(0)
    await fail.options(priority=2)()
    await run_next(huey)
    scheduled = await keep.options(priority=5, delay=60)(1)
    again = await (await keep.options(priority=3)(2)).reschedule()
    lifted = await scheduled.reschedule(priority=1)
    assert [task.priority for task in await huey.pending()] == [3, 3, 2, 1, None]
    await huey.read_schedule(later(61))
    assert [task.priority for task in await huey.pending()] == [5, 3, 3, 2, 1, None]
    assert (await huey.pending())[1].id != again.id != lifted.id


async def test_none_is_stored_where_asked(huey: Huey, make_huey: Any) -> None:
    other = make_huey(store_none=True)

    def nothing() -> None: ...

    for app, stored in ((huey, 0), (other, 1)):
        result = await app.task(nothing)()
        await run_next(app)
        assert await app.result_count() == stored
        assert await result.is_ready()
        assert await result.get() is None
    await other.close()


async def test_result_is_read_by_id_alone(huey: Huey) -> None:
    @huey.task
    async def fail() -> None:
        raise ValueError("no")

    scheduled = await fail.schedule(60)
    with pytest.raises(ResultTimeout):
        await huey.result(scheduled.id, blocking=True, timeout=0)
    result = await fail()
    await run_next(huey)
    with pytest.raises(TaskException, match="no"):
        await huey.result(result.id, preserve=True)
    assert await huey.result("unknown") is None


async def test_error_of_an_awaited_task_keeps_the_innermost_text(huey: Huey) -> None:
    @huey.task
    async def inner() -> None:
        raise ValueError("the cause")

    async def body() -> None:
        await huey.result(inner_id, blocking=True)

    outer = huey.task(name="outer")(body)
    inner_id = (await inner()).id
    await run_next(huey)
    result = await outer()
    await run_next(huey)
    with pytest.raises(TaskException) as caught:
        await result
    assert caught.value.metadata["error"] == "ValueError('the cause')"
    assert caught.value.metadata["task_id"] == result.id


async def test_call_that_misses_an_argument_is_refused_before_anything_is_written(huey: Huey) -> None:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    call: Any = add
    with pytest.raises(TaskArgumentError, match="missing a required argument: 'b'"):
        call(1)
    with pytest.raises(TaskArgumentError, match="'b'"):
        await huey.enqueue_many([add.s(1, 2), add.s(1)])
    assert await huey.count() == 0


@pytest.mark.parametrize("fields", [{"priority": "high"}, {"id": 5}, {"id": ""}, {"timeout": -1}, {"retries": "x"}])
async def test_task_that_was_built_by_hand_is_checked_at_the_enqueue(huey: Huey, fields: dict[str, Any]) -> None:
    @huey.task
    async def work() -> None: ...

    with pytest.raises(ConfigurationError, match=next(iter(fields))):
        await huey.enqueue(Task(work.path, **fields))
    with pytest.raises(HueyException, match="only a Task"):
        await huey.enqueue("work")  # type: ignore[call-overload]
