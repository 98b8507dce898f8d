"""Redis goes away, comes back, forgets its scripts, cuts connections and is slow: sessions go on by themselves."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import pytest
import redis
from redis.asyncio import Redis as AsyncRedis
from tests.conftest import EACH_SERVER, SERVERS
from tests.support.patience import until
from tests.support.servers import Server

from hueyio.exceptions import SessionClosed, StorageUnavailable
from hueyio.storage.records import Ended, Entry, Finish, Header, Over
from hueyio.storage.redis import RedisStorage
from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.connection.wire import Wire
from hueyio.storage.redis.session import RedisSession
from hueyio.storage.shared.lifetime import Lifetime

T = TypeVar("T")
OWNER = "owner"


@pytest.fixture(params=EACH_SERVER)
def own_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Run a server that this test may stop, and that keeps what it has acknowledged."""
    server = Server(SERVERS[request.param], "--appendonly", "yes", "--appendfsync", "always")
    server.start()
    try:
        yield server
    finally:
        server.dispose()


@pytest.fixture
async def session(own_server: Server) -> AsyncIterator[RedisSession]:
    session = await RedisStorage("app", url=own_server.url, outage_timeout=0).connect()
    await session.register(OWNER, b"")
    yield session
    await session.close()


async def test_wait_for_a_result_outlives_a_restart(session: RedisSession, own_server: Server) -> None:
    await session.enqueue([Entry(Header(id), b"") for id in ("a", "b")])
    (delivery, _) = await session.claim({"loop": 2}, OWNER)
    waits = [asyncio.ensure_future(session.await_outcomes([id])) for id in ("a", "b", "a")]
    await session.await_outcomes(["nobody has this id"])
    await asyncio.to_thread(own_server.kill)
    await asyncio.to_thread(own_server.start)
    assert await _again(lambda: session.settle([Finish(delivery.receipt, b"1")], OWNER, 1)) == ["accepted"]
    assert await waits[0] == await waits[2] == [Over("a", b"1", kind="done")]
    assert not waits[1].done()
    waits[1].cancel()


async def test_end_that_nobody_could_be_told_of_is_found_after_a_reconnect(
    session: RedisSession, own_server: Server
) -> None:
    other = await RedisStorage("app", url=own_server.url, outage_timeout=0).connect()
    await session.enqueue([Entry(Header("a"), b"")])
    (delivery,) = await session.claim({"loop": 1}, OWNER)
    wait = asyncio.ensure_future(session.await_outcomes(["a"]))
    await session.await_outcomes(["nobody has this id"])
    with redis.Redis.from_url(own_server.url) as admin:
        admin.client_kill_filter(_type="pubsub")
    assert await other.settle([Finish(delivery.receipt, b"1")], OWNER, 1) == ["accepted"]
    assert await wait == [Over("a", b"1", kind="done")]
    await other.close()


async def test_idle_consumer_is_told_and_goes_on_after_a_restart(session: RedisSession, own_server: Server) -> None:
    wait = asyncio.ensure_future(session.wait_for_work(["loop"], 60))
    await asyncio.sleep(0)
    await session.peek("data", ["nothing"])
    await asyncio.to_thread(own_server.kill)
    with pytest.raises(StorageUnavailable):
        await wait
    with pytest.raises(StorageUnavailable, match="cannot be reached"):
        await session.claim({"loop": 1}, OWNER)
    await asyncio.to_thread(own_server.start)
    assert await session.claim({"loop": 1}, OWNER) == []
    wait = asyncio.ensure_future(session.wait_for_work(["loop"], 60))
    await session.enqueue([Entry(Header("a"), b"")])
    assert await wait == {"loop"}


async def test_notices_come_after_a_restart(session: RedisSession, own_server: Server) -> None:
    await session.enqueue([Entry(Header("a"), b"")])
    await session.claim({"loop": 1}, OWNER)
    seen = await session.notices(OWNER, None)
    told = asyncio.ensure_future(_again(lambda: session.notices(OWNER, seen)))

    async def is_subscribed() -> bool:
        return len(await admin.pubsub_channels()) == 2

    async with AsyncRedis.from_url(own_server.url) as admin:
        await until(is_subscribed)
    await asyncio.to_thread(own_server.kill)
    await asyncio.to_thread(own_server.start)
    assert await told == seen  # so the owner knows that there was an outage
    notices = asyncio.ensure_future(session.notices(OWNER, seen))
    await session.register("other", b"")
    assert await session.cancel(["a"], "other") == []
    assert (await notices).cancelled == {"a"}


