"""What the other Redis storages add, and what happens where two kinds of them meet under one name."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import redis
from tests.conftest import SERVERS
from tests.support.servers import Server

from hueyio import (
    ConfigurationError,
    Huey,
    PriorityRedisExpireHuey,
    PriorityRedisHuey,
    RedisExpireHuey,
    RedisHuey,
    StorageError,
)
from hueyio.storage.records import Bury, Defer, Entry, Finish, Header, Release, Requeue
from hueyio.storage.redis import PriorityRedisStorage, RedisExpireStorage, RedisStorage
from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.session import RedisSession

OWNER = "owner"
Open = Callable[..., Awaitable[RedisSession]]


@pytest.fixture
def name() -> str:
    return uuid.uuid4().hex


@pytest.fixture
async def open_session(server: Server, name: str) -> AsyncIterator[Open]:
    """Open sessions that are closed at the end."""
    sessions: list[RedisSession] = []

    async def open_it(kind: type[RedisStorage] = PriorityRedisStorage, **options: Any) -> RedisSession:
        sessions.append(await kind(name, url=server.url, **options).connect())
        return sessions[-1]

    yield open_it
    for session in sessions:
        await session.close()


async def claim(session: RedisSession, room: int = 1000) -> list[str]:
    await session.register(OWNER, b"")
    return [it.receipt.id for it in await session.claim({"loop": room}, OWNER)]


# --- priorities


async def test_any_number_is_a_priority(open_session: Open) -> None:
    session = await open_session()
    priorities = [2.0**53, 1e15 + 0.5, 3, 1.5, 1e-9, 0, -1e-9, -7, -(2.0**53)]
    entries = [Entry(Header(f"{it!r}", priority=it), b"") for it in priorities]
    await session.enqueue(list(reversed(entries)))
    assert await claim(session) == [repr(it) for it in priorities]


async def test_equal_priorities_are_served_as_they_came_in_batches_of_any_size(open_session: Open) -> None:
    session = await open_session()
    ids = [f"t{index}" for index in range(3003)]
    for at in range(0, len(ids), 1001):
        await session.enqueue([Entry(Header(id, priority=float(at % 2)), b"") for id in ids[at : at + 1001]])
    odd = ids[1001:2002]
    assert await claim(session, 400) + await claim(session, 4000) == odd + [id for id in ids if id not in set(odd)]


async def test_priority_is_kept_through_the_schedule_a_retry_a_release_and_a_dead_owner(open_session: Open) -> None:
    session = await open_session()
    headers = [Header(f"{what}-{level}", priority=level) for what in ("retry", "free", "lost") for level in (1.0, 2.0)]
    later = [Header(f"later-{level}", priority=level, eta=time.time() - 1) for level in (1.0, 2.0)]
    await session.enqueue([Entry(header, b"") for header in (*headers, *later)])
    await session.register(OWNER, b"")
    await session.register("another", b"")
    held = {it.receipt.id: it for it in await session.claim({"loop": 100}, OWNER)}
    assert len(held) == 6
    retried = [
        Finish(it.receipt, follow_ups=(Entry(it.header, b""),)) for id, it in held.items() if id.startswith("retry")
    ]
    freed = [Release(it.receipt) for id, it in held.items() if id.startswith("free")]
    assert set(await session.settle([*retried, *freed], OWNER, 1)) == {"accepted"}
    assert await session.reclaim(OWNER, 0) == 2
    assert (await session.promote(time.time(), 100)).moved == 2
    taken = [it.receipt.id for it in await session.claim({"loop": 100}, "another")]
    # In front within their priority: what a dead owner held, then what was given back; the rest as it came.
    assert taken == [f"{what}-{level}" for level in (2.0, 1.0) for what in ("lost", "free", "retry", "later")]


async def test_put_off_task_keeps_its_priority(open_session: Open) -> None:
    session = await open_session()
    await session.enqueue([Entry(Header("put-off", priority=9.0), b"")])
    await session.register(OWNER, b"")
    (delivery,) = await session.claim({"loop": 1}, OWNER)
    await session.enqueue([Entry(Header("other", priority=5.0), b"")])
    await session.settle([Defer(delivery.receipt, delivery.header._replace(eta=time.time() - 1))], OWNER, 1)
    await session.promote(time.time(), 10)
    assert await claim(session) == ["put-off", "other"]


@pytest.mark.parametrize("count", [1, 40, 1500])
async def test_cancel_takes_tasks_out_of_the_middle_of_many_priorities(open_session: Open, count: int) -> None:
    session = await open_session()
    headers = [Header(f"t{index}", priority=float(index % 3)) for index in range(3000)]
    await session.enqueue([Entry(header, b"") for header in headers])
    gone = [header.id for header in headers[100 : 100 + count]]
    await session.register("canceller", b"")
    assert [it.receipt.id for it in await session.cancel(gone, "canceller")] == gone
    left = [header for header in headers if header.id not in set(gone)]
    assert sum((await session.counts()).queued.values()) == len(left)
    assert await claim(session, 5000) == [it.id for it in sorted(left, key=lambda it: -it.priority)]


@pytest.mark.parametrize("kind", [PriorityRedisHuey, PriorityRedisExpireHuey])
async def test_consumer_runs_the_highest_priority_first(kind: type[Huey], server: Server, name: str) -> None:
    huey = kind(name, url=server.url)
    order: list[str] = []

    @huey.task(priority=1)
    async def note(what: str) -> None:
        order.append(what)

    async with huey:
        results = [await note.options(priority=level)(str(level)) for level in (0, 5, -2, 5.5)]
        results.append(await note("the task's own"))
        async with huey.create_consumer(workers=1, prefetch=1):
            await asyncio.gather(*results)
    assert order == ["5.5", "5", "the task's own", "0", "-2"]


@pytest.mark.parametrize("kind", [RedisHuey, RedisExpireHuey])
async def test_list_refuses_priorities_at_the_call_and_names_the_class_that_has_them(kind: type[Huey]) -> None:
    huey = kind("app", url="redis://127.0.0.1:1/0")  # nobody is asked

    @huey.task()
    async def plain() -> None: ...

    @huey.task(priority=3)
    async def urgent() -> None: ...

    refused = pytest.raises(NotImplementedError, match="PriorityRedisHuey has priorities")
    calls: list[Callable[[], Any]] = [
        lambda: urgent(),
        lambda: plain.options(priority=1)(),
        lambda: plain(priority=1),  # type: ignore[call-arg]
        lambda: plain.schedule(delay=10, priority=2),
    ]
    for call in calls:
        with refused:
            call()
    for task in (plain.s(priority=-1.5), plain.s().then(urgent), plain.s().error(urgent), urgent.s().then(plain)):
        with refused:
            await huey.enqueue(task)
        with refused:
            await huey.enqueue_many([plain.s(), task])
    with refused:
        await urgent.map([()])


# --- results that stay


@pytest.mark.parametrize("kind", [RedisExpireHuey, PriorityRedisExpireHuey])
async def test_result_can_be_read_again_and_again_until_its_time_is_over(
    kind: type[Huey], server: Server, name: str
) -> None:
    huey = kind(name, url=server.url, expire_time=1000)

    @huey.task()
    async def add(a: int, b: int) -> int:
        return a + b

    async with huey, huey.create_consumer():
        result = await add(1, 2)
        assert await result == 3
        assert [await huey.result(result.id) for _ in range(2)] == [3, 3]
        assert await huey.result(result.id, blocking=True, timeout=5) == 3
        assert await result.status() == "done"
    with redis.Redis.from_url(server.url) as admin:
        deadline = admin.zscore(Layout(name).key("RESULTS_TTL"), result.id)
    assert isinstance(deadline, float)
    assert 900 < deadline - time.time() <= 1000


async def test_result_that_several_clients_wait_for_stays_for_its_time(open_session: Open) -> None:
    one, two = await open_session(RedisExpireStorage), await open_session(RedisExpireStorage)
    await one.enqueue([Entry(Header("a"), b"")])
    waits = [asyncio.ensure_future(it.await_outcomes(["a"])) for it in (one, two)]
    for session in (one, two):
        await session.await_outcomes(["nobody has this id"])
    await one.register(OWNER, b"")
    (delivery,) = await one.claim({"loop": 1}, OWNER)
    await one.settle([Finish(delivery.receipt, b"value", ttl=0.5)], OWNER, 1)
    assert [(await it)[0].data for it in waits] == [b"value", b"value"]
    deadline = await one._core.wire.call(pack("ZSCORE", one._core.layout.key("RESULTS_TTL"), "a"))
    assert float(deadline) - time.time() < 1  # the minute of what is shared would be longer


async def test_immediate_mode_keeps_results_too() -> None:
    huey = RedisExpireHuey("app", immediate=True)

    @huey.task()
    async def add(a: int, b: int) -> int:
        return a + b

    async with huey:
        result = await add(1, 2)
        assert [await huey.result(result.id) for _ in range(2)] == [3, 3]


def test_result_lives_for_a_day_by_default_where_results_stay() -> None:
    assert RedisExpireHuey("app").result_ttl == 86400
    assert RedisHuey("app").result_ttl == 7 * 86400


@pytest.mark.parametrize("expire_time", [0, -1, "1 day", True, None, float("nan")])
def test_expire_time_that_is_none_is_refused(expire_time: Any) -> None:
    with pytest.raises(ConfigurationError, match="expire_time must be seconds > 0"):
        RedisExpireHuey("app", expire_time=expire_time)


def test_two_times_to_live_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="leave result_ttl out"):
        RedisExpireHuey("app", expire_time=10, result_ttl=20)


# --- two kinds under one name


async def test_queue_of_another_kind_is_refused_and_its_class_is_named(open_session: Open) -> None:
    session = await open_session(RedisExpireStorage)
    await session.enqueue([Entry(Header("a", eta=time.time() + 600), b"")])
    with pytest.raises(StorageError, match="was written by RedisExpireHuey, another kind, and still has tasks"):
        await open_session(PriorityRedisStorage)


async def test_session_that_was_open_before_is_refused_too(open_session: Open) -> None:
    """Otherwise its tasks would go where no consumer of the other kind looks."""
    session = await open_session(RedisStorage)
    await session.enqueue([Entry(Header("dead"), b"")])
    assert await claim(session) == ["dead"]
    (delivery,) = await session.held(OWNER)
    await session.settle([Bury(delivery.receipt, "boom")], OWNER, 1)
    await open_session(PriorityRedisStorage)
    for call in (
        session.enqueue([Entry(Header("a"), b"")]),
        session.enqueue([Entry(Header("b", priority=1.0), b"")]),
        session.claim({"loop": 1}, OWNER),
        session.promote(time.time(), 10),
        session.requeue([Requeue("dead")]),
        session.resume(),
        session.clear(["queue"]),
        session.counts(),
        session.scan_tasks("queued"),
    ):
        with pytest.raises(StorageError, match="was written by PriorityRedisHuey"):
            await call
    assert [it.header.id for it in await session.dead()] == ["dead"]


async def test_session_that_was_open_before_harms_no_tasks_of_the_other_kind(open_session: Open) -> None:
    session, other = await open_session(RedisStorage), await open_session(PriorityRedisStorage)
    await session.register("old", b"")
    await other.enqueue([Entry(Header("held"), b"")])
    assert await claim(other) == ["held"]
    await other.enqueue([Entry(Header("later", eta=time.time() + 600), b""), Entry(Header("ready"), b"")])
    with pytest.raises(StorageError, match="was written by PriorityRedisHuey"):
        await session.reclaim(OWNER, 0)
    with pytest.raises(StorageError, match="was written by PriorityRedisHuey"):
        await session.cancel(["later", "ready"], "old")
    assert [it.state for it in await other.locate(["held", "later", "ready"])] == ["running", "scheduled", "queued"]
    assert await other.reclaim(OWNER, 0) == 1
    assert await claim(other) == ["held", "ready"]
    assert not any(it.cancelled for it in await other.held(OWNER))


async def test_session_that_was_open_before_is_told_that_its_settlements_are_stale(open_session: Open) -> None:
    """Its own tasks were over when the name was taken over; suspects of the other kind must not make it fail."""
    session = await open_session(RedisStorage)
    await session.register("old", b"")
    await session.enqueue([Entry(Header("a"), b"")])
    (delivery,) = await session.claim({"loop": 1}, "old")
    await session.settle([Finish(delivery.receipt)], "old", 1)
    other = await open_session(PriorityRedisStorage)
    await other.enqueue([Entry(Header("suspect", max_deliveries=2), b"")])
    assert await claim(other) == ["suspect"]
    await other.reclaim(OWNER, 0)
    assert (await other.counts()).suspects == 1
    assert await session.settle([Finish(delivery.receipt)], "old", 2) == ["stale"]
    await session.deregister("old")
    assert await claim(other) == ["suspect"]


async def test_drained_queue_can_be_taken_over_by_another_kind(open_session: Open) -> None:
    session = await open_session(RedisStorage)
    await session.enqueue([Entry(Header("a"), b"")])
    assert await claim(session) == ["a"]
    (delivery,) = await session.held(OWNER)
    await session.settle([Finish(delivery.receipt)], OWNER, 1)
    other = await open_session(PriorityRedisStorage)
    await other.enqueue([Entry(Header("b", priority=2.0), b"")])
    assert await claim(other) == ["b"]


async def test_both_list_classes_share_a_queue(open_session: Open) -> None:
    session = await open_session(RedisStorage)
    await session.enqueue([Entry(Header("a"), b"")])
    assert await claim(await open_session(RedisExpireStorage)) == ["a"]


# --- the server


async def test_server_without_a_command_is_too_old(name: str) -> None:
    kind = "redis" if "redis" in SERVERS else "valkey"
    old = Server(SERVERS[kind], "--rename-command", "SMISMEMBER", "")
    old.start()
    try:
        with redis.Redis.from_url(old.url) as admin:
            version = admin.info("server")["redis_version"]
        with pytest.raises(ConfigurationError, match=rf"is version {version} and lacks .* needs Redis 6\.2 or later"):
            await RedisStorage(name, url=old.url).connect()
    finally:
        old.dispose()
