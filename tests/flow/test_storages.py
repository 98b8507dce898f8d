"""FileHuey and BlackHoleHuey, and Huey's storage methods on every storage."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis

from hueyio import (
    BaseStorage,
    BlackHoleHuey,
    ConfigurationError,
    EmptyData,
    FileHuey,
    Huey,
    HueyException,
    MemoryHuey,
    RedisHuey,
    SqliteHuey,
    Task,
)
from hueyio.storage.file import FileStorage
from hueyio.storage.records import Entry, Header
from hueyio.storage.redis import PriorityRedisExpireStorage, RedisExpireStorage
from hueyio.storage.redis.layout import Layout
from tests.support.servers import Server


@pytest.fixture
async def base(make_huey: Callable[..., Huey]) -> AsyncIterator[BaseStorage]:
    made = BaseStorage(make_huey().storage, result_ttl=600.0)
    yield made
    await made.close()


# --- FileHuey


def declare(huey: Huey) -> Any:
    @huey.task(name="add")
    async def add(a: int, b: int) -> int:
        return a + b

    return add


async def test_file_huey_runs_tasks_from_a_folder_that_it_makes(tmp_path: Path) -> None:
    huey = FileHuey("app", str(tmp_path / "deep" / "queue"))
    add = declare(huey)
    async with huey.create_consumer():
        assert await (await add(1, 2)) == 3
    await huey.close()
    again = FileHuey("app", tmp_path / "deep" / "queue", 0, True)
    await declare(again)(3, 4)
    assert await again.count() == 1
    await again.close()


async def test_file_hueys_of_two_names_share_a_folder(tmp_path: Path) -> None:
    one, two = FileHuey("one", str(tmp_path)), FileHuey("two", str(tmp_path))
    await declare(one)(1, 2)
    assert (await one.count(), await two.count()) == (1, 0)
    await one.close()
    await two.close()


async def test_file_huey_takes_the_priorities_of_huey_only(tmp_path: Path) -> None:
    huey = FileHuey("app", str(tmp_path / "queue"))
    add = declare(huey)
    for priority in (-1, 65536, 1e9):
        with pytest.raises(ValueError, match="from 0 to 65535"):
            add.options(priority=priority)(1, 2)
    for a, priority in enumerate((0, 65535, 7.9, 7)):
        await add.options(priority=priority)(a, 0)
    assert [(task.args[0], task.priority) for task in await huey.pending()] == [(1, 65535), (2, 7), (3, 7), (0, 0)]
    await huey.close()


@pytest.mark.parametrize("levels", [-1, 5, 1.5, True, "2"])
def test_file_storage_refuses_levels_that_are_none(levels: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="levels must be 0 to 4"):
        FileStorage("app", tmp_path, levels)


def test_file_storage_refuses_a_path_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="is not a folder"):
        FileStorage("app", tmp_path / "file")
    with pytest.raises(ValueError, match="path must be"):
        FileStorage("app", "")


# --- BlackHoleHuey


@pytest.mark.parametrize("kind", [MemoryHuey, SqliteHuey, FileHuey, RedisHuey])
def test_option_that_a_storage_does_not_have_is_refused_and_named(kind: Callable[..., Any]) -> None:
    with pytest.raises(ConfigurationError, match="filname"):
        kind("app", filname="app.db")


async def test_black_hole_swallows_everything_and_every_wait_raises_at_once() -> None:
    huey = BlackHoleHuey("app", anything="goes")
    add = declare(huey)
    async with huey.create_consumer():
        result = await add(1, 2)
        group = await huey.enqueue(add.s(1, 2).then(add, 3))
        for wait in (result, result.get(blocking=True, timeout=10), group.get(blocking=True)):
            with pytest.raises(HueyException, match="BlackHoleHuey keeps nothing"):
                await wait
        assert await result.get() is None
        assert await huey.result_of(result.id).status() == "unknown"
        await add.schedule((1, 2), delay=60)
        await result.revoke()
        assert await result.is_revoked() is False
        assert (await huey.count(), await huey.pending(), await huey.scheduled()) == (0, [], [])
    await huey.close()


async def test_black_hole_still_checks_calls() -> None:
    huey = BlackHoleHuey()
    with pytest.raises(TypeError):
        declare(huey)(1)
    with pytest.raises(Exception, match="no task named"):
        await huey.enqueue(Task("nobody"))
    await huey.close()


async def test_black_hole_forgets_values_counters_and_locks() -> None:
    base = BaseStorage(BlackHoleHuey().storage)
    await base.put_data("k", b"v")
    assert await base.peek_data("k") is EmptyData
    assert await base.put_if_empty("k", b"v") is True
    assert await base.put_if_empty("k", b"v") is True
    assert (await base.incr("c", 2), await base.incr("c", 2)) == (2, 2)
    await base.enqueue(b"x")
    await base.add_to_schedule(b"x", 0)
    assert (await base.dequeue(), await base.queue_size(), await base.read_schedule(1)) == (None, 0, [])
    await base.close()


async def test_black_hole_runs_tasks_in_immediate_mode() -> None:
    huey = BlackHoleHuey(immediate=True)
    assert await (await declare(huey)(1, 2)) == 3


# --- Huey's storage methods


async def test_queue_is_first_come_first_served(base: BaseStorage) -> None:
    for data in (b"a", b"b", b"c"):
        await base.enqueue(data)
    assert await base.queue_size() == 3
    assert await base.enqueued_items() == [b"a", b"b", b"c"]
    assert await base.enqueued_items(limit=2) == [b"a", b"b"]
    assert await base.enqueued_items(limit=0) == []
    assert [await base.dequeue() for _ in range(4)] == [b"a", b"b", b"c", None]
    await base.enqueue(b"d")
    await base.flush_queue()
    assert (await base.queue_size(), await base.dequeue()) == (0, None)


async def test_priorities_come_first_where_there_are_any(base: BaseStorage) -> None:
    if not base.priority:
        with pytest.raises(NotImplementedError):
            await base.enqueue(b"a", priority=1)
        await base.enqueue(b"a", priority=0)
        return
    for data, priority in ((b"a", None), (b"b", 5), (b"c", 1), (b"d", 5), (b"e", -1), (b"f", 0)):
        await base.enqueue(data, priority)
    assert [await base.dequeue() for _ in range(6)] == [b"b", b"d", b"c", b"a", b"f", b"e"]


async def test_schedule_is_read_in_order_and_for_good(base: BaseStorage) -> None:
    later = datetime(2100, 1, 1, tzinfo=UTC)
    for data, ts in ((b"c", 30), (b"a", 10), (b"b", 20), (b"z", later)):
        await base.add_to_schedule(data, ts)
    assert await base.schedule_size() == 4
    assert await base.scheduled_items() == [b"a", b"b", b"c", b"z"]
    assert await base.scheduled_items(limit=2) == [b"a", b"b"]
    assert await base.read_schedule(9) == []
    assert await base.read_schedule(20) == [b"a", b"b"]
    assert await base.read_schedule(20) == []
    assert await base.read_schedule(later) == [b"c", b"z"]
    await base.add_to_schedule(b"d", later)
    await base.flush_schedule()
    assert await base.schedule_size() == 0


async def test_thousands_of_due_messages_are_read_in_order(base: BaseStorage) -> None:
    session = await base._session()
    await session.enqueue([Entry(Header(f"t{n}", eta=float(5000 - n)), b"%d" % n) for n in range(5000)])
    assert await base.read_schedule(5000) == [b"%d" % n for n in reversed(range(5000))]


async def test_values_are_kept_by_key(base: BaseStorage) -> None:
    """An empty value is a value."""
    await base.put_data("a", b"1")
    await base.put_data(b"b", b"", is_result=True)
    assert (await base.peek_data("a"), await base.peek_data(b"a"), await base.peek_data("b")) == (b"1", b"1", b"")
    assert await base.peek_data("c") is EmptyData
    assert await base.peek_many(["a", "c", b"b"]) == {"a": b"1", "b": b""}
    assert (await base.has_data_for_key("a"), await base.has_data_for_key("c")) == (True, False)
    assert await base.result_items() == {"a": b"1", "b": b""}
    assert await base.result_store_size() == 2
    assert (await base.pop_data("a"), await base.pop_data("a")) == (b"1", EmptyData)
    assert (await base.delete_data("b"), await base.delete_data("b")) == (True, False)
    await base.put_data("d", b"1")
    await base.put_data("d", b"2")
    assert await base.peek_data("d") == b"2"
    await base.flush_results()
    assert await base.result_items() == {}


async def test_put_if_empty_writes_once(base: BaseStorage) -> None:
    assert await base.put_if_empty("k", b"1") is True
    assert await base.put_if_empty("k", b"2", ttl=60) is False
    assert await base.pop_data("k") == b"1"
    assert await base.put_if_empty("k", b"3") is True


async def test_wait_result_sees_a_value_that_comes_later(base: BaseStorage) -> None:
    assert await base.wait_result("k", timeout=0) is False
    waiting = asyncio.create_task(base.wait_result("k", timeout=10, max_delay=0.05))
    await asyncio.sleep(0)
    await base.put_data("k", b"", is_result=True)
    assert await waiting is True
    assert await base.wait_result("k", timeout=0) is True


async def test_counters_are_no_values(base: BaseStorage) -> None:
    assert [await base.incr("c"), await base.incr("c", 5), await base.incr("c", -2)] == [1, 6, 4]
    assert await base.peek_data("c") is EmptyData
    assert await base.result_store_size() == 0
    assert (await base.delete_counter("c"), await base.delete_counter("c")) == (True, False)
    await base.incr("d")
    await base.flush_counters()
    assert await base.incr("d") == 1


async def test_storage_that_keeps_results_gives_them_again_and_ends_them_by_itself(server: Server) -> None:
    """Values that are no results are gone when they were popped, as on every storage."""
    for kind in (RedisExpireStorage, PriorityRedisExpireStorage):
        name = uuid.uuid4().hex
        base = BaseStorage(kind(name, url=server.url, expire_time=600))
        await base.put_data("result", b"1", is_result=True)
        await base.put_data("value", b"2")
        assert [await base.pop_data("result") for _ in range(2)] == [b"1", b"1"]
        assert [await base.pop_data("value") for _ in range(2)] == [b"2", EmptyData]
        with redis.Redis.from_url(server.url) as admin:
            ends = admin.zscore(Layout(name).key("RESULTS_TTL"), "result")
        assert isinstance(ends, float)
        assert 500 < ends - time.time() <= 600
        assert (await base.delete_data("result"), await base.delete_data("result")) == (True, False)
        await base.close()


async def test_flush_all_leaves_nothing(base: BaseStorage) -> None:
    await base.enqueue(b"a")
    await base.add_to_schedule(b"b", 1)
    await base.put_data("c", b"d")
    await base.incr("e")
    await base.flush_all()
    assert (await base.queue_size(), await base.schedule_size(), await base.result_items()) == (0, 0, {})
    assert await base.incr("e") == 1


async def test_many_readers_share_the_messages(base: BaseStorage) -> None:
    for number in range(60):
        await base.enqueue(b"%d" % number)

    async def read() -> list[bytes]:
        taken = []
        while (data := await base.dequeue()) is not None:
            taken.append(data)
        return taken

    taken = [data for found in await asyncio.gather(*(read() for _ in range(8))) for data in found]
    assert sorted(taken, key=int) == [b"%d" % number for number in range(60)]
