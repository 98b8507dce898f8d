"""Failed tasks: what each storage keeps of them beside the contract."""

from __future__ import annotations

import random
import sqlite3
import uuid
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ServerOf

from hueyio.exceptions import ConfigurationError
from hueyio.storage.contract import Session
from hueyio.storage.file import FileStorage
from hueyio.storage.records import Bury, Entry, Header, Requeue, Wanted
from hueyio.storage.redis import RedisStorage
from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.session import RedisSession
from hueyio.storage.sqlite import SqliteStorage
from hueyio.storage.sqlite.statements import statements

OWNER = "owner"


class Failing:
    """Lets tasks fail, one batch after another."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._number = 0

    async def fail(self, *ids: str, size: int = 1, **header: Any) -> None:
        """Enqueue tasks, claim them, and bury them."""
        await self.session.enqueue([Entry(Header(id, **header), bytes(size)) for id in ids])
        await self.session.register(OWNER, b"")
        deliveries = await self.session.claim({"loop": 1000}, OWNER)
        self._number += 1
        ends = [
            Bury(it.receipt, "why", b"error", 600.0, into="failed", name="app.add", again=it.data) for it in deliveries
        ]
        assert await self.session.settle(ends, OWNER, self._number) == ["accepted"] * len(ids)

    async def live(self, seed: int) -> None:
        """Let tasks fail, fail again, run again, and go."""
        chance = random.Random(seed)
        for _ in range(30):
            ids = chance.sample("abcdefgh", 3)
            unique = {"unique_key": ids[0]} if chance.random() < 0.3 else {}
            await self.fail(*ids[: 1 if unique else 3], size=chance.randrange(100), **unique)
            if chance.random() < 0.3:
                await self.session.requeue([Requeue(chance.choice(ids))])
                await self.session.clear(["queue"])
            if chance.random() < 0.2:
                await self.session.purge(chance.sample("abcdefgh", 3) * 2, "failed")
            if chance.random() < 0.1:
                await self.session.clear(["failed"])


async def ids_of(session: Session) -> Sequence[str]:
    return [it.header.id for it in (await session.failed(100)).items]


async def test_file_that_is_opened_again_has_its_failed_tasks(tmp_path: Path) -> None:
    for journal_mb in (8, 0):
        folder = tmp_path / str(journal_mb)
        session = await FileStorage("app", folder, journal_mb=journal_mb, keep_failed=2).connect()
        await Failing(session).fail("a", "b", "c")
        await session.put("data", {"k": b"1"})
        other = await FileStorage("app", folder).connect()
        assert await ids_of(other) == await ids_of(session) == ["c", "b"]
        await other.close()
        await session.close()


# --- SQLite


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


def downgrade(file: Path) -> None:
    """Take from a file what an earlier hueyio did not have."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE hueyio_failed")
        connection.execute("DROP INDEX hueyio_dead_times")
        for table, column in (("queues", "failed"), ("queues", "failed_bytes"), ("dead", "kind"), ("dead", "name")):
            connection.execute(f"ALTER TABLE hueyio_{table} DROP COLUMN {column}")


async def test_file_of_an_earlier_version_gets_a_place_for_failed_tasks(file: Path) -> None:
    before = await SqliteStorage("app", file).connect()
    await before.enqueue([Entry(Header("dead"), b"")])
    await before.register(OWNER, b"")
    (delivery,) = await before.claim({"loop": 1}, OWNER)
    await before.settle([Bury(delivery.receipt, "why")], OWNER, 1)
    await before.close()
    downgrade(file)
    with pytest.raises(ConfigurationError, match="create_tables=True"):
        await SqliteStorage("app", file, create_tables=False).connect()
    session = await SqliteStorage("app", file).connect()
    assert [(it.header.id, it.kind, it.name) for it in await session.dead()] == [("dead", None, "")]
    await session.deregister(OWNER)
    await Failing(session).fail("a")
    assert await ids_of(session) == ["a", "dead"]
    await session.close()


@pytest.mark.parametrize("seed", range(3))
async def test_sqlite_counts_what_it_keeps(file: Path, seed: int) -> None:
    session = await SqliteStorage("app", file, keep_failed=5, failed_bytes=300).connect()
    await Failing(session).live(seed)
    with closing(sqlite3.connect(file)) as connection:
        counted = connection.execute("SELECT failed, failed_bytes FROM hueyio_queues").fetchone()
        kept = connection.execute("SELECT count(*), coalesce(sum(size), 0) FROM hueyio_failed").fetchone()
    assert counted == kept
    assert kept[0] <= 5
    assert kept[1] <= 300
    await session.close()


async def test_lists_of_failed_tasks_read_an_index(file: Path) -> None:
    session = await SqliteStorage("app", file).connect()
    given = {"queue": 1, "until": 9e9, "at": 9e9, "id": "", "most": 10}
    with closing(sqlite3.connect(file)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statements('dead.sql')['letters']}", given).fetchall()
    steps = " ".join(row[3] for row in plan)
    assert "hueyio_failed_times" in steps
    assert "hueyio_dead_times" in steps
    assert "TEMP B-TREE" not in steps
    await session.close()


# --- Redis


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["redis", "valkey"])
async def test_redis_counts_the_bytes_that_it_keeps(server_of: ServerOf, kind: str, seed: int) -> None:
    name = uuid.uuid4().hex
    session = await RedisStorage(name, url=server_of(kind).url, keep_failed=5, failed_bytes=300).connect()
    await Failing(session).live(seed)
    letters = await _ask(session, "HVALS", name, "FAILED")
    times = await _ask(session, "ZCARD", name, "FAILED_TIMES")
    assert len(letters) == times <= 5
    assert int(await _ask(session, "GET", name, "FAILED_SIZE") or 0) == sum(map(len, letters)) <= 300
    await session.close()


@pytest.mark.parametrize("kind", ["redis", "valkey"])
async def test_dead_letter_of_an_earlier_version_is_listed_as_lost(server_of: ServerOf, kind: str) -> None:
    name = uuid.uuid4().hex
    session = await RedisStorage(name, url=server_of(kind).url).connect()
    layout = Layout(name)
    await session._core.wire.call(pack("HSET", layout.key("DEAD"), "old", b"3:whylold"))
    await session._core.wire.call(pack("ZADD", layout.key("DEAD_TIMES"), 12.5, "old"))
    (letter,) = (await session.failed(10)).items
    assert letter[1:] == (b"old", "why", 12.5, None, "")
    (found,) = await session.locate(["old"])
    assert (found.data, found.kind) == (b"old", None)
    assert (await session.failed(10, None, Wanted(kinds=("lost",)))).items == [letter]
    assert (await session.failed(10, None, Wanted(kinds=("failed",)))).items == []
    assert await session.requeue([Requeue("old", 12.5)]) == ["added"]
    await session.close()


async def _ask(session: RedisSession, command: str, name: str, key: str) -> Any:
    return await session._core.wire.call(pack(command, Layout(name).key(key)))
