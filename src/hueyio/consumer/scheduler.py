"""Move what is due from the schedule to its lane, and sleep exactly until the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hueyio.consumer.service import Service
from hueyio.storage.contract import Consuming

__all__ = ["Scheduler"]

_CHUNK: Final = 200
"""Entries per step, so that a million due at once starve nobody: larger ones are no faster, and what waits behind one
waits longer."""

_LONGEST_REST: Final = 5.0
"""Seconds: bounds what a clock that jumps, or a ring that got lost, can delay."""


class Scheduler(Service):
    """Promotes. Woken by the schedule's bell when an earlier entry came."""

    def __init__(self, session: Consuming, now: Callable[[], float]) -> None:
        super().__init__()
        self._session = session
        self._now = now

    async def step(self) -> float:
        """Promote one chunk."""
        promoted = await self._session.promote(self._now(), _CHUNK)
        if promoted.moved >= _CHUNK:
            return 0
        if promoted.next_eta is None:
            return _LONGEST_REST
        return min(max(promoted.next_eta - self._now(), 0.0), _LONGEST_REST)
