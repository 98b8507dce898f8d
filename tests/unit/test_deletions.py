"""How results are deleted after their readers have them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from hueyio.client.deletions import Deletions
from hueyio.exceptions import StorageUnavailable
from hueyio.storage.contract import Session
from hueyio.storage.file import FileStorage
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.records import Area
from hueyio.storage.sqlite import SqliteStorage


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
        deletions.add([id])
    assert (deletions.has("a"), deletions.has("c")) == (True, False)
    await deletions.finish()
    assert session.writes == [["a", "b"]]
    assert (await left(session), deletions.has("a")) == (["c"], False)


async def test_what_is_read_during_a_write_is_the_next_one(session: SlowSession) -> None:
    deletions = Deletions(cast("Session", session))
    deletions.add("a")
    await asyncio.sleep(0)
    deletions.add("ba")  # it was stored anew meanwhile, and read again
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


async def test_reads_after_the_first_are_one_write_when_the_rest_is_over_or_somebody_asks(session: SlowSession) -> None:
    deletions = Deletions(cast("Session", session), rest=3600)
    session.gate.set()
    await deletions.add("a")
    deletions.add("b")
    await asyncio.sleep(0)
    deletions.add("c")
    await deletions.let_go(["another"])
    assert session.writes == [["a"]]
    await deletions.let_go(["another", "c"])
    assert session.writes == [["a"], ["b", "c"]]
    short = Deletions(cast("Session", session), rest=0.001)
    await short.add("a")
    await short.add("b")
    assert session.writes[2:] == [["a"], ["b"]]


async def test_many_reads_are_written_without_a_rest(session: SlowSession) -> None:
    deletions = Deletions(cast("Session", session), rest=3600)
    session.gate.set()
    await deletions.add(str(number) for number in range(1_200))
    assert [len(write) for write in session.writes] == [500, 500, 200]


@pytest.mark.parametrize("where", ["file", "sqlite"])
def test_what_was_read_is_deleted_when_the_loop_ends_without_close(where: str, tmp_path: Path) -> None:
    make = {"file": FileStorage, "sqlite": SqliteStorage}[where]
    storage = make("app", str(tmp_path / "queue"))

    async def read_and_leave() -> None:
        session = await storage.connect()
        await session.put("results", dict.fromkeys("abc", b"x"), 600.0)
        deletions = Deletions(session, rest=3600)
        await deletions.add("a")
        deletions.add("b")
        await asyncio.sleep(0)  # it rests

    async def look() -> list[str]:
        session = await storage.connect()
        try:
            return [key for key, _ in await session.scan_keys("results")]
        finally:
            await session.close()

    asyncio.run(read_and_leave())
    assert asyncio.run(look()) == ["c"]


async def test_nothing_is_left_when_a_large_write_is_cancelled_in_its_middle(session: SlowSession) -> None:
    await session.inner.put("results", {str(number): b"x" for number in range(1_200)})
    deletions = Deletions(cast("Session", session))
    writing = deletions.add(str(number) for number in range(1_200))
    await asyncio.sleep(0)
    deletions.add("ab")
    session.gate.set()
    writing.cancel()  # what is under way is carried through by a real storage
    await asyncio.wait([writing])
    assert [len(write) for write in session.writes] == [500, 702]
