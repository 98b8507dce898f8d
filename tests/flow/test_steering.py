"""What an operator does through the API: who paused, and the audit log."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from hueyio import Huey, HueyException, PauseInfo, TaskException


async def test_pause_says_who_and_when(huey: Huey) -> None:
    assert await huey.pause_info() is None
    await huey.pause(actor=" ana ")
    info = await huey.pause_info()
    assert info is not None
    assert info.by == "ana"
    assert info.at is not None
    assert abs(info.at - datetime.now(UTC)) < timedelta(minutes=1)
    await huey.pause()
    info = await huey.pause_info()
    assert info is not None
    assert "@" in (info.by or "")
    assert await asyncio.to_thread(huey.sync.pause_info) == info
    await asyncio.to_thread(huey.sync.close)
    await huey.resume()
    assert await huey.pause_info() is None
    assert PauseInfo() == PauseInfo(by=None, at=None)


async def test_calls_that_name_their_actor_are_entries_and_others_are_none(huey: Huey) -> None:
    @huey.task
    async def fail() -> None:
        raise ValueError("no")

    async with huey.create_consumer():
        for _ in range(2):
            result = await fail()
            with pytest.raises(TaskException):
                await result
    await huey.pause()
    await huey.resume()
    await huey.purge()
    first, second = (await huey.failed()).items
    await huey.requeue([first.id])
    assert await huey.audit() == []
    await huey.pause(actor="ana")
    await huey.resume(actor="ben")
    await huey.requeue(name=fail.path, actor="ana")
    await huey.requeue([second.id, "none"], actor="ana")
    await huey.purge(actor="ana")
    entries = await huey.audit()
    assert [(it.actor, it.action, it.target, it.count) for it in reversed(entries)] == [
        ("ana", "pause", "", None),
        ("ben", "resume", "", None),
        ("ana", "retry", f"name {fail.path}", 1),
        ("ana", "retry", f"{second.id}, none", 0),
        ("ana", "purge", "dead", 0),
    ]
    assert await huey.audit(2, entries[1].number) == entries[2:4]
    await huey.flush()
    assert len(await huey.audit()) == 5


@pytest.mark.parametrize("actor", ["", "  ", 7])
async def test_actor_without_a_name_is_refused_before_anything_is_done(huey: Huey, actor: str) -> None:
    for call in (huey.pause(actor=actor), huey.resume(actor=actor), huey.purge(actor=actor)):
        with pytest.raises(HueyException, match="actor must be a name"):
            await call
    with pytest.raises(HueyException, match="actor must be a name"):
        await huey.requeue(["id"], actor=actor)
    assert not await huey.is_paused()
