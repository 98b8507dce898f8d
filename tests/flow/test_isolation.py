"""Suspects get their turn on a consumer that is never idle."""

from __future__ import annotations

import asyncio
from typing import Any

from hueyio import Huey
from hueyio.client.prepare import prepare
from hueyio.core import core_of


async def make_suspect(huey: Huey, entry_of: Any) -> None:
    """Let two owners die with the task, so that it may be delivered only once more."""
    session = await core_of(huey).session()
    await session.enqueue([entry_of])
    for owner in ("first", "second"):
        await session.register(owner, b"{}")
        (delivery,) = await session.claim({entry_of.header.lane: 1}, owner)
        assert delivery.receipt.id == entry_of.header.id
        assert await session.reclaim(owner, 0) == 1
    assert (await session.counts()).suspects == 1


async def test_suspect_is_run_in_spite_of_an_endless_load(huey: Huey) -> None:
    over = asyncio.Event()

    @huey.task
    async def suspect() -> str:
        over.set()
        return "innocent"

    @huey.task
    async def endless() -> None:
        await asyncio.sleep(0.01)
        if not over.is_set():
            await endless()

    task = suspect.s()
    await make_suspect(huey, prepare(core_of(huey), task))
    for _ in range(6):
        await endless()
    # The lease of the test's consumer is short, so that it soon looks for suspects.
    async with huey.create_consumer(workers=2, lease=0.3):
        assert await huey.result_of(task.id) == "innocent"
