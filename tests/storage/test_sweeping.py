"""What is over goes as fast as it comes, on every storage; the results of a chord's members go when it is over."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
import redis
from tests.support.patience import until
from tests.support.servers import Server

from hueyio.consumer.scheduler import Scheduler
from hueyio.storage.contract import Session
from hueyio.storage.file import FileStorage
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.records import MEMBER_RESULT_TTL, Entry, Finish, Header, Latch, LatchMark
from hueyio.storage.redis.family import RedisExpireStorage
from hueyio.storage.redis.storage import RedisStorage
from hueyio.storage.sqlite import SqliteStorage

OWNER: Final = "owner"
TTL: Final = 3.0
A_SECOND: Final = 2_000
"""Results that expire in each second of the test's clock: more than a chunk of any storage."""


class Bench:
    """A session whose storage follows the clock of the test, and what counts the rows that it has."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.session: Session
        self.rows: Callable[[], int]

    def clock(self) -> float:
        return self.now


@pytest.fixture(params=["memory", "sqlite", "file"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench()
    storage: Any
    if request.param == "sqlite":
        storage = SqliteStorage("app", str(tmp_path / "app.db"), clock=made.clock)
    elif request.param == "file":
        storage = FileStorage("app", str(tmp_path / "files"), clock=made.clock)
    else:
        storage = MemoryStorage("app", clock=made.clock)
    session: Any = await storage.connect()

    def rows() -> int:
        if request.param == "memory":
            return len(session._state.areas["results"]._items)
        if request.param == "file":
            return len(session._engine._replica.state.areas["results"]._items)
        with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
            return int(connection.execute("SELECT count(*) FROM hueyio_keys").fetchone()[0])

    made.session, made.rows = session, rows
    yield made
    await session.close()


async def rest_for(bench: Bench, scheduler: Scheduler, seconds: float) -> None:
    """Let the scheduler step and rest for so long, on the test's clock."""
    until = bench.now + seconds
    while bench.now < until:
        bench.now = min(bench.now + max(await scheduler.step(), 0.001), until)


async def test_rows_level_off_at_what_is_not_over_yet(bench: Bench) -> None:
    scheduler = Scheduler(bench.session, bench.clock)
    counted = []
    for second in range(12):
        await bench.session.put("results", {f"{second}-{n}": b"r" for n in range(A_SECOND)}, ttl=TTL)
        await rest_for(bench, scheduler, 1.0)
        counted.append(bench.rows())
    assert max(counted) <= (TTL + 2) * A_SECOND
    await rest_for(bench, scheduler, 10.0)
    assert bench.rows() == 0


async def test_what_is_due_does_not_wait_for_a_heap_of_what_is_over(bench: Bench) -> None:
    await bench.session.put("results", {str(n): b"r" for n in range(20_000)}, ttl=TTL)
    bench.now += TTL + 1
    await bench.session.enqueue([Entry(Header(str(n), eta=bench.now - 1), b"") for n in range(450)])
    scheduler = Scheduler(bench.session, bench.clock)
    for _ in range(3):
        await scheduler.step()
    assert bench.rows() > 0
    assert (await bench.session.counts()).queued["loop"] == 450


async def end_chord(session: Session, names: str = "") -> None:
    """Let two members of a chord and its callback end, each with a result that stays for a day."""
    callback = Entry(Header(f"{names}call", collects=True), b"")
    members = [Entry(Header(f"{names}m{n}", latch=f"{names}call", latch_index=n), b"") for n in range(2)]
    await session.enqueue(members, [Latch(2, callback, b"absent")])
    marks = {f"{names}m{n}": LatchMark(f"{names}call", n, b"value") for n in range(2)}
    for number in (1, 2):
        ends = [
            Finish(it.receipt, b"result", 86400.0, latch=marks.get(it.header.id))
            for it in await session.claim({"loop": 10}, OWNER)
        ]
        assert ends
        await session.settle(ends, OWNER, number)


