"""Immediate mode on the live storage: the queue is in memory, everything else is where it always is.

What is enqueued to run at once must not be seen by consumers of the live queue. So it goes into a queue in memory;
results, values, revocations, limits and the schedule are the live storage's. Unique keys hold within this process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hueyio.execution.finish import ACCEPTED
from hueyio.storage.contract import Session
from hueyio.storage.memory.session import MemorySession
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.operations import OPERATIONS
from hueyio.storage.records import Answer, Bury, Enqueued, Entry, Finish, Found, Latch, Settlement

__all__ = ["LiveBench"]


class LiveBench(MemorySession):
    """A memory session that keeps only what runs at once."""

    def __init__(self, state: MemoryState, live: Session) -> None:
        super().__init__(state, asyncio.get_running_loop())
        self._live = live

    async def _do(self, name: str, /, *args: Any) -> Any:
        if OPERATIONS[name].role in ("keys", "limits", "looking"):
            return await getattr(self._live, name)(*args)
        return await super()._do(name, *args)

    async def enqueue(self, entries: Sequence[Entry], latches: Sequence[Latch] = ()) -> list[Enqueued]:
        """Send what is due later to the live schedule."""
        later = [entry for entry in entries if entry.header.eta is not None]
        now = [entry for entry in entries if entry.header.eta is None]
        answered = iter(await super().enqueue(now, latches) if now or latches else [])
        scheduled = iter(await self._live.enqueue(later) if later else [])
        return [next(answered if entry.header.eta is None else scheduled) for entry in entries]

    async def locate(self, ids: Sequence[str]) -> list[Found]:
        """Look here first, then there."""
        here = await super().locate(ids)
        there = await self._live.locate(ids)
        return [found if found.state != "gone" else other for found, other in zip(here, there, strict=True)]

    async def settle(self, settlements: Sequence[Settlement], owner: str, number: int) -> list[Answer]:
        """End runs here, and write there what they leave."""
        taken = [await self._take(settlement) for settlement in settlements]
        if not all(taken):
            return ["accepted" if it else "untaken" for it in taken]
        answers = await super().settle([_without_leavings(it) for it in settlements], owner, number)
        for settlement, answer in zip(settlements, answers, strict=True):
            if answer in ACCEPTED:
                await self._leave(settlement)
        return answers

    async def _take(self, settlement: Settlement) -> bool:
        if not isinstance(settlement, Finish) or settlement.take is None:
            return True
        area, key = settlement.take
        return await self._live.delete(area, [key]) > 0

    async def _leave(self, settlement: Settlement) -> None:
        if not isinstance(settlement, Finish | Bury):
            return
        result = settlement.result
        if isinstance(settlement, Finish) and result is None:
            result = settlement.intermediate
        if result is None:
            await self._live.delete("results", [settlement.receipt.id])
        else:
            await self._live.put(
                "results", dict.fromkeys((settlement.receipt.id, *settlement.also), result), settlement.ttl
            )
        for area, key in settlement.deletes:
            await self._live.delete(area, [key])
        later = [entry for entry in settlement.follow_ups if entry.header.eta is not None]
        if later:
            await self._live.enqueue(later)


def _without_leavings(settlement: Settlement) -> Settlement:
    if not isinstance(settlement, Finish | Bury):
        return settlement
    now = tuple(entry for entry in settlement.follow_ups if entry.header.eta is None)
    if isinstance(settlement, Bury):
        return settlement._replace(result=None, deletes=(), follow_ups=now)
    return settlement._replace(result=None, intermediate=None, deletes=(), take=None, follow_ups=now)
