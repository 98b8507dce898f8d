"""``unique=``: what becomes of a call while another one with its key is not over."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hueyio import (
    SKIPPED,
    ConfigurationError,
    Huey,
    Serializer,
    SqliteHuey,
    TaskArgumentError,
    TaskCancelled,
    TaskNotUnique,
    chord,
)
from hueyio.core import core_of
from hueyio.tasks.equal_arguments import key_of_arguments
from hueyio.tasks.task import Task


async def test_skip_returns_the_result_of_the_one_that_is_there(huey: Huey) -> None:
    runs: list[int] = []

    @huey.task(unique="skip")
    async def work(n: int, times: int = 1) -> int:
        runs.append(n)
        return n * times

    first = await work(1)
    again = [await work(1), await work(1, 1), await work(1, times=1)]
    other = await work(2)
    assert [it.id for it in again] == [first.id] * 3
    assert await huey.count() == 2
    async with huey.create_consumer():
        assert list(await asyncio.gather(first, other)) == [1, 2]
        assert await (await work(1)) == 1  # it is over, so this is a new one
    assert sorted(runs) == [1, 1, 2]


async def test_skipped_call_sends_no_signal(huey: Huey) -> None:
    heard: list[str] = []

    @huey.task(unique="skip")
    def work() -> None:
        pass

    @huey.signal()
    async def note(signal: str, task: Task) -> None:
        heard.append(signal)

    await work()
    await work()
    assert heard == ["enqueued"]


async def test_raise_names_the_holder(huey: Huey) -> None:
    @huey.task(unique="raise", name="work")
    def work() -> None:
        pass

    first = await work()
    with pytest.raises(TaskNotUnique, match=first.id) as raised:
        await work()
    assert raised.value.holder == first.id
    with pytest.raises(TaskNotUnique):
        await huey.enqueue_many([work.s()])


async def test_replace_cancels_the_pending_one_and_takes_its_place(huey: Huey) -> None:
    heard: list[tuple[str, str]] = []

    @huey.task(unique="replace", unique_key=lambda key, value: key)
    async def work(key: str, value: int) -> int:
        return value

    @huey.signal()
    async def note(signal: str, task: Task) -> None:
        heard.append((signal, task.id))

    first = await work("a", 1)
    later = await work.schedule(("b", 1), delay=3600)
    second = await work("a", 2)
    sooner = await work("b", 2)
    assert len({first.id, second.id, later.id, sooner.id}) == 4
    for replaced in (first, later):
        with pytest.raises(TaskCancelled):
            await replaced
    assert heard[2:4] == [("canceled", first.id), ("enqueued", second.id)]
    async with huey.create_consumer():
        assert list(await asyncio.gather(second, sooner)) == [2, 2]


async def test_running_holder_is_not_replaced(huey: Huey) -> None:
    started, leave = asyncio.Event(), asyncio.Event()

    @huey.task(unique="replace", unique_key="one")
    async def work(value: int) -> int:
        started.set()
        await leave.wait()
        return value

    async with huey.create_consumer():
        first = await work(1)
        await started.wait()
        second = await work(2)
        assert second.id == first.id
        leave.set()
        assert await second == 1


async def test_last_of_many_concurrent_replacements_stays(huey: Huey) -> None:
    @huey.task(unique="replace", unique_key="one")
    async def work(value: int) -> int:
        return value

    results = await asyncio.gather(*[work(n) for n in range(20)])
    counts = await huey.counts()
    assert (sum(counts.queued.values()), counts.running) == (1, 0)
    async with huey.create_consumer():
        ends = await asyncio.gather(*results, return_exceptions=True)
    assert sum(not isinstance(end, TaskCancelled) for end in ends) == 1


async def test_retry_keeps_the_key(huey: Huey) -> None:
    attempts: list[int] = []
    failed = asyncio.Event()

    @huey.task(unique="skip", retries=1, retry_delay=0.3, context=True)
    async def work(task: Task) -> int:
        attempts.append(task.attempt)
        if task.attempt == 0:
            failed.set()
            raise ValueError
        return task.attempt

    async with huey.create_consumer():
        first = await work()
        await failed.wait()
        second = await work()
        assert second.id == first.id
        assert await first == 1
        assert (await work()).id != first.id
    assert attempts[:2] == [0, 1]


async def test_many_producers_make_one_task(huey: Huey) -> None:
    @huey.task(unique="skip")
    async def work(n: int) -> int:
        return n

    results = await asyncio.gather(*[work(n % 3) for n in range(60)])
    assert len({it.id for it in results}) == 3
    group = await work.map([0, 1, 2, 3, 3])
    assert [it.id for it in group][:3] == [it.id for it in results[:3]]
    assert await huey.count() == 4


async def test_call_decides_for_itself(huey: Huey) -> None:
    @huey.task
    def work(n: int) -> int:
        return n

    first = await work.options(unique_key="one")(1)
    assert (await work.options(unique="skip", unique_key="one")(2)).id == first.id
    with pytest.raises(TaskNotUnique):
        await work.options(unique="raise", unique_key="one")(3)
    assert (await work(1)).id != first.id
    with pytest.raises(ConfigurationError, match="unique must be"):
        await work.options(unique="always")(1)  # type: ignore[arg-type]


async def test_unique_call_in_a_transaction(tmp_path: Path) -> None:
    file = str(tmp_path / "unique.db")
    huey = SqliteHuey("unique", filename=file)

    @huey.task(unique="skip", unique_key="one")
    def work(n: int) -> int:
        return n

    first = await work(1)
    with closing(sqlite3.connect(file)) as connection, connection:
        assert (await huey.enqueue_in(connection, work.s(2))).id == first.id
        with pytest.raises(TaskNotUnique):
            await huey.enqueue_in(connection, work.options(unique="replace").s(3))
    assert await huey.count() == 1
    await huey.close()


async def test_rescheduled_unique_task_takes_the_place_of_the_old_one(huey: Huey) -> None:
    @huey.task(unique="raise")
    async def work(n: int) -> int:
        return n

    old = await work.schedule((1,), delay=3600)
    with pytest.raises(TaskNotUnique):
        await work(1)
    new = await old.reschedule(delay=1800)
    assert new.id != old.id
    again = await huey.result_of(new.id).reschedule()  # a handle that knows only the id
    with pytest.raises(TaskNotUnique) as raised:
        await work(1)
    assert raised.value.holder == again.id
    async with huey.create_consumer():
        assert await again == 1
    for replaced in (old, new):
        with pytest.raises(TaskCancelled):
            await replaced
    assert await huey.scheduled_count() == 0


async def test_running_unique_task_cannot_be_rescheduled(huey: Huey) -> None:
    started, leave = asyncio.Event(), asyncio.Event()

    @huey.task(unique="skip", retries=1)
    async def work() -> int:
        started.set()
        await leave.wait()
        return 1

    async with huey.create_consumer():
        result = await work()
        await started.wait()
        with pytest.raises(TaskNotUnique):
            await result.reschedule(delay=60)
        assert not await result.is_revoked()
        leave.set()
        assert await result == 1


async def test_replacing_is_carried_through_when_its_caller_is_cancelled(huey: Huey) -> None:
    @huey.task(unique="replace", unique_key="one")
    async def work(n: int) -> int:
        return n

    await work(0)
    calls: list[asyncio.Task[Any]] = []

    @huey.signal("canceled")
    async def give_up(signal: str, task: Task) -> None:  # between the withdrawal of the old and the write of the new
        for call in calls:
            call.cancel()

    calls.append(asyncio.ensure_future(work(1)))
    with pytest.raises(asyncio.CancelledError):
        await calls[0]
    ran: asyncio.Queue[int] = asyncio.Queue()

    @huey.post_execute()
    async def note(task: Task, value: int, error: BaseException | None) -> None:
        await ran.put(value)

    async with asyncio.timeout(30), huey.create_consumer():
        assert await ran.get() == 1


async def test_holder_that_cannot_be_read_is_replaced_with_what_was_to_follow_it(huey: Huey) -> None:
    @huey.task(unique="replace", unique_key="one")
    async def work(n: int = 0) -> int:
        return n

    first = await huey.enqueue(work.s(1).then(work))
    core = core_of(huey)
    able, core.serializer = core.serializer, Unable()
    second = await work(2)
    core.serializer = able
    for stage in first:
        with pytest.raises(TaskCancelled):
            await stage.get(blocking=True, timeout=30)
    async with huey.create_consumer():
        assert await second == 2


async def test_unique_member_of_a_chord_that_is_there_already_counts_as_skipped(huey: Huey) -> None:
    @huey.task(unique="skip")
    async def work(n: int) -> int:
        return n

    @huey.task(unique="skip")
    async def gather(values: list[Any]) -> list[Any]:
        return values

    await work(1)
    result = await huey.enqueue(chord([work.s(1), work.s(2), work.s(2)], gather.s()))
    async with huey.create_consumer():
        assert await result == [SKIPPED, 2, SKIPPED]


@pytest.mark.parametrize("mode", ["raise", "replace"])
async def test_chord_refuses_what_it_could_not_keep(huey: Huey, mode: Any) -> None:
    @huey.task
    async def work(*values: Any) -> None: ...

    with pytest.raises(ValueError, match=r"unique='skip'"):
        await huey.enqueue(chord([work.options(unique=mode).s()], work.s()))
    assert await huey.count() == 0


async def test_withdrawal_that_a_crash_cuts_short_is_completed_by_a_consumer(huey: Huey) -> None:
    @huey.task(unique="raise", unique_key="one")
    async def work(n: int) -> int:
        return n

    first = await work(1)
    session = await core_of(huey).session()
    await session.register("crashed", b"{}")
    (taken,) = await session.cancel([first.id], "crashed")
    assert taken.receipt.id == first.id
    (beat,) = [it.beat for it in await session.owners() if it.owner == "crashed"]
    assert await session.reclaim("crashed", beat) == 1
    async with huey.create_consumer():
        with pytest.raises(TaskCancelled):
            await first
        assert await (await work(2)) == 2


async def test_each_task_has_keys_of_its_own(huey: Huey) -> None:
    @huey.task(unique="raise", unique_key="one")
    def work() -> None:
        pass

    @huey.task(unique="raise", unique_key="one")
    def other() -> None:
        pass

    await work()
    await other()


@pytest.mark.parametrize("wrong", [{"unique": "yes"}, {"unique": True}, {"unique_key": ""}, {"unique_key": 5}])
def test_declaration_that_cannot_be_says_why(wrong: dict[str, Any], make_huey: Any) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        make_huey().task(**wrong)(len)


async def test_argument_without_a_stable_form_says_what_to_do(huey: Huey) -> None:
    @huey.task(unique="skip")
    def work(thing: object) -> None:
        pass

    with pytest.raises(TaskArgumentError, match="unique_key="):
        await work(object())


class Unable(Serializer):
    """Writes, and cannot read."""

    def _deserialize(self, data: bytes) -> Any:
        raise RuntimeError("a serializer may raise anything")


@dataclass(frozen=True)
class Point:
    x: int
    y: int


def test_equal_arguments_have_equal_keys() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    one = {"a": {"x": 1, "y": [1, 2]}, "b": {3, 1, 2}, "c": moment, "d": Point(1, 2), "e": "ab" * 2}
    same = {"e": "abab", "d": Point(1, 2), "c": moment, "b": {2, 1, 3}, "a": {"y": (1, 2), "x": 1}}
    assert key_of_arguments("task", one) == key_of_arguments("task", same)
    for name, value in (("a", {"x": 1, "y": [2, 1]}), ("b", {1}), ("c", None), ("d", Point(2, 1)), ("e", b"abab")):
        assert key_of_arguments("task", one) != key_of_arguments("task", {**one, name: value})
