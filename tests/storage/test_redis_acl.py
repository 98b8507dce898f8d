"""The users that the documentation proposes may do what they need, and no command more."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Final

import pytest
import redis
from tests.conftest import SERVER_KINDS, SERVERS
from tests.support.patience import until
from tests.support.redis_users import User, rules_of
from tests.support.servers import Server
from tests.workers.process import bench

from hueyio.exceptions import ConfigurationError, StorageUnavailable
from hueyio.storage.records import Entry, Finish, Header
from hueyio.storage.redis.family import PriorityRedisExpireStorage
from hueyio.storage.redis.layout import Flavour
from hueyio.storage.redis.scripts import SCRIPTS, commands_of, read_script
from hueyio.storage.redis.storage import RedisStorage

DIRECT: Final = {
    "producer": {"eval", "evalsha", "hget", "ping", "subscribe", "unsubscribe"},
    "worker": {
        "eval", "evalsha", "ping", "subscribe", "unsubscribe", "blpop", "lpop", "rpush", "client|id", "client|unblock",
        "info", "exists", "hget",
    },
}  # fmt: skip
OPTIONAL: Final = {"client|unblock", "info"}
"""Without these a worker is less prompt, or warns less."""
FLAVOURS: Final = [Flavour("list", "once"), Flavour("sorted", "kept")]


def commands_for(role: str, *flavours: Flavour) -> set[str]:
    return DIRECT[role] | {name.lower() for flavour in flavours for name in commands_of(SCRIPTS, flavour)}


def test_commands_of_all_scripts_are_found() -> None:
    called = re.compile(rb"redis\.p?call\(\s*('?)")
    for name in SCRIPTS:
        for flavour in FLAVOURS:
            # What is no literal there is the command of ``fetch``, ``apply`` or ``try``, whose callers are found.
            unnamed = [quote for quote in called.findall(read_script(name, flavour).source) if not quote]
            assert len(unnamed) <= 4


@pytest.mark.parametrize("role", ["worker", "producer"])
def test_documented_rules_allow_exactly_what_is_sent(role: str) -> None:
    allowed = {rule[1:] for rule in rules_of(role) if rule.startswith("+")}
    wanted = commands_for(role, *FLAVOURS)
    assert allowed == wanted, "the page should say: " + " ".join(f"+{command}" for command in sorted(wanted))


@pytest.fixture
def worker(server: Server) -> Iterator[User]:
    user = User(server, "worker")
    yield user
    user.close()


@pytest.fixture
def producer(server: Server) -> Iterator[User]:
    user = User(server, "producer")
    yield user
    user.close()


async def begin(user: User, made: type[RedisStorage]) -> None:
    """Do what a worker does first."""
    session = await user.storage(made).connect()
    try:
        await session.prepare_consuming()
        await session.register("owner", b"")
        await session.deregister("owner")
    finally:
        await session.close()


async def look(user: User, made: type[RedisStorage]) -> None:
    """Do what a program does first."""
    session = await user.storage(made).connect()
    await session.close()


@pytest.mark.parametrize(("made", "flavour"), [(RedisStorage, FLAVOURS[0]), (PriorityRedisExpireStorage, FLAVOURS[1])])
async def test_worker_is_refused_at_its_start_when_one_command_is_not_allowed(
    worker: User, made: type[RedisStorage], flavour: Flavour
) -> None:
    await begin(worker, made)
    for command in commands_for("worker", flavour) - OPTIONAL:
        worker.allow(f"-{command}")
        named = command.replace("|", r"[| ]").upper()
        with pytest.raises(ConfigurationError, match=rf"^Redis at \S+ does not let this user use the command {named};"):
            await begin(worker, made)
        worker.allow(f"+{command}")
    await begin(worker, made)
    for command in OPTIONAL:
        worker.allow(f"-{command}")
    await begin(worker, made)


@pytest.mark.parametrize(("made", "flavour"), [(RedisStorage, FLAVOURS[0]), (PriorityRedisExpireStorage, FLAVOURS[1])])
async def test_producer_is_refused_when_it_connects_and_one_command_is_not_allowed(
    producer: User, made: type[RedisStorage], flavour: Flavour
) -> None:
    await look(producer, made)
    for command in commands_for("producer", flavour) - OPTIONAL:
        producer.allow(f"-{command}")
        with pytest.raises(ConfigurationError, match=rf"use the command {command.upper()}; "):
            await look(producer, made)
        producer.allow(f"+{command}")
    await look(producer, made)


@pytest.mark.parametrize("channels", [(), ("client:*",), ("notice:*", "client:*", "progress:*"), ("notices",)])
async def test_user_of_some_channels_only_is_refused(producer: User, channels: tuple[str, ...]) -> None:
    producer.allow("resetchannels", *(f"&hueyio:{{{producer.name}}}:{channel}" for channel in channels))
    with pytest.raises(ConfigurationError, match="does not let this user use the channels of this queue; "):
        await look(producer, RedisStorage)


@pytest.mark.parametrize("keys", [(), ("tasks",), ("[a-q]*", "[s-z]*")])
async def test_user_of_some_keys_only_is_refused(producer: User, keys: tuple[str, ...]) -> None:
    producer.allow("resetkeys", *(f"~hueyio:{{{producer.name}}}:{key}" for key in keys))
    with pytest.raises(ConfigurationError, match="does not let this user use the keys of this queue; "):
        await look(producer, RedisStorage)


async def test_user_who_may_only_read_is_refused(producer: User) -> None:
    producer.allow("resetkeys", f"%R~hueyio:{{{producer.name}}}:*")
    with pytest.raises(ConfigurationError, match="does not let this user use the keys of this queue; "):
        await look(producer, RedisStorage)


async def test_what_a_refused_session_tried_has_changed_nothing(worker: User) -> None:
    await look(worker, RedisStorage)
    before = sorted(worker.admin.keys(f"hueyio:{{{worker.name}}}:*"))
    worker.allow("-hdel")
    with pytest.raises(ConfigurationError):
        await begin(worker, RedisStorage)
    assert sorted(worker.admin.keys(f"hueyio:{{{worker.name}}}:*")) == before


def test_worker_without_a_right_exits_with_the_code_for_configuration(worker: User) -> None:
    worker.allow("-publish")
    made = (
        f"hueyio.RedisHuey({worker.name!r}, host='127.0.0.1', port={worker.server.port}, "
        f"username={worker.name!r}, password='secret')"
    )
    with bench({"HUEYIO_TEST_HUEY": made}) as workers:
        started = workers.launch()
        assert started.wait() == 78
        assert "does not let this user use the command PUBLISH" in started.lines[-1]


@pytest.mark.parametrize("kind", SERVER_KINDS)
async def test_server_that_does_not_know_a_command_is_refused(kind: str) -> None:
    renamed = Server(SERVERS[kind], "--rename-command", "HSETNX", "")
    try:
        renamed.start()
        with pytest.raises(ConfigurationError, match="does not know the command HSETNX"):
            await RedisStorage("app", url=renamed.url).connect()
    finally:
        renamed.dispose()


@pytest.mark.parametrize("kind", SERVER_KINDS)
async def test_replica_of_a_living_master_is_refused(kind: str) -> None:
    master = Server(SERVERS[kind], "--repl-diskless-sync-delay", "0")
    replica = Server(SERVERS[kind], "--replicaof", "127.0.0.1", str(master.port))
    try:
        master.start()
        replica.start()
        with redis.Redis.from_url(replica.url) as admin:

            async def follows() -> bool:
                return bool(admin.info("replication")["master_link_status"] == "up")

            await until(follows)
            with pytest.raises(ConfigurationError, match=rf"is a replica of 127\.0\.0\.1:{master.port}: give"):
                await RedisStorage("app", url=replica.url, outage_timeout=0.1).connect()
            admin.replicaof("127.0.0.1", "1")  # a fail-over may be under way: that is for now
            with pytest.raises(StorageUnavailable, match="is a read-only replica"):
                await RedisStorage("app", url=replica.url, outage_timeout=0.1).connect()
    finally:
        replica.dispose()
        master.dispose()


async def test_no_step_is_half_done_when_publishing_is_forbidden_meanwhile(worker: User) -> None:
    session = await worker.storage().connect()
    await session.register("owner", b"")
    await session.enqueue([Entry(Header(id), b"") for id in ("run", "flagged", "cleared")])
    waiting = asyncio.ensure_future(session.await_outcomes(["run", "cleared"]))
    key = f"hueyio:{{{worker.name}}}:waiting"

    async def is_registered() -> bool:
        return worker.admin.hlen(key) == 2

    await until(is_registered)
    taken, _ = await session.claim({"loop": 2}, "owner")
    worker.allow("-publish")
    assert await session.cancel(["flagged"], "owner") == []
    assert (await session.notices("owner", None)).cancelled == {"flagged"}
    assert await session.report(taken.receipt, b"half")
    settlement = Finish(taken.receipt, result=b"result")
    assert await session.settle([settlement], "owner", 1) == ["accepted"]
    assert await session.settle([settlement], "owner", 1) == ["accepted"]
    assert [it.header.id for it in await session.held("owner")] == ["flagged"]
    assert await session.peek("results", ["run"]) == [b"result"]
    await session.put("revocations", {"a": b"r"})
    await session.pause()
    assert (await session.notices("owner", None)).paused
    await session.resume()
    await session.clear(["queue"])
    assert (await session.counts()).queued["loop"] == 0
    await session.deregister("owner")
    assert worker.admin.hlen(key) == 0
    waiting.cancel()
    await session.close()
