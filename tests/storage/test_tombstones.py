"""What is remembered of ended ids, where it depends on the clock, the file, or on what the storage has forgotten."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from hueyio.exceptions import ConfigurationError
from hueyio.storage.contract import Session, Storage
from hueyio.storage.file import FileStorage
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.records import ENDED_AGE, Ended, EndKind, Entry, Finish, Header, Over
from hueyio.storage.sqlite import SqliteStorage

Build: TypeAlias = Callable[..., Storage]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["memory", "file", "sqlite"])
def build(request: pytest.FixtureRequest, tmp_path: Path) -> Build:
    kinds: dict[str, Build] = {
        "memory": lambda **options: MemoryStorage("app", **options),
        "file": lambda **options: FileStorage("app", tmp_path, **options),
        "sqlite": lambda **options: SqliteStorage("app", tmp_path / "app.db", **options),
    }
    return kinds[request.param]


class Ending:
    """A session that ends tasks."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.number = 0

    async def end(self, *ids: str, kind: EndKind = "done") -> None:
        await self.session.register("owner", b"")
        await self.session.enqueue([Entry(Header(id), b"") for id in ids])
        deliveries = await self.session.claim({"loop": len(ids)}, "owner")
        self.number += 1
        ends = [Finish(it.receipt, kind=kind) for it in deliveries]
        assert await self.session.settle(ends, "owner", self.number) == ["accepted"] * len(ids)


async def test_end_is_forgotten_when_a_day_is_over(build: Build) -> None:
    clock = Clock()
    session = await build(clock=clock).connect()
    ending = Ending(session)
    began = clock.now
    await ending.end("a", kind="failed")
    clock.now += ENDED_AGE - 1
    await ending.end("b")
    assert await session.ended(["a", "b"]) == Ended(["failed", "done"], None)
    clock.now += 2
    assert await session.ended(["a", "b"]) == Ended([None, "done"], began)
    await ending.end("c")  # which forgets it for good
    assert await session.ended(["a", "b", "c"]) == Ended([None, "done", "done"], began)
    assert [it.state for it in await session.locate(["a", "b"])] == ["unknown", "ended"]
    clock.now += 2 * ENDED_AGE
    assert await session.ended(["b", "c"]) == Ended([None, None], began + ENDED_AGE + 1)
    await session.close()


async def test_ends_are_remembered_when_all_sessions_were_closed(build: Build) -> None:
    storage = build(keep_ended=4)
    session = await storage.connect()
    ending = Ending(session)
    for kind in ("expired", "lost"):
        await ending.end(f"{kind}0", f"{kind}1", f"{kind}2", kind=kind)
    since = (await session.ended([])).since
    await session.close()
    other = await storage.connect()
    ended = await other.ended(["expired0", "expired2", "lost0", "lost2"])
    assert ended.kinds[2:] == ["lost", "lost"]
    assert ended.since == since
    await other.close()


async def test_file_journal_that_is_written_anew_keeps_the_tombstones(tmp_path: Path) -> None:
    session = await FileStorage("app", tmp_path, journal_mb=0).connect()
    await Ending(session).end("a", "b", kind="unreadable")
    for number in range(20):
        await session.put("data", {"k": b"%d" % number})
    other = await FileStorage("app", tmp_path).connect()
    assert (await other.ended(["a", "b", "c"])).kinds == ["unreadable", "unreadable", None]
    await session.close()
    await other.close()


# --- SQLite