async def test_call_fails_clearly_while_the_server_is_away(session: RedisSession, own_server: Server) -> None:
    await asyncio.to_thread(own_server.stop)
    for call in (
        session.enqueue([Entry(Header("a"), b"")]),
        session.await_outcomes(["a"]),
        session.wait_for_work(["loop"], 60),
        session.delete("results", ["a"]),
        session.locate(["a"]),
    ):
        with pytest.raises(StorageUnavailable, match=f"127.0.0.1:{own_server.port}"):
            await call
    await asyncio.to_thread(own_server.start)
    assert [it.verdict for it in await session.enqueue([Entry(Header("a"), b"")])] == ["added"]


async def test_heartbeat_goes_on_after_a_restart(session: RedisSession, own_server: Server) -> None:
    keeper = RedisStorage("app", url=own_server.url).lease_keeper(OWNER)
    assert await asyncio.to_thread(keeper.beat)
    await asyncio.to_thread(own_server.kill)
    with pytest.raises(StorageUnavailable):
        await asyncio.to_thread(keeper.beat)
    await asyncio.to_thread(own_server.start)
    assert await asyncio.to_thread(keeper.beat)
    assert [owner.beat for owner in await session.owners()] == [2]
    await session.deregister(OWNER)
    assert not await asyncio.to_thread(keeper.beat)
    keeper.close()


async def test_killed_connections_lose_no_task(session: RedisSession, own_server: Server) -> None:
    ids = {f"{n}" for n in range(200)}
    left, stop = set(ids), asyncio.Event()

    async def kill_connections() -> None:
        client = AsyncRedis.from_url(own_server.url)
        while not stop.is_set():
            await client.client_kill_filter(_type="normal", skipme=True)
            await client.client_kill_filter(_type="pubsub", skipme=True)
            await asyncio.sleep(0.02)
        await client.aclose()

    killer = asyncio.ensure_future(kill_connections())
    for id in sorted(ids):
        await _again(partial(session.enqueue, [Entry(Header(id), b"")]))
    wait = asyncio.ensure_future(_again(lambda: session.await_outcomes(sorted(ids))))
    number = 0
    while left:
        await _again(lambda: session.claim({"loop": 7}, OWNER))
        held = await _again(lambda: session.held(OWNER))
        if held:
            number += 1
            settle = partial(session.settle, [Finish(it.receipt, b"done") for it in held], OWNER, number)
            assert set(await _again(settle)) == {"accepted"}
            left -= {it.receipt.id for it in held}
    assert {over.data for over in await wait} == {b"done"}
    stop.set()
    await killer


async def test_scripts_are_sent_again_when_the_server_has_forgotten_them(
    session: RedisSession, own_server: Server
) -> None:
    await session.enqueue([Entry(Header("a"), b"")])
    with redis.Redis.from_url(own_server.url) as admin:
        admin.script_flush()
    call = asyncio.ensure_future(session.enqueue([Entry(Header("b"), b"")]))
    claim = asyncio.ensure_future(session.claim({"loop": 1}, OWNER))
    await asyncio.sleep(0)
    claim.cancel()  # it is under way: what it takes is ours
    await call

    async def is_claimed() -> bool:
        return [it.receipt.id for it in await session.held(OWNER)] == ["a"]

    await until(is_claimed)


async def test_slow_server_is_given_up_in_time(own_server: Server) -> None:
    storage = RedisStorage("app", host="127.0.0.1", port=own_server.port, socket_timeout=2, outage_timeout=0)
    session = await storage.connect()
    wait = asyncio.ensure_future(session.await_outcomes(["nobody has this id"]))
    assert await wait == [Over("nobody has this id", None)]
    with redis.Redis.from_url(own_server.url) as admin:
        pid = int(admin.info("server")["process_id"])
    os.kill(pid, signal.SIGSTOP)  # a pause of its clients would end by itself, perhaps too soon
    try:
        with pytest.raises(StorageUnavailable, match="does not answer within 2 s"):
            await session.put("data", {"key": b"value"})
        keeper = storage.lease_keeper(OWNER)
        with pytest.raises(StorageUnavailable, match="in time"):
            await asyncio.to_thread(keeper.beat)
        keeper.close()
    finally:
        os.kill(pid, signal.SIGCONT)
    await _again(lambda: session.put("data", {"key": b"value"}))
    await session.close()


async def test_server_that_answers_one_call_after_another_is_not_given_up(own_server: Server) -> None:
    session = await RedisStorage("app", url=f"{own_server.url}?socket_timeout=3").connect()
    slow = pack("BLPOP", "nothing", 0.6)  # a server takes what comes on one connection one after another
    # All are sent at once, and the last is answered after more than the time that one may take.
    assert await asyncio.gather(*(session._core.wire.call(slow) for _ in range(8))) == [None] * 8
    await session.close()


