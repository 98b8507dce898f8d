"""What is specific to Redis: keys, connections, round trips, and what other programs may do to a queue."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.support.patience import until
from tests.support.servers import Server

from hueyio.exceptions import SessionClosed, StorageError, StorageUnavailable
from hueyio.storage import redis as redis_storage
from hueyio.storage.operations import OPERATIONS
from hueyio.storage.records import Bury, Defer, Entry, Finish, Header, Over, Settlement
from hueyio.storage.redis import RedisStorage
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.session import RedisSession

Connect = Callable[..., Awaitable[RedisSession]]
OWNER = "owner"


@pytest.fixture
def name() -> str:
    return f"queue {uuid.uuid4().hex}"


@pytest.fixture
def admin(server: Server) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url) as client:
        yield client


@pytest.fixture
async def connect(server: Server, name: str) -> AsyncIterator[Connect]:
    """Open sessions that are closed at the end."""
    sessions: list[RedisSession] = []

    async def open_session(queue: str = name, **options: Any) -> RedisSession:
        session = await RedisStorage(queue, url=server.url, **options).connect()
        sessions.append(session)
        return session

    yield open_session
    for session in sessions:
        await session.close()


async def test_only_fixed_keys_remain_when_all_is_done(connect: Connect, admin: redis.Redis, name: str) -> None:
    session = await connect()
    await session.register(OWNER, b"")
    headers = [Header(f"plain-{n}") for n in range(50)]
    headers += [Header(f"unique-{n}", unique_key=f"key-{n}") for n in range(5)]
    headers += [Header(f"stage-{n}", "thread", expects=(f"later-{n}", f"latest-{n}")) for n in range(5)]
    headers += [Header(f"due-{n}", "process", eta=1.0 + n) for n in range(5)]
    ids = [header.id for header in headers]
    await session.enqueue([Entry(header, b"data") for header in headers])
    assert (await session.promote(100.0, 100)).moved == 5
    waiting = asyncio.ensure_future(session.await_outcomes([*ids, "later-0"]))
    await session.cancel(["plain-0"], OWNER)
    number = 0
    while batch := await session.held(OWNER) or await session.claim({"loop": 7, "thread": 7, "process": 7}, OWNER):
        number += 1
        await session.settle([Finish(it.receipt, b"result", 60.0) for it in batch], OWNER, number)
    assert {over.data for over in await waiting} == {b"result", None}
    assert await session.delete("results", ids) == len(ids)
    await session.deregister(OWNER)
    await session.close()
    prefix = Layout(name).prefix.decode()
    left = {key.decode().removeprefix(prefix) for key in admin.scan_iter(f"{prefix}*")}
    ended = {"ended:one", "ended:kinds:one", "ended:state"}
    assert left <= {"kind:list", "bell:loop", "bell:thread", "bell:process", "bell:schedule", "entered", *ended}


async def test_thousand_waiters_share_connections_and_poll_nothing(
    connect: Connect, admin: redis.Redis, server: Server, name: str
) -> None:
    session = await connect(client_name=name.replace(" ", "-"))
    await session.register(OWNER, b"")
    ids = [f"task-{n}" for n in range(1000)]
    await session.enqueue([Entry(Header(id), b"") for id in ids])
    waits = [asyncio.ensure_future(session.await_outcomes([id])) for id in ids]
    for _ in range(2):  # the first is asked before them, the second after all of them
        await session.await_outcomes(["nobody has this id"])
    admin.config_resetstat()
    for number in range(1, 11):
        batch = await session.claim({"loop": 100}, OWNER)
        await session.settle([Finish(it.receipt, b"value") for it in batch], OWNER, number)
    assert await asyncio.gather(*waits) == [[Over(id, b"value", kind="done")] for id in ids]
    calls = {command: figures["calls"] for command, figures in _commandstats(admin).items()}
    assert calls["publish"] == 10  # one message for each batch
    scripts = {"evalsha", "eval"}
    assert sum(calls.get(script, 0) for script in scripts) <= 20 + 2  # the first of a kind may be unknown
    # Whatever else was called was called by these scripts; or is a PING, where a slow machine was silent for seconds.
    outside = {"blpop", "subscribe", "get", "keys"}
    assert not outside & calls.keys()
    connections = [it for it in admin.client_list() if it["name"] == name.replace(" ", "-")]
    assert len(connections) == 2


@pytest.mark.parametrize("turns", range(5))
async def test_wait_that_is_cancelled_as_it_begins_leaves_no_registration(
    connect: Connect, admin: redis.Redis, name: str, turns: int
) -> None:
    session = await connect()
    await session.enqueue([Entry(Header("a"), b"")])
    await session.await_outcomes(["nobody has this id"])
    wait = asyncio.ensure_future(session.await_outcomes(["a"]))
    for _ in range(turns):
        await asyncio.sleep(0)
    wait.cancel()
    await asyncio.gather(wait, return_exceptions=True)
    await session.await_outcomes(["nor this one"])  # what was written before is written
    assert admin.hkeys(Layout(name).key("WAITING")) == []


async def test_close_takes_every_registration_back(connect: Connect, admin: redis.Redis, name: str) -> None:
    session = await connect()
    await session.enqueue([Entry(Header(id), b"") for id in ("a", "b")])
    waits = [asyncio.ensure_future(session.await_outcomes([id])) for id in ("a", "b", "a")]
    await session.await_outcomes(["nobody has this id"])
    assert admin.hlen(Layout(name).key("WAITING")) == 2
    await session.close()
    assert admin.hlen(Layout(name).key("WAITING")) == 0
    for wait in waits:
        with pytest.raises(SessionClosed):
            await wait


def test_script_stands_in_the_folder_of_its_role_when_it_carries_out_an_operation() -> None:
    files = Path(redis_storage.__file__).with_name("lua").rglob("*.lua")
    folders = {file.stem: file.parent.name for file in files}
    scripts = [it for it in OPERATIONS.values() if it.name in folders]
    assert [folders[it.name] for it in scripts] == [it.role for it in scripts]
    assert {it.name for it in OPERATIONS.values() if not it.waits} - folders.keys() == {"clear", "paused", "time"}


async def test_four_connections_at_most(connect: Connect, admin: redis.Redis, server: Server) -> None:
    label = uuid.uuid4().hex
    storage = RedisStorage("app", url=server.url, client_name=label)
    session = await connect("app", client_name=label)
    await session.register(OWNER, b"")
    keeper = storage.lease_keeper(OWNER)
    assert await asyncio.to_thread(keeper.beat)
    await session.enqueue([Entry(Header("a"), b"")])
    seen = await session.notices(OWNER, None)
    waits = [
        *(asyncio.ensure_future(session.await_outcomes(["a"])) for _ in range(10)),
        *(asyncio.ensure_future(session.wait_for_work(["process", "thread"], 60)) for _ in range(10)),
        *(asyncio.ensure_future(session.notices(OWNER, seen)) for _ in range(10)),
    ]

    async def are_four() -> bool:
        return len([it for it in admin.client_list() if it["name"] == label]) == 4

    await until(are_four)
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    assert await are_four()
    keeper.close()
    await session.close()

    async def are_gone() -> bool:
        return not any(it["name"] == label for it in admin.client_list())

    await until(are_gone)


async def test_ring_that_comes_after_a_cancelled_wait_goes_to_others(connect: Connect) -> None:
    leaver, stayer = await connect(), await connect()
    wait = asyncio.ensure_future(leaver.wait_for_work(["loop"], 60))
    await asyncio.sleep(0)
    await leaver.peek("data", ["nothing"])
    wait.cancel()
    await leaver.enqueue([Entry(Header("a"), b"")])
    assert await stayer.wait_for_work(["loop"], 60) == {"loop"}


async def test_wait_covers_a_bell_that_the_one_under_way_does_not(connect: Connect) -> None:
    session = await connect()
    first = asyncio.ensure_future(session.wait_for_work(["loop"], 60))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(session.wait_for_work(["thread"], 60))
    await asyncio.sleep(0)
    await session.enqueue([Entry(Header("a", "thread"), b"")])
    assert await second == {"thread"}
    await session.enqueue([Entry(Header("b", "loop"), b"")])
    assert await first == {"loop"}


async def test_bells_are_looked_at_when_nothing_may_block(connect: Connect, admin: redis.Redis) -> None:
    session = await connect(blocking=False, read_timeout=0.001)
    wait = asyncio.ensure_future(session.wait_for_work(["loop", "thread"], 60))
    await session.enqueue([Entry(Header("a", "loop"), b""), Entry(Header("b", "thread"), b"")])
    assert await wait == {"loop", "thread"}
    assert await session.wait_for_work(["loop"], 0.01) == frozenset()


async def test_bells_keep_few_tokens(connect: Connect, admin: redis.Redis, name: str) -> None:
    session = await connect()
    for at in range(0, 300, 3):
        await session.enqueue([Entry(Header(f"{at + offset}"), b"") for offset in range(3)])
    assert admin.llen(Layout(name).bell("loop")) == 64
    await session.register(OWNER, b"")
    assert len(await session.claim({"loop": 1000}, OWNER)) == 300
    # Nothing is left to ring for.
    assert await session.wait_for_work(["loop"], 0) == frozenset()


async def test_large_results_reach_every_waiter(connect: Connect) -> None:
    consumer, one, other = await connect(), await connect(), await connect()
    await consumer.register(OWNER, b"")
    large, small = b"x" * 300_000, b"y"
    await consumer.enqueue([Entry(Header(id), b"") for id in ("large", "small", "alone")])
    waits = [asyncio.ensure_future(it.await_outcomes(["large", "small"])) for it in (one, other)]
    waits.append(asyncio.ensure_future(one.await_outcomes(["alone"])))
    await asyncio.sleep(0)
    for it in (one, other):
        await it.await_outcomes(["nobody has this id"])
    batch = {it.receipt.id: it.receipt for it in await consumer.claim({"loop": 10}, OWNER)}
    ends = [Finish(batch["large"], large), Finish(batch["small"], small), Finish(batch["alone"], large)]
    assert await consumer.settle(ends, OWNER, 1) == ["accepted"] * 3
    shared = [Over("large", large, True, kind="done"), Over("small", small, True, kind="done")]
    assert await asyncio.gather(*waits) == [shared, shared, [Over("alone", large, kind="done")]]
    # Who comes late learns that it is not his to delete.
    assert await consumer.await_outcomes(["large"]) == [Over("large", large, True, kind="done")]


async def test_queue_of_another_kind_under_the_same_name_is_refused(
    connect: Connect, admin: redis.Redis, name: str
) -> None:
    session = await connect()
    await session.register(OWNER, b"")
    admin.zadd(Layout(name).key("READY_LOOP"), {"a": 1})
    with pytest.raises(StorageError, match="another kind of Huey lives under this name"):
        await session.claim({"loop": 1}, OWNER)


async def test_full_server_refuses_whole_enqueues_and_takes_settlements(connect: Connect, admin: redis.Redis) -> None:
    session = await connect()
    await session.register(OWNER, b"")
    await session.enqueue([Entry(Header("a"), b"")])
    (delivery,) = await session.claim({"loop": 1}, OWNER)
    admin.config_set("maxmemory", "1")
    try:
        with pytest.raises(StorageUnavailable, match="out of memory"):
            await session.enqueue([Entry(Header("b"), b""), Entry(Header("c", eta=1.0), b"")])
        assert await session.settle([Finish(delivery.receipt)], OWNER, 1) == ["accepted"]
    finally:
        admin.config_set("maxmemory", "0")
    assert [found.state for found in await session.locate(["b", "c"])] == ["unknown", "unknown"]


async def test_text_that_cannot_be_written_is_refused_alone(connect: Connect) -> None:
    session = await connect()
    await session.register(OWNER, b"")
    bad = "\ud800"
    refused = [
        session.enqueue([Entry(Header(bad), b"")]),
        session.enqueue([Entry(Header("x", unique_key=bad), b"")]),
        session.await_outcomes([bad]),
        session.delete("results", [bad]),
        session.peek("data", [bad]),
    ]
    fine = session.enqueue([Entry(Header("a"), b"")])
    results = await asyncio.gather(*refused, fine, return_exceptions=True)
    assert all(isinstance(it, StorageError) for it in results[:-1])
    assert not isinstance(results[-1], BaseException)


async def test_enqueue_of_more_than_a_call_takes(connect: Connect) -> None:
    session = await connect()
    entries = [Entry(Header(f"{n}"), b"") for n in range(2500)]
    assert {placed.verdict for placed in await session.enqueue(entries)} == {"added"}
    assert {placed.verdict for placed in await session.enqueue(entries)} == {"alive"}
    assert [entry.header.id for entry in await session.scan_tasks("queued")] == [f"{n}" for n in range(2500)]


async def test_clear_of_more_than_a_step_takes(connect: Connect) -> None:
    session = await connect()
    for due in (None, 1e10):
        await session.enqueue([Entry(Header(f"{due}-{n}", eta=due), b"") for n in range(6000)])
    await session.clear(["queue", "schedule"])
    counts = await session.counts()
    assert (sum(counts.queued.values()), counts.scheduled) == (0, 0)


async def test_started_mark_survives_being_put_off_and_lost(connect: Connect) -> None:
    session = await connect()
    await session.register("first", b"")
    await session.enqueue([Entry(Header("a", max_deliveries=9), b"")])
    (delivery,) = await session.claim({"loop": 1}, "first")
    assert await session.start([delivery.receipt], "first") == [True]
    await session.reclaim("first", 0)
    await session.register(OWNER, b"")
    (delivery,) = await session.claim({"loop": 1}, OWNER)
    assert (delivery.receipt.deliveries, delivery.started) == (1, True)
    await session.settle([Defer(delivery.receipt, delivery.header)], OWNER, 1)
    (delivery,) = await session.claim({"loop": 1}, OWNER)
    assert (delivery.receipt.deliveries, delivery.started) == (0, True)


async def test_settle_takes_what_is_special_amid_what_is_plain(connect: Connect) -> None:
    session = await connect()
    await session.register(OWNER, b"")
    ids = ["plain", "retry", "bury", "unique", "ttl", "again"]
    await session.enqueue([Entry(Header(id, unique_key="key" if id == "unique" else None), b"d") for id in ids])
    held = {it.receipt.id: it for it in await session.claim({"loop": 10}, OWNER)}
    batch: list[Settlement] = [
        Finish(held["plain"].receipt, b"1", 100.0),
        Finish(held["retry"].receipt, intermediate=b"error", follow_ups=(Entry(Header("retry"), b"d2"),)),
        Bury(held["bury"].receipt, "reason: \u00fc", b"buried"),
        Finish(held["unique"].receipt, follow_ups=(Entry(Header("next", unique_key="key"), b"d"),)),
        Finish(held["ttl"].receipt, b"2", 200.0),
        Finish(held["plain"].receipt, b"twice"),
        Finish(held["again"].receipt),
    ]
    answers = await session.settle(batch, OWNER, 1)
    assert answers == ["accepted"] * 5 + ["stale", "accepted"]
    assert await session.settle(batch, OWNER, 1) == answers
    assert await session.peek("results", ids) == [b"1", b"error", b"buried", None, b"2", None]
    places = [found.state for found in await session.locate([*ids, "next"])]
    assert places == ["stored", "queued", "dead", "ended", "stored", "ended", "queued"]
    (letter,) = await session.dead()
    assert (letter.header.id, letter.data, letter.reason) == ("bury", b"d", "reason: \u00fc")


@pytest.mark.parametrize("ending", ["", "raise SystemExit(3)"])
def test_program_that_forgets_to_close_ends_silently(server: Server, name: str, ending: str) -> None:
    program = f"""
import asyncio
from hueyio.storage.records import Entry, Header
from hueyio.storage.redis import RedisStorage

async def main():
    storage = RedisStorage({name!r}, url={server.url!r})
    await (await storage.connect()).peek("data", ["a"])
    session = await storage.connect()
    await session.register("owner", b"")
    storage.lease_keeper("owner").beat()
    await session.enqueue([Entry(Header("a"), b"")])
    seen = await session.notices("owner", None)
    for wait in (session.await_outcomes(["a"]), session.notices("owner", seen), session.wait_for_work(["thread"], 60)):
        waits.append(asyncio.ensure_future(wait))
    await session.await_outcomes(["nobody has this id"])
    {ending}

waits = []
asyncio.run(main())
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-W", "always", "-c", program], capture_output=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == (b"", b"")
    assert done.returncode == (3 if "SystemExit" in ending else 0)


def _commandstats(admin: redis.Redis) -> dict[str, dict[str, Any]]:
    found: dict[str, Any] = admin.info("commandstats")
    return {name.removeprefix("cmdstat_"): figures for name, figures in found.items()}
