"""What threads hand back to the loop: the outcomes of jobs, with one wake-up for all that come together.

To wake the loop costs as much as a short body does. So a thread that has an outcome wakes it only if no wake-up is
under way. The loop takes the flag down before it looks: what comes behind its last look has a wake-up of its own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

from hueyio.execution.job import Job
from hueyio.execution.outcome import Outcome
from hueyio.storage.shared.threaded import tell

__all__ = ["EndedJobs"]

_MOST_IN_A_TURN: Final = 50
"""How many are ended before others have the loop."""

_Item: TypeAlias = tuple[Job, Outcome] | Callable[[], None]


class EndedJobs:
    """The outcomes that the loop has not seen yet, in their order; ``end`` is called there with each."""

    def __init__(self, loop: asyncio.AbstractEventLoop, end: Callable[[Job, Outcome], None]) -> None:
        self._loop = loop
        self._end = end
        self._items: deque[_Item] = deque()
        self._is_told = False

    def put(self, job: Job, outcome: Outcome) -> None:
        """Hand an outcome over, from any thread."""
        self._items.append((job, outcome))
        self._tell()

    def call(self, func: Callable[[], None]) -> None:
        """Have a function called behind what was put before, from any thread."""
        self._items.append(func)
        self._tell()

    def take_all(self) -> None:
        """End all that there is now, on the loop."""
        for _ in range(len(self._items)):
            self._take_one()

    def _tell(self) -> None:
        if not self._is_told:
            self._is_told = True
            tell(self._loop, self._take)  # if the loop is closed, nobody waits for this any more

    def _take(self) -> None:
        self._is_told = False
        for _ in range(min(len(self._items), _MOST_IN_A_TURN)):
            self._take_one()
        if self._items and not self._is_told:
            self._is_told = True
            self._loop.call_soon(self._take)

    def _take_one(self) -> None:
        item = self._items.popleft()
        if callable(item):
            item()
        else:
            job, outcome = item
            self._end(job, outcome)