class _EndsAtTheWrongMoment(Lifetime):
    """A session that ends when a link is made and has not done its first step."""

    def spawn(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = super().spawn(coroutine)
        if "Link.run" in repr(coroutine):
            for it in tuple(self._tasks):
                it.cancel()
        return task


async def test_connection_of_a_session_that_ends_while_it_opens_is_closed(own_server: Server) -> None:
    lifetime = _EndsAtTheWrongMoment(lambda: None)
    await lifetime.begin()
    deployment = RedisStorage("app", url=own_server.url)._deployment
    with pytest.raises(SessionClosed):
        await Wire(deployment, lifetime, 1.0).open()
    await lifetime.end()
    await _nobody_is_connected(own_server)


async def test_connect_that_is_cancelled_anywhere_leaves_no_connection(own_server: Server) -> None:
    for turns in range(0, 40, 2):
        opening = asyncio.ensure_future(RedisStorage("app", url=own_server.url).connect())
        for _ in range(turns):
            await asyncio.sleep(0)
        opening.cancel()
        with suppress(asyncio.CancelledError):
            await (await opening).close()
    await _nobody_is_connected(own_server)


async def _nobody_is_connected(server: Server) -> None:
    async def is_alone() -> bool:
        return len(await admin.client_list()) == 1

    async with AsyncRedis.from_url(server.url) as admin:
        await until(is_alone)


async def test_server_is_not_late_because_the_loop_was_held_up(own_server: Server) -> None:
    session = await RedisStorage("app", url=f"{own_server.url}?socket_timeout=0.2").connect()
    writing = asyncio.ensure_future(session.put("data", {"key": b"value"}))
    for _ in range(5):
        await asyncio.sleep(0)  # it is sent, and answered while nobody reads
    time.sleep(0.4)  # noqa: ASYNC251 - this is what is tested
    await writing
    await session.close()


async def test_close_ends_waits_although_the_server_is_away(own_server: Server) -> None:
    session = await RedisStorage("app", url=own_server.url, outage_timeout=0).connect()
    await session.register(OWNER, b"")
    await session.enqueue([Entry(Header("a"), b"")])
    seen = await session.notices(OWNER, None)
    waits = [
        asyncio.ensure_future(session.await_outcomes(["a"])),
        asyncio.ensure_future(session.notices(OWNER, seen)),
    ]
    await session.await_outcomes(["nobody has this id"])
    await session.peek("data", ["nothing"])  # what the waits asked for is answered
    await asyncio.to_thread(own_server.kill)
    await session.close()
    for wait in waits:
        with pytest.raises(SessionClosed):
            await wait


async def _again(call: Callable[[], Awaitable[T]]) -> T:
    """Repeat what is idempotent until the server is there."""
    while True:
        try:
            return await call()
        except StorageUnavailable:
            await asyncio.sleep(0.001)


@pytest.fixture(params=EACH_SERVER)
def forgetful_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Run a server that this test may stop, and that keeps nothing."""
    server = Server(SERVERS[request.param], "--save", "", "--appendonly", "no")
    server.start()
    try:
        yield server
    finally:
        server.dispose()


@pytest.mark.parametrize("way", ["restart", "flushall"])
async def test_waits_end_when_the_server_has_forgotten_their_tasks(forgetful_server: Server, way: str) -> None:
    storage = RedisStorage("app", url=forgetful_server.url)
    session, other = await storage.connect(), await storage.connect()
    await session.register(OWNER, b"")
    ids = [f"lost-{number}" for number in range(1000)]
    await session.enqueue([Entry(Header(id), b"") for id in [*ids, "again"]])
    lost = [asyncio.create_task(it.await_outcomes([id])) for id in ids for it in (session, other)]
    again = [asyncio.create_task(it.await_outcomes(["again", "later"], "wait")) for it in (session, other)]
    for it in (session, other):
        await it.await_outcomes(["nobody has this id"])
    assert not any(it.done() for it in (*lost, *again))
    if way == "restart":
        await asyncio.to_thread(forgetful_server.kill)
        await asyncio.to_thread(forgetful_server.start)
    else:
        with redis.Redis.from_url(forgetful_server.url) as admin:
            admin.flushall()
        for it in (session, other):
            it._core.waiters.ask_again()  # what each session does every ten seconds
    async with asyncio.timeout(30):
        assert {(over.data, over.kind) for (over,) in await asyncio.gather(*lost)} == {(None, None)}
    assert await _again(lambda: session.ended(ids)) == Ended([None] * 1000, None)
    await session.register(OWNER, b"")
    await session.enqueue([Entry(Header("again"), b""), Entry(Header("later"), b"")])
    deliveries = await session.claim({"loop": 2}, OWNER)
    ends = [Finish(it.receipt, kind="expired") for it in deliveries]
    assert await session.settle(ends, OWNER, 1) == ["accepted", "accepted"]
    async with asyncio.timeout(30):
        for overs in await asyncio.gather(*again):
            assert [over.kind for over in overs] == ["expired", "expired"]
    await session.close()
    await other.close()
