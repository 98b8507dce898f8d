"""The history: what each storage keeps of it beside the contract."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pytest
from tests.conftest import ServerOf

from hueyio.exceptions import ConfigurationError
from hueyio.storage.contract import Session
from hueyio.storage.file import FileStorage
from hueyio.storage.records import HISTORY_LOOKED_AT, Entry, Finish, Header, HistoryBatch, Release, Settlement
from hueyio.storage.redis import RedisStorage
from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.layout import Layout
from hueyio.storage.sqlite import SqliteStorage
from hueyio.storage.sqlite.statements import statements

OWNER = "owner"


class Ending:
    """Lets tasks end, one batch after another."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._number = 0

    async def end(self, *ids: str) -> None:
        """Enqueue tasks, claim them, and end them; each has an attempt that failed."""
        await self.session.enqueue([Entry(Header(id), b"") for id in ids])
        await self.session.register(OWNER, b"")
        deliveries = await self.session.claim({"loop": 1000}, OWNER)
        self._number += 1
        attempts = tuple((place, id.encode()) for place, id in enumerate(ids))
        history = HistoryBatch(ids, tuple(range(len(ids))), b"data", attempts)
        await self.session.settle([Finish(it.receipt) for it in deliveries], OWNER, self._number, history)


async def ids_of(session: Session) -> list[str | None]:
    return [id for entry in (await session.history(100)).items for id in entry.ids]


async def test_file_that_is_opened_again_has_its_history(tmp_path: Path) -> None:
    for journal_mb in (8, 0):
        folder = tmp_path / str(journal_mb)
        session = await FileStorage("app", folder, journal_mb=journal_mb, keep_history=3).connect()
        ending = Ending(session)
        for ids in (("a", "b"), ("c", "d"), ("e", "f")):
            await ending.end(*ids)
        await session.put("data", {"k": b"1"})
        other = await FileStorage("app", folder).connect()
        for it in (session, other):
            assert await ids_of(it) == ["e", "f", "c", "d"]
            assert await it.attempts(["c", "d", "e", "f"]) == [(), (b"d",), (b"e",), (b"f",)]
        await ending.end("g", "h")
        assert await ids_of(other) == ["g", "h", "e", "f"]
        await other.close()
        await session.close()


# --- SQLite


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


async def test_file_of_an_earlier_version_gets_a_place_for_its_history(file: Path) -> None:
    await (await SqliteStorage("app", file).connect()).close()
    with closing(sqlite3.connect(file)) as connection:
        for table in ("history", "attempts"):
            connection.execute(f"DROP TABLE hueyio_{table}")
    with pytest.raises(ConfigurationError, match="create_tables=True"):
        await SqliteStorage("app", file, create_tables=False).connect()
    session = await SqliteStorage("app", file).connect()
    await Ending(session).end("a")
    assert await ids_of(session) == ["a"]
    await session.close()


async def test_queues_of_one_file_have_their_own_history(file: Path) -> None:
    one, two = [await SqliteStorage(name, file, keep_history=2).connect() for name in ("one", "two")]
    first, second = Ending(one), Ending(two)
    for number in range(4):
        await first.end(f"a{number}")
        await second.end(f"b{number}")
    assert await ids_of(one) == ["a3", "a2"]
    assert await ids_of(two) == ["b3", "b2"]
    assert await two.find_ended("a3") is None
    assert await two.attempts(["a3", "b3"]) == [(), (b"b3",)]
    await one.clear(["history"])
    assert (await ids_of(one), await ids_of(two)) == ([], ["b3", "b2"])
    await one.close()
    await two.close()


async def test_history_is_written_and_listed_through_indexes(file: Path) -> None:
    await (await SqliteStorage("app", file).connect()).close()
    queries = {**statements("past_runs.sql"), **statements("history.sql")}
    with closing(sqlite3.connect(file)) as connection:
        bounded = ("bounds", "bounds_of_attempts", "drop", "drop_attempts", "drop_earlier_attempts")
        for name in (*bounded, "entries", "attempts"):
            plan = connection.execute(f"EXPLAIN QUERY PLAN {queries[name]}", [1] * queries[name].count("?")).fetchall()
            steps = " ".join(row[3] for row in plan)
            assert "SCAN hueyio" not in steps, name
            assert "TEMP B-TREE" not in steps, name


# --- Redis


@pytest.mark.parametrize("kind", ["redis"])
async def test_id_is_found_behind_more_entries_than_one_step_looks_at(server_of: ServerOf, kind: str) -> None:
    session = await RedisStorage(uuid.uuid4().hex, url=server_of(kind).url).connect()
    await session.register(OWNER, b"")
    await session.enqueue([Entry(Header(f"{number}"), b"") for number in range(HISTORY_LOOKED_AT + 2)])
    for number, delivery in enumerate(await session.claim({"loop": 1000}, OWNER), 1):
        id = delivery.receipt.id
        await session.settle([Finish(delivery.receipt)], OWNER, number, HistoryBatch((id,), (0,), id.encode()))
    for id in ("0", "1", "2", f"{HISTORY_LOOKED_AT + 1}"):
        found = await session.find_ended(id)
        assert found is not None
        assert found.data == id.encode()
    assert await session.find_ended("none") is None
    page = await session.history(10_000)
    assert len(page.items) == HISTORY_LOOKED_AT
    rest = await session.history(10_000, page.next)
    assert [it.data for it in rest.items] == [b"1", b"0"]
    assert rest.next is None
    await session.close()


@pytest.mark.parametrize("kind", ["redis"])
async def test_redis_counts_what_its_history_has(server_of: ServerOf, kind: str) -> None:
    name = uuid.uuid4().hex
    session = await RedisStorage(name, url=server_of(kind).url, keep_history=7).connect()
    ending = Ending(session)
    for number in range(20):
        await ending.end(*(f"{number}-{index}" for index in range(1 + number % 4)))
    wire, layout = session._core.wire, Layout(name)
    state = await wire.call(pack("HMGET", layout.key("HISTORY_STATE"), "count", "dropped"))
    entries = (await session.history(1000)).items
    assert [int(it) for it in state] == [sum(len(it.ids) for it in entries), 20 - len(entries)]
    assert await wire.call(pack("LLEN", layout.key("ATTEMPTS_ORDER"))) == 7
    assert await wire.call(pack("HLEN", layout.key("ATTEMPTS"))) == 7
    await session.close()


async def test_redis_keeps_an_attempt_of_a_long_batch(server_of: ServerOf) -> None:
    session = await RedisStorage(uuid.uuid4().hex, url=server_of("redis").url).connect()
    await session.register(OWNER, b"")
    await session.enqueue([Entry(Header(f"{number}", unique_key=f"{number}"), b"") for number in range(3)])
    deliveries = await session.claim({"loop": 10}, OWNER)
    history = HistoryBatch(attempts=((2, b"cut"),))
    ends: list[Settlement] = [
        Finish(deliveries[0].receipt),
        Release(deliveries[1].receipt),
        Release(deliveries[2].receipt),
    ]
    assert await session.settle(ends, OWNER, 1, history) == ["accepted"] * 3
    assert await session.attempts(["0", "1", "2"]) == [(), (), (b"cut",)]
    await session.close()
