"""Producers and consumers in full load through every kind of outage: nothing that was acknowledged is lost.

The sizes are small by default; ``HUEYIO_TEST_SCALE=20`` makes a long proof of each.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import pytest
import redis
from redis.asyncio import Redis as AsyncRedis
from tests.conftest import EACH_SERVER, SERVERS
from tests.support.deployments import SentinelGroup
from tests.support.patience import until
from tests.support.proxy import FaultProxy
from tests.support.servers import Server

from hueyio import Huey, RedisHuey, StorageUnavailable
from hueyio.core import core_of
from hueyio.exceptions import HueyException
from hueyio.storage.records import Entry, Header
from hueyio.storage.redis import RedisStorage
from hueyio.storage.redis.layout import Flavour
from hueyio.storage.redis.scripts import read_script
from hueyio.storage.redis.session import RedisSession

pytestmark = pytest.mark.deployment

SCALE: Final = float(os.environ.get("HUEYIO_TEST_SCALE", "1"))
HEARD_BY_ALL: Final = 2.0
"""Seconds: a Sentinel tells one listener after the other, and may have to wait for a CPU in between."""
LOST_REPLIES: Final = int(10 * SCALE)
KILLS: Final = int(50 * SCALE)


class Load:
    """Consumers of one queue and a producer, all in this loop, each with connections of its own."""

    def __init__(self, **where: Any) -> None:
        self.name = uuid.uuid4().hex
        self.where = where
        self.runs: Counter[int] = Counter()
        self.ran_at: dict[int, float] = {}
        self.last_run_of: dict[int, float] = {}
        self.acknowledged: set[int] = set()
        self.id_of: dict[int, str] = {}
        self.begun_at: dict[int, float] = {}
        """When the call began. Its acknowledgement may be read long after the server gave it."""
        self.refused = 0
        self._stack = AsyncExitStack()

    async def start(self, consumers: int, **options: Any) -> None:
        for index in range(consumers):
            await self._stack.enter_async_context(self._make(index).create_consumer(**options))
        self.producer = self._make(-1)

    def _make(self, index: int) -> Huey:
        huey = RedisHuey(self.name, **self.where)
        self._stack.push_async_callback(huey.close)

        @huey.task(name="work")
        async def work(number: int) -> int:
            self.runs[number] += 1
            self.ran_at.setdefault(number, time.monotonic())
            self.last_run_of[index] = time.monotonic()
            await asyncio.sleep(0.005)
            return number

        self.work: Any = work
        return huey

    async def produce(self, count: int) -> None:
        for _ in range(count):
            number = len(self.acknowledged) + self.refused
            begun = time.monotonic()
            try:
                result = await self.work(number)
            except StorageUnavailable:
                self.refused += 1
            else:
                self.acknowledged.add(number)
                self.id_of[number] = result.id
                self.begun_at[number] = begun

    async def produce_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.produce(5)
            await asyncio.sleep(0.005)

    async def drained(self) -> None:
        async def is_empty() -> bool:
            try:
                counts = await self.producer.counts()
            except StorageUnavailable:
                return False
            return counts.running + sum(counts.queued.values()) + counts.suspects + counts.scheduled == 0

        await until(is_empty)

    async def has_run(self, number: int) -> None:
        await until(lambda: _answer(self.runs[number] > 0))

    async def all_resumed(self, since: float) -> float:
        """Wait until every consumer has run a task since then; return how long after."""
        await until(lambda: _answer(all(self.last_run_of.get(index, 0.0) > since for index in range(3))))
        return max(self.last_run_of[index] for index in range(3)) - since

    def begun_after(self, moment: float) -> list[int]:
        """Of what was acknowledged, what was asked for after this moment."""
        return [number for number, at in self.begun_at.items() if at > moment]

    @property
    def lost(self) -> set[int]:
        return self.acknowledged - set(self.runs)

    def __str__(self) -> str:
        twice = sum(count > 1 for count in self.runs.values())
        return (
            f"acknowledged {len(self.acknowledged)}, refused {self.refused}, lost {len(self.lost)}, run twice {twice},"
        )

    async def close(self) -> None:
        await self._stack.aclose()


@pytest.fixture(params=EACH_SERVER)
def durable_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(SERVERS[request.param], "--appendonly", "yes", "--appendfsync", "always")
    server.start()
    yield server
    server.dispose()


@pytest.fixture
async def proxy(server: Server) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(server.port) as made:
        yield made


def digest_of(script: str) -> bytes:
    return read_script(script, Flavour()).digest


def url_of(proxy: FaultProxy) -> str:
    return f"redis://127.0.0.1:{proxy.port}/0"


async def test_consumers_resume_after_a_restart(durable_server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hueyio")
    load = Load(url=durable_server.url)
    await load.start(3, workers=5)
    stop = asyncio.Event()
    producing = asyncio.ensure_future(load.produce_until(stop))
    await until(lambda: _answer(len(load.runs) > 50))
    await asyncio.to_thread(durable_server.kill)
    away = asyncio.get_running_loop().time()
    await until(lambda: _answer(asyncio.get_running_loop().time() - away > min(1.0 * SCALE, 5.0)))
    await asyncio.to_thread(durable_server.start)
    back = time.monotonic()
    resumed = await load.all_resumed(back)
    stop.set()
    await producing
    await load.drained()
    print(load, f"all consumers {resumed:.2f} s")
    await load.close()
    assert load.lost == set()
    assert resumed < 30
    told = [it.message for it in caplog.records if "trying again" in it.message]
    assert len(told) == 3  # once by each consumer
    assert sum("works again" in it.message for it in caplog.records) == 3


async def test_killed_connections_lose_nothing(server: Server) -> None:
    load = Load(url=server.url, outage_timeout=60)
    await load.start(2, workers=10)
    stop = asyncio.Event()
    producing = asyncio.ensure_future(load.produce_until(stop))
    kills = 0
    async with AsyncRedis.from_url(server.url) as admin:
        while kills < KILLS:
            kills += await admin.client_kill_filter(_type="normal", skipme=True)
            kills += await admin.client_kill_filter(_type="pubsub", skipme=True)
            await asyncio.sleep(0.2)
    stop.set()
    await producing
    await load.drained()
    print(load, f"killed {kills}")
    await load.close()
    assert load.lost == set()
    assert load.refused == 0


@pytest.mark.timeout(240)  # Sentinels that saw the machine stand still do nothing for a while
async def test_master_that_dies_costs_no_more_than_redis_lost(sentinels: SentinelGroup) -> None:
    await asyncio.to_thread(sentinels.wait_until_ready)
    # How long the Sentinels take to agree on another master is theirs; what comes after is ours.
    async with _under_load(Load(url=sentinels.url, outage_timeout=150)) as load, _announcements(sentinels) as told:
        dead = sentinels.master
        await asyncio.to_thread(dead.kill)
        resumed = await load.all_resumed(await told)
    await asyncio.to_thread(dead.start)
    _compare_task_by_task(load, sentinels, f"killed; all consumers {resumed:.2f} s after the announcement")
    assert load.refused == 0
    assert resumed < 30
    await _nothing_is_left(load, sentinels)


@pytest.mark.timeout(240)  # Sentinels that saw the machine stand still do nothing for a while
async def test_planned_fail_over_costs_no_more_than_redis_lost(sentinels: SentinelGroup) -> None:
    await asyncio.to_thread(sentinels.wait_until_ready)
    await asyncio.to_thread(sentinels.publish_every, 20_000)  # the old master is master for 80 s more
    try:
        async with _under_load(Load(url=sentinels.url, outage_timeout=150)) as load, _announcements(sentinels) as told:
            old = await asyncio.to_thread(sentinels.begin_fail_over)
            announced = await told
            resumed = await load.all_resumed(announced)
            await until(lambda: _answer(len(load.begun_after(announced + HEARD_BY_ALL)) > 100))
            with redis.Redis(port=old.port) as admin:
                assert admin.role()[0] == b"master"  # nobody has told it yet
    finally:
        await asyncio.to_thread(sentinels.publish_every, 100)
    await asyncio.to_thread(sentinels.wait_until_demoted, old)
    _compare_task_by_task(load, sentinels, f"planned; all consumers {resumed:.2f} s after the announcement")
    # Whatever was asked for later than a moment after the announcement was written to the new master.
    written = sentinels.written_by(sentinels.master)
    asked = load.begun_after(announced + HEARD_BY_ALL)
    astray = [it for it in asked if load.id_of[it].encode() not in written]
    assert astray == []
    assert load.refused == 0
    assert resumed < 30
    await _nothing_is_left(load, sentinels)


@asynccontextmanager
async def _under_load(load: Load) -> AsyncIterator[Load]:
    """Give a load of a producer and three consumers; at the end, all that the master has is done."""
    await load.start(3, workers=5)
    stop = asyncio.Event()
    producing = asyncio.ensure_future(load.produce_until(stop))
    try:
        await until(lambda: _answer(len(load.runs) > 50))
        yield load
        stop.set()
        await producing
        await load.drained()
    finally:
        producing.cancel()
        await load.close()


@asynccontextmanager
async def _announcements(sentinels: SentinelGroup) -> AsyncIterator[asyncio.Future[float]]:
    """Give the time at which a Sentinel first says that there is another master."""
    told: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def listen(port: int) -> None:
        async with AsyncRedis(port=port) as client, client.pubsub() as channel:
            await channel.subscribe("+promoted-slave", "+switch-master")
            async for message in channel.listen():
                if message["type"] == "message" and not told.done():
                    told.set_result(time.monotonic())

    listeners = [asyncio.ensure_future(listen(it.port)) for it in sentinels.sentinels]
    try:
        yield told
    finally:
        for listener in listeners:
            listener.cancel()
        await asyncio.wait(listeners)


def _compare_task_by_task(load: Load, sentinels: SentinelGroup, what: str) -> None:
    """A task that the new master was told of has run; what it was never told of, the old one lost."""
    written = sentinels.written_by(sentinels.master)
    dropped = [number for number in load.lost if load.id_of[number].encode() in written]
    print(load, f"of these by Redis {len(load.lost) - len(dropped)};", what)
    first = min(load.acknowledged)
    assert load.id_of[first].encode() in written  # the file is what it is taken for
    assert dropped == []


async def _nothing_is_left(load: Load, sentinels: SentinelGroup) -> None:
    async with AsyncRedis(port=sentinels.master.port) as admin:
        assert await admin.hlen(RedisStorage(load.name)._layout.key("TASKS")) == 0


async def test_enqueue_whose_reply_is_lost_makes_one_task(proxy: FaultProxy) -> None:
    load = Load(url=url_of(proxy), outage_timeout=60)
    await load.start(0)
    await load.produce(1)
    for _ in range(LOST_REPLIES):
        proxy.arm("swallow", digest_of("enqueue"))
        await load.produce(1)
        assert proxy.struck == 1
    assert load.refused == 0
    assert await load.producer.count() == LOST_REPLIES + 1
    await load.close()


@pytest.mark.timeout(120 + LOST_REPLIES)
@pytest.mark.parametrize("kind", ["swallow", "cut"])
@pytest.mark.parametrize("script", ["claim", "settle"])
async def test_task_whose_reply_is_lost_runs_once_and_at_once(
    proxy: FaultProxy, script: str, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hueyio.consumer.fetcher._LONGEST_WAIT", 600.0)
    load = Load(url=url_of(proxy))
    await load.start(1, lease=1800.0)
    await load.produce(1)
    await load.drained()
    slowest = 0.0
    for number in range(1, LOST_REPLIES + 1):
        proxy.arm(kind, digest_of(script))
        begun = time.monotonic()
        await load.produce(1)
        await until(lambda number=number: _answer(load.runs[number] > 0))  # type: ignore[misc]
        slowest = max(slowest, load.ran_at[number] - begun)
        await proxy.wait_struck()
    await load.drained()
    print(f"{script} {kind}: {LOST_REPLIES} replies lost, slowest start {slowest:.3f} s")
    assert set(load.runs.values()) == {1}
    assert load.lost == set()
    assert slowest < 30  # and not a lease, nor a wait at the bell, which is a third of it
    await load.close()


async def test_heartbeat_whose_reply_is_lost_costs_no_lease(proxy: FaultProxy) -> None:
    load = Load(url=url_of(proxy))
    await load.start(1, lease=1.0)
    (before,) = await load.producer.consumers()
    proxy.arm("swallow", b"Raise an owner's counter", LOST_REPLIES)
    await load.produce(5)
    await proxy.wait_struck()
    await load.produce(5)
    await load.drained()
    (after,) = await load.producer.consumers()
    assert (before.id, before.started) == (after.id, after.started)
    assert set(load.runs.values()) == {1}
    assert load.lost == set()
    await load.close()


async def test_black_hole_is_noticed_within_the_time_out(proxy: FaultProxy) -> None:
    load = Load(host="127.0.0.1", port=proxy.port, socket_timeout=0.5)
    await load.start(1)
    result = await load.work(0)
    assert await result == 0
    proxy.hold()
    begun = time.monotonic()
    with pytest.raises(StorageUnavailable, match=r"within 0\.5 s|in time"):
        await load.work(1)
    assert time.monotonic() - begun < 30  # a hole never answers
    waiting = asyncio.ensure_future(_value(load))
    proxy.release()
    assert await waiting == 2
    await load.close()


async def test_slow_server_is_only_slow(proxy: FaultProxy) -> None:
    load = Load(url=url_of(proxy))
    proxy.latency = 0.05
    await load.start(1)
    assert await (await load.work(7)) == 7
    await load.close()


async def test_producer_rides_out_a_restart(durable_server: Server) -> None:
    load = Load(url=durable_server.url, outage_timeout=30)
    await load.start(0)
    await load.produce(1)
    await asyncio.to_thread(durable_server.kill)
    producing = asyncio.ensure_future(load.produce(1))
    waiting = asyncio.ensure_future(load.producer.result("no such task", blocking=True))
    await asyncio.to_thread(durable_server.start)
    await producing
    assert load.refused == 0
    assert await load.producer.count() == 2
    with pytest.raises(HueyException, match="nothing is known of task no such task"):
        await waiting
    await load.close()


async def test_calls_ride_out_a_restart(durable_server: Server) -> None:
    storage = RedisStorage("app", url=durable_server.url, outage_timeout=30)
    session = await storage.connect()
    await session.put("data", {"a": b"1", "b": b"2"})
    await session.enqueue([Entry(Header("task"), b"")])
    await asyncio.to_thread(durable_server.kill)
    keys = asyncio.gather(
        session.peek("data", ["a"]), session.pop("data", "b"), session.put("data", {"c": b"3"}),
        session.put_if_absent("data", "d", b"4"), session.add("data", "e", 5),
    )  # fmt: skip
    looks = asyncio.gather(session.locate(["task"]), session.scan_tasks("queued"), session.owners())
    answers = asyncio.gather(session.paused(), session.delete("results", ["none"]))
    await asyncio.sleep(0)
    await asyncio.to_thread(durable_server.start)
    peeked, popped, put, was_absent, total = await keys
    assert (peeked, popped, put, was_absent, total) == ([b"1"], b"2", None, True, 5)
    found, tasks, owners = await looks
    assert (found[0].state, [it.header.id for it in tasks], owners) == ("queued", ["task"], [])
    paused, deleted = await answers
    assert (paused, deleted) == (None, 0)
    kept = {"a": b"1", "c": b"3", "d": b"4", "e": b"5"}
    assert dict(await session.scan_keys("data")) == kept
    assert (await session.counts()).queued["loop"] == 1
    await session.close()


async def test_only_what_is_idempotent_is_repeated_when_its_reply_is_lost(proxy: FaultProxy) -> None:
    session = await RedisStorage(uuid.uuid4().hex, url=url_of(proxy)).connect()
    assert await session.add("data", "counter") == 1  # the server knows both scripts from here on
    await session.put("data", {"a": b"0"})
    proxy.arm("swallow", digest_of("put"))
    await session.put("data", {"a": b"1"})
    proxy.arm("swallow", digest_of("add"))
    with pytest.raises(StorageUnavailable):
        await session.add("data", "counter")
    assert await session.peek("data", ["a", "counter"]) == [b"1", b"2"]
    await session.close()


@pytest.fixture(params=EACH_SERVER)
def slow_loader(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Run a server that takes ten seconds to load what it holds, and answers meanwhile, unless it is told to hurry."""
    server = Server(SERVERS[request.param], "--appendonly", "yes", "--appendfsync", "always", "--key-load-delay", "200")
    server.start()
    with redis.Redis.from_url(server.url) as admin, admin.pipeline(transaction=False) as pipe:
        for number in range(50_000):
            pipe.set(f"other:{number}", "x")
        pipe.execute()
    yield server
    server.dispose()


