"""Who is woken on SQLite: nobody for work that a claim has taken, and by few looks at the file."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from hueyio.storage.records import Entry, Finish, Header
from hueyio.storage.sqlite import SqliteStorage
from hueyio.storage.sqlite.session import SqliteSession

_LONG = 30.0
"""Seconds of a wait that a ring ends."""


class Counted(sqlite3.Connection):
    ran: ClassVar[list[str]] = []

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        self.ran.append(sql)
        return super().execute(sql, parameters)


def entry(id: str) -> Entry:
    return Entry(Header(id), b"")


@pytest.fixture
async def sessions(tmp_path: Path) -> AsyncIterator[tuple[SqliteSession, SqliteSession]]:
    async with contextlib.AsyncExitStack() as stack:
        opened = []
        for _ in range(2):
            session = await SqliteStorage("app", tmp_path / "app.db", factory=Counted).connect()
            stack.push_async_callback(session.close)
            opened.append(session)
        await opened[0].register("me", b"")
        yield opened[0], opened[1]


@contextlib.asynccontextmanager
async def listening(session: SqliteSession) -> AsyncIterator[None]:
    """Keep the poll thread looking, as the notices of a consumer do."""
    notices = await session.notices("me", None)
    waiting = asyncio.ensure_future(session.notices("me", notices))
    await session.wait_for_work(["loop"], 0)
    yield
    waiting.cancel()


async def test_settlement_and_claim_are_one_commit(sessions: tuple[SqliteSession, SqliteSession]) -> None:
    session, _ = sessions
    await session.enqueue([entry("a")])
    (task,) = await session.claim({"loop": 9}, "me")
    Counted.ran.clear()
    settlement = Finish(task.receipt, b"value", follow_ups=(entry("b"),))
    answers, deliveries = await session.settle_and_claim([settlement], "me", 1, None, {"loop": 9})
    assert answers == ["accepted"]
    assert [it.receipt.id for it in deliveries or ()] == ["b"]
    assert Counted.ran.count("COMMIT") == 1


async def test_wait_is_not_ended_by_a_ring_whose_work_was_claimed(
    sessions: tuple[SqliteSession, SqliteSession],
) -> None:
    session, other = sessions
    async with listening(session):
        await other.enqueue([entry("a")])
        assert len(await session.claim({"loop": 9}, "me")) == 1
        assert await session.wait_for_work(["loop"], 0) == frozenset()
        waiting = asyncio.ensure_future(session.wait_for_work(["loop"], _LONG))
        await asyncio.sleep(0)
        await session.wait_for_work(["thread"], 0)  # a look that is shown to both
        assert not waiting.done()
        await other.enqueue([entry("b")])
        assert await waiting == {"loop"}


async def test_wait_ends_at_once_when_a_claim_had_room_for_no_more(
    sessions: tuple[SqliteSession, SqliteSession],
) -> None:
    session, other = sessions
    async with listening(session):
        await other.enqueue([entry("a"), entry("b")])
        assert len(await session.claim({"loop": 1}, "me")) == 1
        assert await session.wait_for_work(["loop"], _LONG) == {"loop"}


async def test_wait_that_begins_after_the_ring_hears_it(sessions: tuple[SqliteSession, SqliteSession]) -> None:
    session, other = sessions
    async with listening(session):
        for number in range(20):
            await other.enqueue([entry(f"t{number}")])
            assert await session.wait_for_work(["loop"], _LONG) == {"loop"}
            assert len(await session.claim({"loop": 9}, "me")) == 1


async def test_long_wait_ends_after_its_time_without_a_ring(sessions: tuple[SqliteSession, SqliteSession]) -> None:
    session, _ = sessions
    async with listening(session):
        assert await session.wait_for_work(["loop"], 1.0) == frozenset()


async def test_first_wait_at_the_bells_can_be_reached_although_ends_were_awaited_before(
    sessions: tuple[SqliteSession, SqliteSession],
) -> None:
    session, other = sessions
    await other.enqueue([entry("a")])
    awaiting = asyncio.ensure_future(session.await_outcomes(["a"]))
    await asyncio.sleep(0)
    assert await session.wait_for_work(["loop"], _LONG) == {"loop"}
    (task,) = await session.claim({"loop": 9}, "me")
    await session.settle([Finish(task.receipt, b"value")], "me", 1)
    assert [it.data for it in await awaiting] == [b"value"]
