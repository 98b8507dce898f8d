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
from contextlib import AsyncExitStack
from typing import Any, Final

import pytest
import redis
from redis.asyncio import Redis as AsyncRedis
from tests.conftest import SERVER_KINDS, SERVERS
from tests.patience import until

from hueyio import Huey, RedisHuey, StorageUnavailable
from hueyio.storage.redis import RedisStorage
from hueyio.storage.redis.layout import Flavour
from hueyio.storage.redis.scripts import read_script
from hueyio.testing.deployments import SentinelGroup
from hueyio.testing.proxy import FaultProxy
from hueyio.testing.servers import Server

pytestmark = pytest.mark.deployment

SCALE: Final = float(os.environ.get("HUEYIO_TEST_SCALE", "1"))
LOST_REPLIES: Final = int(10 * SCALE)
SECONDS_OF_KILLING: Final = 1.5 * SCALE


class Load:
    """Consumers of one queue and a producer, all in this loop, each with connections of its own."""

    def __init__(self, **where: Any) -> None:
        self.name = uuid.uuid4().hex
        self.where = where
        self.runs: Counter[int] = Counter()
        self.ran_at: dict[int, float] = {}
        self.last_run_of: dict[int, float] = {}
        self.acknowledged: set[int] = set()
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
            try:
                await self.work(number)
            except StorageUnavailable:
                self.refused += 1
            else:
                self.acknowledged.add(number)

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


@pytest.fixture(params=SERVER_KINDS)
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
    await until(lambda: _answer(all(load.last_run_of.get(index, 0.0) > back for index in range(3))))
    resumed = max(load.last_run_of[index] for index in range(3)) - back
    stop.set()
    await producing
    await load.drained()
    print(load, f"all consumers {resumed:.2f} s")
    await load.close()
    assert load.lost == set()
    assert resumed < 2
    told = [it.message for it in caplog.records if "trying again" in it.message]
    assert len(told) == 3  # once by each consumer
    assert sum("works again" in it.message for it in caplog.records) == 3


async def test_killed_connections_lose_nothing(server: Server) -> None:
    load = Load(url=server.url)
    await load.start(2, workers=10)
    stop = asyncio.Event()
    producing = asyncio.ensure_future(load.produce_until(stop))
    end = asyncio.get_running_loop().time() + SECONDS_OF_KILLING
    kills = 0
    async with AsyncRedis.from_url(server.url) as admin:
        while asyncio.get_running_loop().time() < end:
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
    assert kills > SECONDS_OF_KILLING * 5


async def test_consumers_follow_a_fail_over(sentinels: SentinelGroup) -> None:
    load = Load(url=sentinels.url)
    await load.start(3, workers=5)
    stop = asyncio.Event()
    producing = asyncio.ensure_future(load.produce_until(stop))
    await until(lambda: _answer(len(load.runs) > 50))
    await asyncio.to_thread(sentinels.master.kill)
    over = time.monotonic()
    await until(lambda: _answer(all(load.last_run_of.get(index, 0.0) > over for index in range(3))))
    resumed = max(load.last_run_of[index] for index in range(3)) - over
    stop.set()
    await producing
    await load.drained()  # whatever the new master kept has run
    print(load, f"all consumers {resumed:.2f} s after")
    with redis.Redis(port=sentinels.master.port) as admin:
        left = admin.hlen(RedisStorage(load.name, url=sentinels.url)._layout.key("TASKS"))
    await load.close()
    assert left == 0
    assert len(load.lost) < 10  # what was acknowledged and not replicated yet died with the master
    assert resumed < 15


async def test_enqueue_whose_reply_is_lost_makes_one_task(proxy: FaultProxy) -> None:
    load = Load(url=url_of(proxy))
    await load.start(0)
    await load.produce(1)
    for _ in range(LOST_REPLIES):
        proxy.arm("swallow", digest_of("enqueue"))
        await load.produce(1)
        assert proxy.struck == 1
    assert load.refused == 0
    assert await load.producer.count() == LOST_REPLIES + 1
    await load.close()


@pytest.mark.parametrize("kind", ["swallow", "cut"])
@pytest.mark.parametrize("script", ["claim", "settle"])
async def test_task_whose_reply_is_lost_runs_once_and_at_once(proxy: FaultProxy, script: str, kind: Any) -> None:
    load = Load(url=url_of(proxy))
    await load.start(1)
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
    assert slowest < 5  # and not a lease
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
    assert time.monotonic() - begun < 0.5 + 2.0 + 1.5
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
    assert await waiting is None
    await load.close()


async def test_producer_gives_up_in_time_and_says_why() -> None:
    huey = RedisHuey("app", url="redis://127.0.0.1:1/0", outage_timeout=0.2)
    begun = time.monotonic()
    with pytest.raises(StorageUnavailable, match=r"127\.0\.0\.1:1/0 cannot be reached: connection refused"):
        await huey.session()
    assert 0.2 <= time.monotonic() - begun < 1.5


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


async def _value(load: Load) -> Any:
    while True:
        try:
            return await (await load.work(2))
        except StorageUnavailable:
            continue
