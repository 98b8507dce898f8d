"""The audit log."""

from __future__ import annotations

import asyncio
from typing import get_args

from hueyio.storage.contract import Session
from hueyio.storage.records import NOTES_KEPT, Clearable
from hueyio.testing.storage.conformance.basis import Basis, Connect

__all__ = ["Auditing"]


class Auditing(Basis):
    """``note`` and ``notes``."""

    async def test_lines_are_listed_the_latest_first(self, connect: Connect, session: Session) -> None:
        other = await connect()
        assert await other.notes(10) == []
        before = await session.time()
        for line in (b"one", b"\x00 two\xff", b""):
            await session.note(line)
        found = await other.notes(10)
        assert [it.line for it in found] == [b"", b"\x00 two\xff", b"one"]
        times = [before - 0.01, *(it.at for it in reversed(found)), await session.time() + 0.01]
        assert times == sorted(times)
        assert await other.notes(0) == []

    async def test_lines_are_listed_a_page_at_a_time(self, session: Session) -> None:
        for number in range(5):
            await session.note(b"%d" % number)
        first = await session.notes(2)
        await session.note(b"new")  # moves nothing
        second = await session.notes(2, first[-1].number)
        last = await session.notes(2, second[-1].number)
        assert [it.line for it in (*first, *second, *last)] == [b"4", b"3", b"2", b"1", b"0"]
        assert await session.notes(2, last[-1].number) == []

    async def test_oldest_lines_give_way(self, session: Session) -> None:
        await asyncio.gather(*(session.note(b"%d" % number) for number in range(NOTES_KEPT + 3)))
        found = await session.notes(2 * NOTES_KEPT)
        assert [it.line for it in found] == [b"%d" % number for number in range(NOTES_KEPT + 2, 2, -1)]
        assert await session.notes(2 * NOTES_KEPT, found[-1].number) == []

    async def test_clear_of_everything_leaves_the_audit_log(self, session: Session) -> None:
        await session.note(b"line")
        await session.clear(get_args(Clearable))
        assert [it.line for it in await session.notes(10)] == [b"line"]