def downgrade(file: Path) -> None:
    """Take from a file what hueyio 0.1.0 did not have."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE hueyio_ended")
        connection.execute("ALTER TABLE hueyio_queues DROP COLUMN forgotten_at")
        connection.execute("ALTER TABLE hueyio_waiting DROP COLUMN kind")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


async def test_file_of_an_earlier_version_gets_what_it_lacks(file: Path) -> None:
    clock = Clock()
    before = await SqliteStorage("app", file, clock=clock).connect()
    await Ending(before).end("old")
    await before.enqueue([Entry(Header("alive"), b"")])
    await before.close()
    downgrade(file)
    clock.now += 10
    with pytest.raises(ConfigurationError, match="create_tables=True"):
        await SqliteStorage("app", file, create_tables=False).connect()
    session = await SqliteStorage("app", file, clock=clock).connect()
    assert await session.ended(["old"]) == Ended([None], clock.now)
    clock.now += 10
    (delivery,) = await session.claim({"loop": 1}, "owner")
    assert await session.settle([Finish(delivery.receipt, kind="expired")], "owner", 2) == ["accepted"]
    assert await session.ended(["old", "alive"]) == Ended([None, "expired"], clock.now - 10)
    new = await SqliteStorage("another", file, clock=clock).connect()
    assert await new.ended(["alive"]) == Ended([None], None), "what began later has forgotten nothing"
    await new.close()
    await session.close()


async def test_end_that_an_earlier_version_tells_is_a_good_one(file: Path) -> None:
    session = await SqliteStorage("app", file).connect()
    await session.enqueue([Entry(Header("none"), b""), Entry(Header("value"), b"")])
    waiting = asyncio.create_task(session.await_outcomes(["none", "value"]))
    await session.await_outcomes(["nobody has this id"])
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM hueyio_tasks")
        tell = "UPDATE hueyio_waiting SET over = 1, shared = ?, data = ? WHERE id = ?"
        connection.execute(tell, (0, None, "none"))
        connection.execute(tell, (0, b"error", "value"))
    async with asyncio.timeout(20):
        assert await waiting == [Over("none", None, kind="done"), Over("value", b"error")]
    await session.close()


async def test_waits_end_when_the_file_has_forgotten_their_tasks(file: Path) -> None:
    storage = SqliteStorage("app", file)
    session, other = await storage.connect(), await storage.connect()
    await session.enqueue([Entry(Header(id), b"") for id in ("lost", "unregistered", "alive")])
    lost = [asyncio.create_task(it.await_outcomes(["lost"])) for it in (session, session, other)]
    patient = asyncio.create_task(session.await_outcomes(["lost", "unregistered"], "wait"))
    unregistered = asyncio.create_task(session.await_outcomes(["unregistered"]))
    alive = asyncio.create_task(session.await_outcomes(["alive"]))
    for it in (session, other):
        await it.await_outcomes(["nobody has this id"])
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM hueyio_tasks WHERE id != 'alive'")
        connection.execute("DELETE FROM hueyio_waiting WHERE id IN ('unregistered', 'alive')")
    for it in (session, other):
        it._engine.waiters.ask_again()
    async with asyncio.timeout(20):
        assert await asyncio.gather(*lost) == [[Over("lost", None)]] * 3
        assert await unregistered == [Over("unregistered", None)]
    session._engine.waiters.ask_again()
    await Ending(session).end("unregistered", "lost", "alive")
    async with asyncio.timeout(20):
        assert [over.kind for over in await patient] == ["done", "done"]
        assert [over.kind for over in await alive] == ["done"]
    await session.close()
    await other.close()


async def test_mail_stays_when_the_file_is_asked_again(file: Path) -> None:
    """A value that was told may be deleted by whoever else got it: only the row of the registration has it then."""
    storage = SqliteStorage("app", file)
    session, other = await storage.connect(), await storage.connect()
    for number in range(30):
        id = f"t{number}"
        await session.enqueue([Entry(Header(id), b"")])
        waiting = asyncio.create_task(other.await_outcomes([id]))
        await other.await_outcomes(["nobody has this id"])
        await session.register("owner", b"")
        (delivery,) = await session.claim({"loop": 1}, "owner")
        ends = asyncio.ensure_future(session.settle([Finish(delivery.receipt, b"value")], "owner", number + 1))
        other._engine.waiters.ask_again()
        await ends
        other._engine.waiters.ask_again()
        await session.delete("results", [id])
        async with asyncio.timeout(20):
            assert [(it.data, it.kind) for it in await waiting] == [(b"value", "done")]
    await session.close()
    await other.close()


async def test_ids_are_packed_when_many_end_together(file: Path) -> None:
    session = await SqliteStorage("app", file, keep_ended=1000).connect()
    ending = Ending(session)
    for batch in range(30):
        await ending.end(*[f"{batch:02}-{number:02}" for number in range(50)])
    with closing(sqlite3.connect(file)) as connection:
        counted: Any = connection.execute("SELECT count(*), sum(count), max(total) FROM hueyio_ended").fetchone()
    assert counted == (20, 1000, 1500)
    await session.close()
