"""What ``watch`` asks the storage: all of it as often as workers tell anything, and in between one cheap count.

Workers tell what they have counted, and how they are, every 5 s: asking for it more often shows the same. What is ready
changes at once, so it is counted at each look, no further than needed; that is one round trip.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from hueyio.cli.board import Board, look_at_queue
from hueyio.cli.seen import Seen, look
from hueyio.cli.visit import Visit
from hueyio.control.statistics import QueueStatistics
from hueyio.storage.records import COUNTED, Counts

__all__ = ["Lookout"]

_TOLD: Final = 5.0
"""Seconds between two things that a worker tells."""

_REST: Final = 0.9
"""Seconds after which something is counted again, however often somebody presses a key."""

_MOST_FAILED: Final = 50


class Lookout:
    """Keeps what was read last."""

    def __init__(self, at: Visit, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._at = at
        self._seconds = seconds
        self._clock = clock
        self._board: Board | None = None
        self._read_at = self._counted_at = 0.0
        self._counts: Counts | None = None
        self._failed: list[Seen] | None = None

    async def look(self) -> Board:
        """Return how the queue is."""
        now = self._clock()
        if self._board is None or now - self._read_at >= _TOLD:
            self._board = await look_at_queue(self._at, self._seconds, None)
            self._read_at = self._counted_at = now
            self._counts = self._failed = None
        elif now - self._counted_at >= _REST:
            self._counts = await self._at.session.counts(COUNTED)
            self._counted_at = now
        return replace(self._board, statistics=_brought_up(self._board.statistics, self._counts, now - self._read_at))

    async def failed(self) -> list[Seen]:
        """Return the tasks that failed last, as of the last time when all was read."""
        if self._failed is None:
            self._failed = (await look(self._at.session, "failed", _MOST_FAILED)).tasks
        return self._failed


def _brought_up(statistics: QueueStatistics, counts: Counts | None, later: float) -> QueueStatistics:
    """Return what was read, so many seconds later, with what was counted since."""
    lanes = statistics.lanes
    if counts is not None:
        lanes = {lane: replace(it, ready=counts.queued.get(lane, 0)) for lane, it in lanes.items()}
    return replace(statistics, lanes=lanes, until=statistics.until + timedelta(seconds=later))
