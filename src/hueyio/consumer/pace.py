"""How many jobs of a lane are held ahead of those that run.

As many as run there is enough if a body takes longer than a claim: while they run, the next ones come. One thread with
short bodies would wait for a claim after each. So a lane whose bodies are short holds as many as end in the time that a
claim usually takes, and twice as many again while it runs dry all the same: the storage is far away, or the machine is
busy. What is held never takes longer than a moment at the present pace. That bounds how long a job waits here for those
in front of it.

Large messages bound it too: what is held ahead is no more than some megabytes, however many that are. The first claim
brings few ahead, because nobody knows yet how large they are.
"""

from __future__ import annotations

from typing import Final

__all__ = ["Pace"]

_AHEAD: Final = 0.02
"""Seconds for which there is always enough."""

_LONGEST: Final = 0.2
"""Seconds for which there is never more."""

_WINDOW: Final = 0.005
"""Seconds over which the ends are counted, at least."""

_STALLED: Final = 0.2
"""Seconds without an end after which the bodies are taken for long ones."""

_MOST: Final = 500

_MOST_BYTES: Final = 4 * 2**20
"""Bytes of messages that are held ahead."""

_FIRST: Final = 16
"""How many are held ahead at most before the size of the first was seen."""


class Pace:
    """The pace of one lane; ``usual`` jobs are held ahead at least. Monotonic times are passed in."""

    def __init__(self, usual: int, now: float) -> None:
        self.usual = usual
        self.ahead = min(usual, _FIRST)
        """How many jobs are to be held beside those that run."""
        self._since = now
        self._ends = 0
        self._ran_dry = False
        self._entered = 0
        self._bytes = 0
        self._most = max(_MOST, usual)
        """How many of the present size are no more bytes than may be held."""

    def note_begin(self, size: int) -> None:
        """Count a job that was claimed, whose message has so many bytes."""
        self._entered += 1
        self._bytes += size

    def note_end(self, is_dry: bool) -> None:
        """Count a job that has ended; ``is_dry``: nothing else was held."""
        self._ends += 1
        self._ran_dry = self._ran_dry or is_dry

    def slow_down(self) -> None:
        """Hold no more ahead than usual, for now."""
        self.ahead, self._ends = min(self.usual, self._most), 0

    def look(self, now: float) -> bool:
        """Decide anew how many are held ahead; say whether that has changed."""
        before, passed = self.ahead, now - self._since
        if self._entered:
            self._weigh()
        if passed < (_WINDOW if self._ends else _STALLED):
            return self.ahead != before
        rate = self._ends / passed
        wanted = 2 * before if self._ran_dry else before * 7 // 8
        wanted = max(int(rate * _AHEAD), min(wanted, int(rate * _LONGEST)))
        self.ahead = min(max(min(wanted, _MOST), self.usual), self._most)
        self._since, self._ends, self._ran_dry = now, 0, False
        return self.ahead != before

    def _weigh(self) -> None:
        """Hold no more ahead than the size of messages allows; half of what is known of it is from before."""
        self._most = max(_MOST_BYTES * self._entered // max(self._bytes, 1), 1)
        if self._entered > _MOST:
            self._entered, self._bytes = self._entered // 2, self._bytes // 2
        self.ahead = min(max(self.ahead, self.usual), self._most)
