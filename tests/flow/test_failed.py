"""Failed tasks: they are kept, and run again with all that they had."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hueyio import (
    CancelExecution,
    Huey,
    HueyException,
    MemoryHuey,
    Result,
    TaskCancelled,
    TaskException,
    TaskExpired,
    chord,
    crontab,
)
from hueyio.core import core_of
from tests.flow.test_periodic import NOON, Fleet


class Shop:
    """A task that fails until it is mended, on one storage."""

    def __init__(self, huey: Huey) -> None:
        self.huey = huey
        self.is_mended = False
        self.attempts: list[int] = []
        self.handled: list[str] = []
        self.sell: Any = huey.task(name="sell", retries=1, retry_delay=0.0, context=True)(self._sell)
        self.pack: Any = huey.task(name="pack")(self._pack)
        self.alarm: Any = huey.task(name="alarm", context=True)(self._alarm)

    async def run(self, *handles: Result[Any]) -> list[Any]:
        """Let a consumer run until these are over; return what they are."""
        async with self.huey.create_consumer(workers=4):
            return await asyncio.wait_for(asyncio.gather(*handles, return_exceptions=True), 30)

    async def _sell(self, what: list[str], task: Any = None) -> str:
        self.attempts.append(task.attempt)
        what.append("touched")
        if not self.is_mended:
            raise ValueError(f"no {what[0]} “left”")
        return what[0]

    async def _pack(self, what: str) -> str:
        return f"packed {what}"

    async def _alarm(self, error: Exception, task: Any = None) -> None:
        self.handled.append(task.id.rpartition(":")[2])


@pytest.fixture
def shop(huey: Huey) -> Shop:
    return Shop(huey)


@pytest.mark.parametrize("lane", ["loop", "thread"])
async def test_failed_task_is_listed_and_runs_again_with_its_retries(huey: Huey, lane: str) -> None:
    broken, attempts = True, []

    def body(task: Any = None) -> str:
        attempts.append(task.attempt)
        if broken:
            raise ValueError("no")
        return "fine"

    async def abody(task: Any = None) -> str:
        return body(task)

    options: dict[str, Any] = {"name": "sell", "retries": 2, "context": True}
    sell: Any = huey.task(**options)(abody if lane == "loop" else body)
    result = await sell()
    async with huey.create_consumer(workers=4):
        with pytest.raises(TaskException):
            await asyncio.wait_for(result, 30)
        (failed,) = (await huey.failed()).items
        assert (failed.id, failed.kind, failed.name) == (result.id, "failed", sell.path)
        assert failed.reason == "ValueError('no')"
        assert failed.task is not None
        assert (failed.task.attempt, failed.task.retries) == (3, 2)
        assert await result.status() == "failed"
        assert await huey.dead() == []
        result.reset()
        broken = False
        assert await huey.requeue([result.id]) == {result.id: "added"}
        assert await asyncio.wait_for(result, 30) == "fine"
    assert attempts == [0, 1, 2, 3]
    assert (await huey.failed()).items == []
    assert await result.status() == "done"


async def test_task_that_fails_again_is_kept_again_and_its_handlers_have_new_ids(shop: Shop) -> None:
    result = await shop.huey.enqueue(shop.sell.s(["tea"]).error(shop.alarm.s()))
    for _ in range(2):
        (error,) = await shop.run(result)
        assert isinstance(error, TaskException)
        result.reset()
        (failed,) = (await shop.huey.failed()).items
        assert failed.reason == "ValueError('no tea “left”')"
        await shop.huey.requeue(failed.id)
    assert shop.attempts == [0, 1, 2, 3]
    assert len(set(shop.handled)) == len(shop.handled)


async def test_body_that_changes_its_arguments_gets_them_as_they_were_sent(shop: Shop) -> None:
    result = await shop.sell.options(retries=0)(["tea"])
    await shop.run(result)
    (failed,) = (await shop.huey.failed()).items
    assert failed.task is not None
    assert failed.task.args == (["tea"],)


async def test_requeued_stage_goes_on_with_its_pipeline(shop: Shop) -> None:
    last = shop.pack.s()
    results = await shop.huey.enqueue(shop.sell.s(["tea"]).then(last))
    errors = await shop.run(*results)
    assert [type(error) for error in errors] == [TaskException, TaskException]
    for result in results:
        result.reset()
    shop.is_mended = True
    assert list((await shop.huey.requeue(kind="failed")).values()) == ["added"]
    assert [await result.status() for result in results] == ["retrying", "waiting"]
    assert await shop.run(*results) == ["tea", "packed tea"]


async def test_expired_and_cancelled_tasks_are_kept(shop: Shop) -> None:
    huey = shop.huey
    shop.is_mended = True
    expired = await shop.sell.options(expires=0)(["tea"])
    cancelled = await shop.sell(["milk"])
    assert await cancelled.cancel()
    (error,) = await shop.run(expired)
    assert isinstance(error, TaskExpired)
    assert {it.id: it.kind for it in (await huey.failed()).items} == {expired.id: "expired", cancelled.id: "cancelled"}
    assert [it.id for it in (await huey.failed(kind="cancelled")).items] == [cancelled.id]
    assert set((await huey.requeue([expired.id, cancelled.id, "none"])).values()) == {"added", "missing"}
    cancelled.reset()
    assert await shop.run(cancelled) == ["milk"]


async def test_task_that_was_cancelled_while_it_ran_runs_again(huey: Huey) -> None:
    began, may_end = asyncio.Event(), asyncio.Event()

    @huey.task
    async def work() -> int:
        began.set()
        await may_end.wait()
        return 7

    result = await work()
    async with huey.create_consumer():
        await asyncio.wait_for(began.wait(), 30)
        assert await result.cancel()
        with pytest.raises(TaskCancelled):
            await asyncio.wait_for(result, 30)
        may_end.set()
        assert await huey.requeue([result.id]) == {result.id: "added"}
        result.reset()
        assert await asyncio.wait_for(result, 30) == 7


async def test_revoked_task_is_not_kept(shop: Shop) -> None:
    result = await shop.sell(["tea"])
    await result.revoke()
    await shop.run(result)
    assert (await shop.huey.failed()).items == []


async def test_replaced_task_is_not_kept(huey: Huey) -> None:
    sell: Any = huey.task(name="sell", unique="replace")(_nothing)
    first = await sell()
    await sell()
    assert await first.status() == "cancelled"
    assert (await huey.failed()).items == []


async def test_relative_times_count_anew_and_moments_that_are_over_are_dropped(shop: Shop) -> None:
    huey = shop.huey
    now = datetime.now(UTC)
    relative = await shop.sell.options(retries=0, expires=100, deadline=200)(["tea"])
    absolute = await shop.sell.options(retries=0, expires=now + timedelta(hours=1), deadline=now + timedelta(1))(
        ["tea"]
    )
    await shop.run(relative, absolute)
    kept = {it.id: it.task for it in (await huey.failed()).items}
    for id in (relative.id, absolute.id):
        assert kept[id] is not None
        await huey.requeue([id])
    again = {task.id: task for task in await huey.pending()}
    at = core_of(huey).now()
    expires = again[relative.id].expires_resolved
    assert expires is not None
    assert at + 90 < expires.timestamp() <= at + 100
    deadline = again[relative.id].deadline_resolved
    assert deadline is not None
    assert at + 190 < deadline.timestamp() <= at + 200
    assert again[absolute.id].expires == now + timedelta(hours=1)
    assert again[absolute.id].deadline_resolved == now + timedelta(1)


async def test_requeue_by_filter_runs_all_that_it_finds_once(shop: Shop) -> None:
    huey = shop.huey
    other: Any = huey.task(name="other")(_fail)
    results = [await shop.sell.options(retries=0)([what]) for what in ("tea", "milk", "tea")]
    results.append(await other())
    await shop.run(*results)
    answers = await huey.requeue(name=shop.sell.path, text="tea")
    assert answers == {results[0].id: "added", results[2].id: "added"}
    assert {it.id for it in (await huey.failed()).items} == {results[1].id, results[3].id}
    assert await huey.requeue(since=datetime.now(UTC) + timedelta(days=1)) == {}
    assert len(await huey.requeue(kind=["failed", "expired"])) == 2


async def test_failed_tasks_are_listed_by_pages(shop: Shop) -> None:
    results = [await shop.sell.options(retries=0)([str(number)]) for number in range(5)]
    await shop.run(*results)
    found: list[str] = []
    page = await shop.huey.failed(limit=2)
    while True:
        found += [it.id for it in page.items]
        if page.next is None:
            break
        page = await shop.huey.failed(limit=2, after=page.next)
    assert sorted(found) == sorted(result.id for result in results)


async def test_nothing_is_kept_when_it_is_switched_off(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey(keep_failed=0)
    other: Any = huey.task(name="other")(_fail)
    result = await other()
    async with huey.create_consumer():
        with pytest.raises(TaskException):
            await asyncio.wait_for(result, 30)
    assert (await huey.failed()).items == []
    assert await huey.requeue([result.id]) == {result.id: "missing"}
    await huey.close()


async def test_sync_huey_lists_and_requeues(shop: Shop) -> None:
    result = await shop.sell.options(retries=0)(["tea"])
    await shop.run(result)
    page = await asyncio.to_thread(shop.huey.sync.failed)
    assert [it.id for it in page.items] == [result.id]
    assert await asyncio.to_thread(shop.huey.sync.requeue, [result.id]) == {result.id: "added"}
    await asyncio.to_thread(shop.huey.sync.close)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"ids": ["a"], "kind": "failed"},
        {"kind": "dead"},
        {"kind": ["failed", "gone"]},
        {"name": 1},
        {"text": b"a"},
        {"since": 12.0},
        {"until": "now"},
    ],
    ids=str,
)
async def test_wrong_filter_is_refused(given: dict[str, Any]) -> None:
    async with MemoryHuey() as huey:
        with pytest.raises(HueyException):
            await huey.requeue(**given)


async def test_name_text_and_time_are_no_patterns(shop: Shop) -> None:
    result = await shop.sell.options(retries=0)(["100 % [a-z] _"])
    await shop.run(result)
    assert (await shop.huey.failed(text="%")).items
    assert (await shop.huey.failed(text="[a-z]")).items
    assert not (await shop.huey.failed(text="[b]")).items
    assert not (await shop.huey.failed(name="%")).items


async def test_error_that_no_storage_could_hold_is_kept_with_a_text_that_says_it(
    huey: Huey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "hueyio")  # pytest-xdist cannot carry a report whose log has this text

    async def fail() -> None:
        raise ValueError("\ud800 \x00 " + 3000 * "x")

    broken: Any = huey.task(name="broken")(fail)
    result = await broken()
    async with huey.create_consumer():
        with pytest.raises(TaskException):
            await asyncio.wait_for(result, 30)
    (failed,) = (await huey.failed(kind="failed")).items
    assert len(failed.reason) <= 2000
    assert "ValueError" in failed.reason


async def test_cancel_execution_without_retry_is_a_failure_with_its_retries(huey: Huey) -> None:
    async def give_up() -> None:
        raise CancelExecution(retry=False)

    task: Any = huey.task(name="give_up", retries=5)(give_up)
    result = await task()
    async with huey.create_consumer():
        with pytest.raises(TaskException):
            await asyncio.wait_for(result, 30)
    (failed,) = (await huey.failed()).items
    assert failed.task is not None
    assert (failed.kind, failed.task.retries) == ("failed", 5)


async def _nothing() -> None:
    pass


async def _fail() -> None:
    raise ValueError("no")


async def test_requeued_callback_gets_what_its_members_returned(huey: Huey) -> None:
    broken = True

    async def double(n: int) -> int:
        return 2 * n

    async def gather(values: list[int]) -> list[int]:
        if broken:
            raise ValueError("no")
        return values

    twice: Any = huey.task(name="double")(double)
    together: Any = huey.task(name="gather")(gather)
    result = await huey.enqueue(chord([twice.s(n) for n in range(3)], together.s()))
    async with huey.create_consumer(workers=4):
        with pytest.raises(TaskException):
            await asyncio.wait_for(result, 30)
        broken = False
        (failed,) = (await huey.failed()).items
        assert failed.name == together.path
        assert await huey.requeue([failed.id]) == {failed.id: "added"}
        assert await asyncio.wait_for(huey.result_of(failed.id), 30) == [0, 2, 4]
    assert (await huey.counts()).latches == 0


async def test_requeued_member_counts_for_its_chord_while_that_waits(huey: Huey) -> None:
    broken = True
    go_on = asyncio.Event()

    async def member(n: int) -> int:
        if n == 0 and broken:
            raise ValueError("no")
        if n == 1:
            await go_on.wait()
        return n

    async def gather(values: list[Any]) -> list[Any]:
        return values

    one: Any = huey.task(name="member")(member)
    together: Any = huey.task(name="gather")(gather)
    first, second = one.s(0), one.s(1)
    result = await huey.enqueue(chord([first, second], together.s()))
    async with huey.create_consumer(workers=4):
        with pytest.raises(TaskException):
            await asyncio.wait_for(huey.result_of(first.id), 30)
        broken = False
        assert await huey.requeue([first.id]) == {first.id: "added"}
        assert await asyncio.wait_for(huey.result_of(first.id), 30) == 0
        go_on.set()
        assert await asyncio.wait_for(result, 30) == [0, 1]


async def test_answer_for_a_member_says_that_its_chord_has_fired(shop: Shop) -> None:
    member = shop.sell.s(["tea"], retries=0)
    callback = shop.pack.s()
    await shop.huey.enqueue(chord([member], callback))
    await shop.run(shop.huey.result_of(callback.id))
    assert await shop.huey.requeue([member.id]) == {member.id: "late"}
    shop.is_mended = True
    assert await shop.run(shop.huey.result_of(member.id)) == ["tea"]


async def test_periodic_run_keeps_its_time_through_retries_and_requeues(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    runs: list[int] = []

    @huey.periodic_task(crontab("*"), name="clean", retries=1, context=True)
    async def clean(task: Any) -> None:
        runs.append(task.attempt)
        raise ValueError("no")

    await (await Fleet.on(huey)).step(NOON)
    for number in (1, 2):
        for _ in range(2):
            task = await huey.dequeue()
            assert task is not None
            await huey.execute(task)
        (failed,) = (await huey.failed()).items
        assert failed.tick == datetime.fromtimestamp(NOON, UTC)
        assert len(runs) == 2 * number
        assert await huey.requeue(name=clean.path) == {failed.id: "added"}
    await huey.close()
