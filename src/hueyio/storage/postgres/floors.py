"""Up to where this session has read each lane, so that a claim need not read it from the beginning.

What was settled stays in the index as dead rows until a vacuum, which a long transaction elsewhere can hold up for
hours. So a claim begins where the last one has got to, for each priority. What may lie before that: a task that went
back to where it stood (that raises the rewind of the queue, which the floors hold for), and what was committed late or
rolled back. For these a claim that finds too little looks from the beginning, now and then: the longer that takes, the
less often. A transaction of the application's, which may last, says with its commit from which place on it has added
something; the floors fall to that.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

__all__ = ["Floors"]

_MOST_RANKS: Final = 16
"""Of so many priorities in a lane the floors are kept."""
_LOOK_AGAIN: Final = 0.05
_SHARE: Final = 10
"""A look comes after this many times the duration of the last one."""


class Floors:
    """The floors of one session, whoever of its owners claims."""

    def __init__(self) -> None:
        self._places: dict[int, dict[float, int]] = {}
        self._rewind = -1
        self._next_look = 0.0
        self._begun = 0.0
        self._looks = False
        self._is_lowered = False

    def arguments(self) -> list[Any]:
        """Return what ``claim_1`` is told."""
        lanes: list[int] = []
        ranks: list[float] = []
        places: list[int] = []
        for lane, known in self._places.items():
            for rank in sorted(known):
                lanes.append(lane)
                ranks.append(rank)
                places.append(known[rank])
        self._begun = time.monotonic()
        self._is_lowered = False
        self._looks = self._begun >= self._next_look
        return [lanes, ranks, places, self._rewind, self._looks]

    def lower(self, place: int) -> None:
        """Let the next claim read from this place on; one that is under way has not seen what is there."""
        for known in self._places.values():
            for rank in known:
                known[rank] = min(known[rank], place - 1)
        self._is_lowered = True

    def forget(self) -> None:
        """Let the next claim read from the beginning: what told of a place may have been missed."""
        self._places.clear()
        self._is_lowered = True

    def take(self, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Note how far a claim got; return the rows that are tasks."""
        if self._looks:
            now = time.monotonic()
            self._next_look = now + max(_LOOK_AGAIN, _SHARE * (now - self._begun))
        if not rows or rows[-1][0] is not None:
            return list(rows)  # nothing, or a suspect
        *tasks, last = rows
        if last[13] != self._rewind:
            self._rewind = last[13]
            self._places.clear()
        if self._is_lowered:
            return tasks
        for row in tasks:
            known = self._places.setdefault(row[1], {})
            rank, place = row[2], row[13]
            if place > known.get(rank, 0) and (rank in known or len(known) < _MOST_RANKS):
                known[rank] = place
        return tasks
