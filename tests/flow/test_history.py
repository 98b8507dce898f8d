"""The history: how tasks ended, and what became of their attempts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hueyio import (
    EndedTask,
    Huey,
    HueyException,
    MemoryHuey,
    Result,
    Snooze,
    SqliteHuey,
    TaskCancelled,
    TaskException,
    TaskExpired,
    TaskRevoked,
)
from hueyio.core import core_of
from hueyio.storage.records import Cursor, Entry, Finish, Header, HistoryBatch


async def run(huey: Huey, *handles: Result[Any]) -> list[Any]:
    """Let a consumer run until these are over; return what they are."""
    async with huey.create_consumer(workers=4):
        return await asyncio.wait_for(asyncio.gather(*handles, return_exceptions=True), 30)


async def all_of(huey: Huey, limit: int, **wanted: Any) -> list[EndedTask]:
    """Read page after page."""
    found: list[EndedTask] = []
    after: Cursor | None = None
    while True:
        page = await huey.history(limit=limit, after=after, **wanted)
        assert page.complete
        assert len(page.items) <= limit
        found += page.items
        after = page.next
        if after is None:
            return found


def declare(huey: Huey, name: str, lane: str = "loop", **options: Any) -> Any:
    def body(error: str | None = None) -> str:
        if error is not None:
            raise ValueError(error)
        return "fine"

    async def abody(error: str | None = None) -> str:
        return body(error)

    return huey.task(name=name, **options)(abody if lane == "loop" else body)


@pytest.mark.parametrize("lane", ["loop", "thread"])
async def test_end_is_remembered_with_its_attempts(huey: Huey, lane: str) -> None:
    sell = declare(huey, "sell", lane, retries=1)
    before = datetime.now(UTC) - timedelta(seconds=2)
    good, bad = await sell(), await sell("no\nsecond line “x”")
    await run(huey, good, bad)
    ended = {it.id: it for it in (await huey.history()).items}
    first, second = ended[good.id], ended[bad.id]
    assert (first.name, first.kind, first.attempts, first.error) == (sell.path, "done", 1, "")
    assert (second.name, second.kind, second.attempts) == (sell.path, "failed", 2)
    assert second.error == r"ValueError('no\nsecond line “x”')"
    for it in (first, second):
        assert it.enqueued_at is not None
        assert it.started_at is not None
        assert before < it.enqueued_at
        assert before < it.started_at <= it.ended_at
        assert it.worker
        assert it.arguments is None
    assert await huey.attempts(good.id) == []
    attempts = await huey.attempts(bad.id)
    assert [(it.number, it.worker, it.error) for it in attempts] == [
        (number, second.worker, second.error) for number in (1, 2)
    ]
    assert "in body" in attempts[0].traceback
    assert attempts[0].started_at <= attempts[0].ended_at


async def test_attempt_that_succeeds_after_failures_is_remembered_without_error(huey: Huey) -> None:
    async def sell(task: Any = None) -> int:
        if task.attempt < 2:
            raise ValueError(str(task.attempt))
        return 1

    task: Any = huey.task(name="sell", retries=2, context=True)(sell)
    result = await task()
    await run(huey, result)
    assert [(it.number, it.error) for it in await huey.attempts(result.id)] == [
        (1, "ValueError('0')"),
        (2, "ValueError('1')"),
        (3, ""),
    ]
    (ended,) = (await huey.history()).items
    assert (ended.kind, ended.attempts) == ("done", 3)


async def test_every_way_to_end_is_told_apart(huey: Huey) -> None:
    sell = declare(huey, "sell")
    results = {
        "expired": await sell.options(expires=0)(),
        "revoked": await sell(),
        "cancelled": await sell(),
        "done": await sell(),
    }
    await results["revoked"].revoke()
    assert await results["cancelled"].cancel()
    outcomes = await run(huey, *results.values())
    assert [type(it) for it in outcomes] == [TaskExpired, TaskRevoked, TaskCancelled, str]
    ended = {it.kind: it for it in (await huey.history()).items}
    assert {kind: it.id for kind, it in ended.items()} == {kind: it.id for kind, it in results.items()}
    assert {kind: it.attempts for kind, it in ended.items()} == {"expired": 0, "revoked": 0, "cancelled": 0, "done": 1}
    assert ended["expired"].started_at is None
    assert ended["expired"].error == "it was not started in time"
    assert await huey.attempts(results["expired"].id) == []


async def test_retries_and_puts_back_are_no_ends(huey: Huey) -> None:
    times = 0

    async def sell() -> None:
        nonlocal times
        times += 1
        if times < 3:
            raise Snooze(0.01)

    result = await huey.task(name="sell")(sell)()
    await run(huey, result)
    assert [(it.id, it.kind, it.attempts) for it in (await huey.history()).items] == [(result.id, "done", 1)]
    assert await huey.attempts(result.id) == []


async def test_attempt_that_a_stop_cuts_short_is_remembered(huey: Huey) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def sell() -> None:
        begun.set()
        await go_on.wait()

    result = await huey.task(name="sell")(sell)()
    async with huey.create_consumer(shutdown_timeout=0.0):
        await asyncio.wait_for(begun.wait(), 30)
    (attempt,) = await huey.attempts(result.id)
    assert (attempt.number, attempt.error) == (1, "it was interrupted by a stop")
    assert (await huey.history()).items == []
    go_on.set()
    await run(huey, result)
    (ended,) = (await huey.history()).items
    assert (ended.kind, ended.attempts) == ("done", 1)
    assert ended.worker != attempt.worker


async def test_history_is_read_by_pages_and_by_filters(huey: Huey) -> None:
    sell, pack = declare(huey, "sell"), declare(huey, "pack")
    results = [await (sell, pack)[number % 2]("no 1" if number < 4 else None) for number in range(7)]
    await run(huey, *results)
    everything = await all_of(huey, 100)
    assert {it.id for it in everything} == {it.id for it in results}
    for limit in (1, 2, 3):
        assert await all_of(huey, limit) == everything
    assert {it.id for it in await all_of(huey, 1, name=sell.path)} == {it.id for it in results[::2]}
    assert {it.id for it in await all_of(huey, 1, name="*.pack")} == {it.id for it in results[1::2]}
    assert await all_of(huey, 1, name="sell?") == []
    assert {it.id for it in await all_of(huey, 2, kind="failed")} == {it.id for it in results[:4]}
    assert {it.id for it in await all_of(huey, 2, kind=["done", "lost"])} == {it.id for it in results[4:]}
    assert {it.id for it in await all_of(huey, 2, text="no 1", name=pack.path)} == {results[1].id, results[3].id}
    assert await all_of(huey, 2, text="%") == []
    assert await all_of(huey, 2, since=datetime.now(UTC) + timedelta(hours=1)) == []
    assert len(await all_of(huey, 2, until=datetime.now(UTC) + timedelta(hours=1))) == 7
    assert (await huey.history(limit=0)).items == []


async def test_arguments_are_there_in_short_form_when_they_are_asked_for(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey(history_args=True, immediate=True)

    async def sell(*what: object, **how: object) -> None: ...

    task: Any = huey.task(name="sell")(sell)
    for call in (task(1, "“x”", how=[2]), task("y" * 1000, *range(50)), task()):
        await call
    assert [it.arguments for it in reversed((await huey.history()).items)][::2] == ["1, '“x”', how=[2]", ""]
    (long,) = [it.arguments for it in (await huey.history()).items if len(it.arguments or "") > 20]
    assert long is not None
    assert len(long) <= 203
    await huey.close()


async def test_hand_driven_and_immediate_tasks_are_remembered(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    sell = declare(huey, "sell", retries=1)
    result = await sell("no")
    while (task := await huey.dequeue()) is not None:
        await huey.execute(task)
    assert [(it.id, it.attempts) for it in (await huey.history()).items] == [(result.id, 2)]
    assert [it.number for it in await huey.attempts(result.id)] == [1, 2]
    await huey.close()
    immediate = make_huey(immediate=True)
    sell = declare(immediate, "sell", retries=1)
    result = await sell("no")
    assert [(it.id, it.attempts) for it in (await immediate.history()).items] == [(result.id, 2)]
    assert [it.number for it in await immediate.attempts(result.id)] == [1, 2]
    await immediate.close()


async def test_immediate_mode_on_a_live_storage_lists_both_histories(tmp_path: Path) -> None:
    path = str(tmp_path / "app.db")
    live, here = SqliteHuey("app", path), SqliteHuey("app", path, immediate=True, immediate_use_memory=False)
    sell, pack = declare(live, "sell"), declare(here, "pack")
    sold = [await sell() for _ in range(3)]
    await run(live, *sold)
    made = [await pack("no" if number == 0 else None) for number in range(3)]
    expected = {it.id for it in (*sold, *made)}
    for limit in (1, 2, 100):
        found = await all_of(here, limit)
        assert {it.id for it in found} == expected
        assert len(found) == 6
    assert len(await here.attempts(made[0].id)) == 1
    assert {it.id for it in await all_of(live, 2)} == {it.id for it in sold}
    await live.close()
    await here.close()


async def test_nothing_is_remembered_when_it_is_switched_off(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey(keep_history=0)
    result = await declare(huey, "sell", retries=1)("no")
    (error,) = await run(huey, result)
    assert isinstance(error, TaskException)
    assert (await huey.history()).items == []
    assert await huey.attempts(result.id) == []
    assert await result.status() == "failed"
    await huey.close()


async def test_flush_forgets_the_history_and_a_task_stays_done(huey: Huey) -> None:
    result = await declare(huey, "sell")()
    assert await run(huey, result) == ["fine"]
    assert await huey.result_of(result.id).status() == "done"
    await huey.flush()
    assert (await huey.history()).items == []
    assert await huey.result_of(result.id).status() == "done"


async def test_sync_huey_reads_the_history(huey: Huey) -> None:
    result = await declare(huey, "sell")("no")
    await run(huey, result)
    page = await asyncio.to_thread(huey.sync.history, kind="failed")
    assert [it.id for it in page.items] == [result.id]
    assert len(await asyncio.to_thread(huey.sync.attempts, result.id)) == 1
    await asyncio.to_thread(huey.sync.close)


async def test_wrong_filter_is_refused() -> None:
    wrong: list[dict[str, Any]] = [{"kind": "dead"}, {"name": 1}, {"text": b"a"}, {"since": 12.0}, {"limit": -1}]
    wrong += [{"after": ("x", "y")}, {"after": 12}, {"after": (0.0, "1")}]
    async with MemoryHuey() as huey:
        for given in wrong:
            with pytest.raises(HueyException):
                await huey.history(**given)
        with pytest.raises(HueyException):
            await huey.attempts(12)  # type: ignore[arg-type]


async def test_error_that_no_storage_could_hold_is_remembered_and_cut(
    huey: Huey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "hueyio")  # pytest-xdist cannot carry a report whose log has this text

    async def fail() -> None:
        raise ValueError("\ud800 \x00 “” " + 8000 * "x")

    result = await huey.task(name="fail")(fail)()
    await run(huey, result)
    (ended,) = (await huey.history()).items
    (attempt,) = await huey.attempts(result.id)
    assert ended.error == attempt.error
    assert "ValueError" in attempt.error
    assert len(attempt.error) <= 203
    assert attempt.traceback.startswith("Traceback")
    assert len(attempt.traceback) <= 3600


async def test_history_that_cannot_be_read_is_left_out_and_said(huey: Huey, caplog: pytest.LogCaptureFixture) -> None:
    result = await declare(huey, "sell")()
    await run(huey, result)
    session = await core_of(huey).session()
    await session.enqueue([Entry(Header("odd"), b"")])
    await session.register("owner", b"")
    (delivery,) = await session.claim({"loop": 1}, "owner")
    garbage = HistoryBatch(("odd",), (0,), b"garbage", ((0, b"garbage"),))
    assert await session.settle([Finish(delivery.receipt)], "owner", 1, garbage) == ["accepted"]
    await session.deregister("owner")
    assert [it.id for it in (await huey.history()).items] == [result.id]
    assert "an entry of the history of 1 tasks is left out" in caplog.text
    assert await huey.attempts("odd") == []
    assert "an attempt of task odd is left out" in caplog.text


async def test_id_that_names_a_time_of_no_calendar_is_listed(huey: Huey) -> None:
    result = await declare(huey, "sell").options(id="ffffffff-ffff-7fff-8000-000000000000")()
    await run(huey, result)
    (ended,) = (await huey.history()).items
    assert (ended.id, ended.enqueued_at) == (result.id, None)