async def test_loading_server_is_waited_for(slow_loader: Server) -> None:
    load = Load(url=slow_loader.url, outage_timeout=60)
    await load.start(1)
    stored = await load.work(0)
    later = await load.work.options(delay=1)(-1)
    await load.has_run(0)
    waiting = asyncio.ensure_future(later.get(blocking=True))
    probe = await RedisStorage("probe", url=slow_loader.url, outage_timeout=0).connect()
    await asyncio.to_thread(slow_loader.kill)
    starting = asyncio.ensure_future(asyncio.to_thread(slow_loader.start))
    await until(lambda: _says(probe, "is loading its data"))
    producing, reading = asyncio.ensure_future(load.produce(2)), asyncio.ensure_future(stored.get(blocking=True))
    await until(lambda: _says(probe, "is loading its data"))
    assert not starting.done()
    async with AsyncRedis.from_url(slow_loader.url) as admin:
        await admin.config_set("key-load-delay", 0)  # what had to be seen was
    assert [await reading, await waiting] == [0, -1]
    await producing
    await load.drained()
    await starting
    assert load.refused == 0
    assert load.lost == set()
    await probe.close()
    await load.close()


async def test_server_that_becomes_a_replica_is_waited_for(durable_server: Server) -> None:
    load = Load(url=durable_server.url, outage_timeout=30)
    await load.start(1)
    await load.produce(1)
    await load.drained()
    probe = await RedisStorage("probe", url=durable_server.url, outage_timeout=0).connect()
    with redis.Redis.from_url(durable_server.url) as admin:
        admin.replicaof("127.0.0.1", "1")
        producing = asyncio.ensure_future(load.produce(1))
        with pytest.raises(StorageUnavailable, match="is a read-only replica"):
            await probe.enqueue([Entry(Header("a"), b"")])
        begun = len(load.runs)
        admin.replicaof("NO", "ONE")
    await producing
    waiting = await load.work(99)
    assert await waiting == 99
    await load.drained()
    assert begun == 1
    assert load.refused == 0
    assert load.lost == set()
    await probe.close()
    await load.close()


