"""Move what is due from the schedule to its lane, and sleep exactly until the next.

The same step drops what is over. A chunk that was full is followed by the next after a moment, and each is bounded, so
that neither what is due nor the storage has to wait for a heap of expired results.
"""

from __future__ import annotations

import asyncio
import time
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

_DEAF_REST: Final = 0.25
"""Seconds between two looks while nobody listens for the schedule's bell: the fetcher does so only when it is idle."""


class Scheduler(Service):
    """Promotes. Woken by the schedule's bell when an earlier entry came, as long as ``is_listening``."""

    def __init__(
        self, session: Consuming, now: Callable[[], float], is_listening: Callable[[], bool] = lambda: True
    ) -> None:
        super().__init__()
        self._session = session
        self._now = now
        self._is_listening = is_listening

    async def step(self) -> float:
        """Promote one chunk."""
        promoted = await self._session.promote(self._now(), _CHUNK)
        if promoted.moved >= _CHUNK:
            return 0
        rest = _LONGEST_REST if promoted.sweep_in is None else min(promoted.sweep_in, _LONGEST_REST)
        if promoted.next_eta is None:
            return rest
        return min(max(promoted.next_eta - self._now(), 0.0), rest)

    async def rest(self, seconds: float) -> None:
        """Rest, but not for long while an earlier entry could come unheard."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, _DEAF_REST))
            if not self._is_listening():
                return