async def test_results_of_a_chords_members_go_ten_minutes_after_it(bench: Bench) -> None:
    await bench.session.register(OWNER, b"")
    await bench.session.put("results", {"short": b"result", "other": b"result"}, ttl=86400.0)
    await end_chord(bench.session)
    everything = ["m0", "m1", "call", "other"]
    bench.now += MEMBER_RESULT_TTL - 1
    assert await bench.session.peek("results", everything) == [b"result"] * 4
    bench.now += 2
    assert await bench.session.peek("results", everything) == [None, None, b"result", b"result"]
    await rest_for(bench, Scheduler(bench.session, bench.clock), 10.0)
    assert bench.rows() == 3


async def test_results_of_a_chords_members_do_not_stay_longer_than_their_own_time(bench: Bench) -> None:
    await bench.session.register(OWNER, b"")
    await bench.session.enqueue(
        [Entry(Header("m", latch="call", latch_index=0), b"")],
        [Latch(1, Entry(Header("call", collects=True), b""), b"")],
    )
    for number, latch in ((1, LatchMark("call", 0, b"value")), (2, None)):
        (taken,) = await bench.session.claim({"loop": 10}, OWNER)
        await bench.session.settle([Finish(taken.receipt, b"result", 60.0, latch=latch)], OWNER, number)
    bench.now += 61
    assert await bench.session.peek("results", ["m"]) == [None]


async def test_chord_with_a_name_like_that_of_another_keeps_its_members(bench: Bench) -> None:
    await bench.session.register(OWNER, b"")
    await bench.session.enqueue(
        [Entry(Header("m", latch="call:0", latch_index=0), b"")],
        [Latch(2, Entry(Header("call:0", collects=True), b""), b"")],
    )
    (taken,) = await bench.session.claim({"loop": 10}, OWNER)
    await bench.session.settle([Finish(taken.receipt, b"result", 86400.0, latch=LatchMark("call:0", 0, b""))], OWNER, 1)
    await bench.session.deregister(OWNER)
    await bench.session.register(OWNER, b"")
    await end_chord(bench.session)
    bench.now += MEMBER_RESULT_TTL + 1
    assert await bench.session.peek("results", ["m0", "m"]) == [None, b"result"]


async def test_redis_drops_chunk_after_chunk(server: Server) -> None:
    session = await RedisStorage("sweep", url=server.url).connect()
    await session.clear(["results"])
    await session.put("results", {str(n): b"r" for n in range(1_000)}, ttl=0.001)
    with redis.Redis.from_url(server.url) as admin:

        async def is_over() -> bool:
            return await session.peek("results", ["999"]) == [None]

        await until(is_over)
        scheduler = Scheduler(session, time.time)
        rests = [await scheduler.step() for _ in range(6)]
        assert admin.hlen("hueyio:{sweep}:results") == 0
    assert max(rests[:4]) < 0.1
    assert await scheduler.step() > 1.0
    await session.close()


@pytest.mark.parametrize("made", [RedisStorage, RedisExpireStorage])
async def test_redis_lets_results_of_a_chords_members_expire(server: Server, made: type[RedisStorage]) -> None:
    name = f"chord-{made.__name__}"
    session = await made(name, url=server.url).connect()
    await session.register(OWNER, b"")
    await end_chord(session)
    await session.deregister(OWNER)
    with redis.Redis.from_url(server.url) as admin:
        left = [admin.zscore(f"hueyio:{{{name}}}:results:ttl", id) for id in ("m0", "m1", "call")]
        assert admin.exists(f"hueyio:{{{name}}}:reports") == 0
    seconds = [float(str(deadline)) - time.time() for deadline in left]
    kept = made is RedisExpireStorage  # which promises to keep every result for its time
    assert [(it > MEMBER_RESULT_TTL) for it in seconds] == [kept, kept, True]
    await session.close()