async def test_idle_consumer_is_told_when_its_server_becomes_a_replica(durable_server: Server) -> None:
    session = await RedisStorage("app", url=durable_server.url, outage_timeout=0).connect()
    wait = asyncio.ensure_future(session.wait_for_work(["loop"], 60))
    with redis.Redis.from_url(durable_server.url) as admin:
        await until(lambda: _answer(admin.info("clients")["blocked_clients"] == 1))
        admin.replicaof("127.0.0.1", "1")
        with pytest.raises(StorageUnavailable, match="has become a replica"):
            await wait
        admin.replicaof("NO", "ONE")
    wait = asyncio.ensure_future(session.wait_for_work(["loop"], 60))
    await session.enqueue([Entry(Header("a"), b"")])
    assert await wait == {"loop"}
    await session.close()


async def test_producer_gives_up_in_time_and_says_why() -> None:
    huey = RedisHuey("app", url="redis://127.0.0.1:1/0", outage_timeout=3.0)  # longer than the default
    begun = time.monotonic()
    with pytest.raises(StorageUnavailable, match=r"127\.0\.0\.1:1/0 cannot be reached: connection refused"):
        await core_of(huey).session()
    assert 3.0 <= time.monotonic() - begun < 30


async def test_full_server_is_waited_for(durable_server: Server) -> None:
    load = Load(url=durable_server.url, outage_timeout=0.1)
    await load.start(1)
    await load.produce(1)
    await load.drained()
    with redis.Redis.from_url(durable_server.url) as admin:
        admin.config_set("maxmemory", "1")
        with pytest.raises(StorageUnavailable, match="is out of memory"):
            await load.work(99)
        admin.config_set("maxmemory", "0")
    await load.produce(1)
    await load.drained()
    assert load.lost == set()
    await load.close()


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru", "noeviction"])
async def test_eviction_is_warned_of(durable_server: Server, caplog: pytest.LogCaptureFixture, policy: str) -> None:
    with redis.Redis.from_url(durable_server.url) as admin:
        admin.config_set("maxmemory", "100mb")
        admin.config_set("maxmemory-policy", policy)
    load = Load(url=durable_server.url)
    await load.start(1)
    await load.produce(1)
    await load.drained()
    await load.close()
    told = [it.message for it in caplog.records if "maxmemory-policy" in it.message]
    assert [("set maxmemory-policy to noeviction" in it) for it in told] == [True] * (policy == "allkeys-lru")


async def _answer(answer: bool) -> bool:
    return answer


async def _says(session: RedisSession, text: str) -> bool:
    try:
        await session.counts()
    except StorageUnavailable as error:
        return text in str(error)
    return False


async def _value(load: Load) -> Any:
    while True:
        try:
            return await (await load.work(2))
        except StorageUnavailable:
            continue
