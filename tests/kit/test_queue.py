"""``HueyQueue``: what a test sees of a queue, and of its time."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from freezegun import freeze_time

from hueyio import (
    ConfigurationError,
    FileHuey,
    Huey,
    HueyException,
    MemoryHuey,
    RedisHuey,
    SqliteHuey,
    Task,
    TaskException,
    crontab,
)
from hueyio.blocking import MemoryHuey as BlockingHuey
from hueyio.testing import HueyQueue

NOON = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)


class Shop:
    """An application whose storage no test could reach, and a note of what its bodies did."""

    def __init__(self, huey: Huey) -> None:
        self.huey = huey
        self.errors = 0
        self.threads: list[int] = []

        @huey.task(retries=2, retry_delay=60)
        async def charge(order: int) -> int:
            if self.errors:
                self.errors -= 1
                raise ValueError("no money")
            return order

        @huey.task()
        def pack(order: int, *, gift: bool = False) -> str:
            self.threads.append(threading.get_ident())
            return f"{order} {gift}"

        @huey.task()
        async def remind(order: int, days: int = 1) -> None:
            await remind.schedule((order, days + 1), delay=86400)

        @huey.periodic_task(crontab(minute="0"))
        async def hourly() -> None: ...

        self.charge, self.pack, self.remind, self.hourly = charge, pack, remind, hourly


@pytest.fixture
def shop() -> Shop:
    return Shop(SqliteHuey("shop", filename="/there/is/no/such/folder/shop.db"))


@pytest.fixture
def queue(shop: Shop) -> Iterator[HueyQueue]:
    with time_machine.travel(NOON, tick=False), HueyQueue(shop.huey) as queue:
        yield queue


def told(ran: list[Any]) -> list[str]:
    return [f"{it.at:%d %H:%M:%S} {it.name.rpartition('.')[2]} {it.state}" for it in ran]


async def test_advance_runs_everything_at_its_moment(shop: Shop, queue: HueyQueue) -> None:
    shop.errors = 2
    await shop.charge(7)
    await shop.pack.schedule((8,), delay=5400)
    await shop.remind(9)
    ran = await queue.advance(hours=3)
    assert told(ran) == [
        "02 12:00:30 charge retrying",
        "02 12:00:30 remind done",
        "02 12:01:30 charge retrying",
        "02 12:02:30 charge done",
        "02 13:00:00 hourly done",
        "02 13:30:30 pack done",
        "02 14:00:00 hourly done",
        "02 15:00:00 hourly done",
    ]
    assert [str(it.error) for it in ran[:3]] == ["no money", "None", "no money"]
    assert (ran[3].value, ran[5].value) == (7, "8 False")
    assert queue.now == NOON + timedelta(hours=3)
    assert queue.ran == ran


async def test_a_day_goes_by_with_retries_crontab_and_leases(shop: Shop, queue: HueyQueue) -> None:
    await shop.pack(1)
    lost = await queue.kill_worker()
    assert lost is not None
    assert await queue.drain() == []
    ran = await queue.advance(days=1)
    assert told(ran)[:2] == ["02 12:00:45 pack done", "02 13:00:00 hourly done"]
    assert (len(ran), ran[0].task.id) == (25, lost.id)


async def test_error_is_raised_when_it_is_asked_for(shop: Shop, queue: HueyQueue) -> None:
    shop.errors = 3
    result = await shop.charge(7)
    with pytest.raises(ValueError, match="no money"):
        await queue.advance(minutes=2, raise_errors=True)
    assert [it.state for it in queue.ran] == ["retrying", "retrying", "failed"]
    with pytest.raises(TaskException):
        await result


async def test_what_is_refused_is_told_too(shop: Shop, queue: HueyQueue) -> None:
    revoked = await shop.charge(1)
    await revoked.revoke()
    await shop.charge.options(expires=60)(2)
    with time_machine.travel(NOON + timedelta(minutes=2), tick=False):
        assert {it.state for it in await queue.drain()} == {"cancelled", "expired"}


async def test_enqueued_lists_what_waits_now_and_later(shop: Shop, queue: HueyQueue) -> None:
    await shop.pack.schedule((8,), delay=60)
    await shop.charge(7)
    assert [it.name for it in queue.enqueued()] == ["charge", "pack"]
    assert [it.args for it in queue.enqueued(shop.pack)] == [(8,)]
    assert queue.enqueued(shop.charge.path)[0].args == (7,)
    assert queue.enqueued(shop.hourly) == []


async def test_calls_are_compared_by_the_names_of_their_arguments(shop: Shop, queue: HueyQueue) -> None:
    await shop.pack(7, gift=True)
    await shop.pack(order=8)
    assert queue.assert_enqueued(shop.pack).args == (7,)
    assert queue.assert_enqueued(shop.pack, kwargs={"gift": True}).args == (7,)
    assert queue.assert_enqueued(shop.pack, args=(8,)).kwargs == {"order": 8}
    queue.assert_enqueued(shop.pack, args=(7,), kwargs={"gift": True})
    queue.assert_enqueued(shop.pack, count=2)
    queue.assert_not_enqueued(shop.pack, args=(7,))
    queue.assert_not_enqueued(shop.charge)
    with pytest.raises(AssertionError, match="is enqueued"):
        queue.assert_not_enqueued(shop.pack, kwargs={"order": 8})


async def test_due_time_is_compared_with_within(shop: Shop, queue: HueyQueue) -> None:
    await shop.pack.schedule((8,), delay=3600)
    queue.assert_enqueued(shop.pack, within=timedelta(hours=1))
    queue.assert_not_enqueued(shop.pack, within=3599)


async def test_failed_assertion_lists_what_is_enqueued(shop: Shop, queue: HueyQueue) -> None:
    await shop.pack.schedule((8,), {"gift": True}, delay=3600)
    with pytest.raises(AssertionError) as raised:
        queue.assert_enqueued(shop.pack, args=(9,), within=60)
    said = str(raised.value).replace(shop.pack.path, "pack")
    assert said == ("no call of pack(9) by 2026-03-02 12:01:30 waits; enqueued are\n  pack(8, gift=True) in 1:00:00")


async def test_count_must_be_exact(shop: Shop, queue: HueyQueue) -> None:
    await shop.charge(7)
    with pytest.raises(AssertionError, match=r"1 calls of .* 2 were expected"):
        queue.assert_enqueued(shop.charge, count=2)


@pytest.mark.parametrize("is_async", [True, False])
async def test_call_in_a_transaction_waits_at_once(shop: Shop, queue: HueyQueue, is_async: bool) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        if is_async:
            result = await shop.charge.enqueue_in(connection, 7)
        else:
            result = (await asyncio.to_thread(shop.charge.sync.enqueue_in, connection, 7)).aio
    queue.assert_enqueued(shop.charge, args=(7,), count=1)
    assert [it.value for it in await queue.drain()] == [7]
    assert await result == 7


async def test_call_in_a_transaction_is_refused_where_it_is_without_the_kit() -> None:
    huey = RedisHuey("app", url="redis://there.is.no.such.host")
    add = huey.task(name="add")(lambda: 5)
    with HueyQueue(huey), pytest.raises(ConfigurationError, match="where your transactions do not reach"):
        await add.enqueue_in(None)


def test_def_bodies_run_in_the_thread_of_a_test_without_a_loop(shop: Shop, queue: HueyQueue) -> None:
    result = shop.pack.sync(7)
    assert shop.threads == []
    assert [it.value for it in queue.sync.drain()] == ["7 False"]
    assert shop.threads == [threading.get_ident()]
    assert result.get() == "7 False"
    shop.pack.sync.schedule((8,), delay=60)
    queue.assert_enqueued(shop.pack, args=(8,))
    assert queue.sync.kill_worker() is None
    assert [it.value for it in queue.sync.advance(minutes=1)] == ["8 False"]


async def test_time_that_the_test_sets_by_other_means_is_followed(shop: Shop) -> None:
    with freeze_time("2026-03-02 12:00:30", real_asyncio=True) as frozen, HueyQueue(shop.huey) as queue:
        await shop.pack.schedule((8,), delay=3600)
        frozen.tick(3601)
        assert told(await queue.drain()) == ["02 13:00:31 pack done"]
    with time_machine.travel(NOON) as traveller, HueyQueue(shop.huey) as queue:
        await shop.pack.schedule((8,), delay=3600)
        traveller.shift(3601)
        assert [it.state for it in await queue.drain()] == ["done"]


async def test_stored_schedules_run_at_their_times(shop: Shop, queue: HueyQueue) -> None:
    await shop.huey.schedules().add("half past", shop.charge, "30 * * * *", args=(7,))
    ran = await queue.advance(hours=2)
    assert told(ran)[::2] == ["02 12:30:00 charge done", "02 13:30:00 charge done"]


async def test_pipelines_and_chords_run_to_their_ends(shop: Shop, queue: HueyQueue) -> None:
    pipeline = await shop.huey.enqueue(shop.charge.s(7).then(shop.pack, gift=True))
    assert told(await queue.drain()) == ["02 12:00:30 charge done", "02 12:00:30 pack done"]
    assert await pipeline[1] == "7 True"


async def test_several_queues_share_one_time() -> None:
    one, other = Shop(MemoryHuey("one")), Shop(MemoryHuey("other"))
    with time_machine.travel(NOON, tick=False), HueyQueue(one.huey, other.huey) as queue:
        await other.pack.schedule((2,), delay=60)
        await one.pack.schedule((1,), delay=120)
        assert [it.value for it in await queue.advance(minutes=5)] == ["2 False", "1 False"]


async def test_task_that_enqueues_itself_is_stopped() -> None:
    huey = MemoryHuey("again")

    @huey.task()
    async def again() -> None:
        await again()

    with HueyQueue(huey, most_runs=20) as queue:
        await again()
        with pytest.raises(HueyException, match=r"20 tasks ran.*again enqueue itself"):
            await queue.drain()


@pytest.mark.parametrize("kind", ["file", "redis", "memory", "immediate", "blocking"])
async def test_any_huey_is_as_it_was_afterwards(kind: str, tmp_path: Path) -> None:
    hueys: dict[str, Any] = {
        "file": lambda: FileHuey("app", path=str(tmp_path / "queue")),
        "redis": lambda: RedisHuey("app", url="redis://localhost:1/0"),
        "memory": lambda: MemoryHuey("app"),
        "immediate": lambda: MemoryHuey("app", immediate=True),
        "blocking": lambda: BlockingHuey("app"),
    }
    huey = hueys[kind]()
    plain: Huey = huey.aio if kind == "blocking" else huey
    add = plain.task(name="add")(lambda: 5)
    immediate = plain.immediate
    before = None if immediate else plain.storage
    with HueyQueue(huey) as queue:
        result = await add()
        assert [it.value for it in await queue.drain()] == [5]
        assert await result == 5
        await add()
    assert plain.immediate is immediate
    assert before is None or plain.storage is before
    with HueyQueue(huey) as queue:
        assert queue.enqueued() == []


def test_ctrl_c_in_a_body_ends_the_test_and_is_no_failure(shop: Shop, queue: HueyQueue) -> None:
    @shop.huey.task()
    def endless() -> None:
        raise KeyboardInterrupt

    endless.sync()
    with pytest.raises(KeyboardInterrupt):
        queue.sync.drain()
    queue.assert_enqueued(endless)


async def test_error_in_the_test_leaves_the_huey_as_it_was(shop: Shop) -> None:
    before = shop.huey.storage
    with pytest.raises(ZeroDivisionError), HueyQueue(shop.huey):
        raise ZeroDivisionError
    assert shop.huey.storage is before


async def test_misuse_is_told() -> None:
    huey = MemoryHuey("app")
    queue = HueyQueue(huey)
    with pytest.raises(HueyException, match="is not in use"):
        await queue.drain()
    with pytest.raises(HueyException, match="say whose queue"):
        HueyQueue()
    with queue:
        with pytest.raises(HueyException, match="in use already"):
            queue.__enter__()
        with pytest.raises(HueyException, match="goes forward only"):
            await queue.advance(seconds=-1)
        with pytest.raises(HueyException, match="which task is meant"):
            queue.enqueued(Task("app.add", (), {}))
        with pytest.raises(HueyException, match="which task is meant"):
            queue.assert_enqueued(5)
