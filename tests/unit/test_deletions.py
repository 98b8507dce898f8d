"""How results are deleted after their readers have them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from hueyio.client.deletions import Deletions
from hueyio.exceptions import StorageUnavailable
from hueyio.storage.contract import Session
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.records import Area


class SlowSession:
    """One whose deletions wait for a gate, and whose next may fail."""

    def __init__(self, inner: Session) -> None:
        self.inner = inner
        self.gate = asyncio.Event()
        self.fails = False
        self.writes: list[list[str]] = []

    async def delete(self, area: Area, keys: Sequence[str]) -> int:
        self.writes.append(list(keys))
        await self.gate.wait()
        if self.fails:
            self.fails = False
            raise StorageUnavailable("it is away")
        return await self.inner.delete(area, keys)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest.fixture
async def session() -> SlowSession:
    inner = await MemoryStorage("deletions").connect()
    await inner.put("results", dict.fromkeys("abc", b"x"))
    return SlowSession(inner)


async def left(session: SlowSession) -> list[str]:
    return [key for key, _ in await session.inner.scan_keys("results")]


async def test_what_was_read_in_one_turn_is_one_write(session: SlowSession) -> None:
    deletions = Deletions(cast("Session", session))
    session.gate.set()
    for id in "ab":
        deletions.add(id)
    assert (deletions.has("a"), deletions.has("c")) == (True, False)
    await deletions.finish()
    assert session.writes == [["a", "b"]]
    assert (await left(session), deletions.has("a")) == (["c"], False)


async def test_what_is_read_during_a_write_is_the_next_one(session: SlowSession) -> None:
    deletions = Deletions(cast("Session", session))
    deletions.add("a")
    await asyncio.sleep(0)
    deletions.add("b")
    deletions.add("a")  # it was stored anew meanwhile, and read again
    session.gate.set()
    await deletions.finish()
    assert session.writes == [["a"], ["b", "a"]]


async def test_deletion_that_fails_is_logged_and_the_next_is_done(
    session: SlowSession, caplog: pytest.LogCaptureFixture
) -> None:
    deletions = Deletions(cast("Session", session))
    session.fails = True
    session.gate.set()
    deletions.add("a")
    await deletions.finish()
    assert "1 results were read, but may stay until their time is over: it is away" in caplog.text
    deletions.add("b")
    await deletions.finish()
    assert await left(session) == ["a", "c"]


async def test_storage_that_is_away_holds_up_no_end(session: SlowSession) -> None:
    deletions = Deletions(cast("Session", session))
    writing = deletions.add("a")
    await deletions.finish(timeout=0.01)
    assert not writing.done()
    session.gate.set()
    await deletions.finish()
