"""What time it is in a storage, as far as its clients know.

Hosts disagree: a clock may be an hour ahead, or be set while a worker runs. What tasks are judged by (eta, expiry,
deadline, ticks, windows of rate limits) is therefore the storage's clock where it has one. Nobody can ask a server at
every turn: a ``ServerClock`` carries on what the server said last by a clock of this host that nobody sets.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

__all__ = ["Clock", "HostClock", "ServerClock"]

_FRESH: Final = 60.0
"""Seconds for which what the server said is good enough. Within them two hosts drift apart by less than 0.01 s; what it
bounds is what a server that is set to another time does to a producer that asks for nothing else."""

_ROUNDED: Final = 0.001
"""Seconds that a server's answer may lie behind its clock: in a script it has the time of the script's start."""


if sys.platform == "linux":
    # It goes on while the machine sleeps, which the monotonic one does not there.
    _steady: Callable[[], float] = partial(time.clock_gettime, time.CLOCK_BOOTTIME)
else:
    _steady = time.monotonic


class Clock(Protocol):
    """Read by every part that compares moments; safe to use from any thread."""

    @property
    def now(self) -> Callable[[], float]:
        """Returns epoch seconds."""
        ...

    @property
    def ahead(self) -> float:
        """A number that is another one as soon as the clock was set, by as many seconds as it was set forward."""
        ...

    @property
    def is_fresh(self) -> bool:
        """Whether there is no need to ask the storage."""
        ...


class HostClock:
    """The clock of this host, for a storage that has none of its own: a file, memory."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.ahead = 0.0
        self.is_fresh = True


class ServerClock:
    """A server's clock. Until the server has said what time it is, that is the host's.

    As long as what this clock shows is possible by what the server says (the answer takes its time, so the server only
    says a span), it stays as it is: where the clocks of all machines agree it is the host's, to the microsecond.
    """

    def __init__(
        self,
        host: Callable[[], float] = lambda: time.time(),
        steady: Callable[[], float] = _steady,
    ) -> None:
        self._host = host
        self.steady = steady
        self.ahead = host() - steady()
        self._heard_at = -math.inf

    def now(self) -> float:
        """Return epoch seconds."""
        return self.steady() + self.ahead

    @property
    def is_fresh(self) -> bool:
        """Whether the server said what time it is a short while ago."""
        return self.steady() - self._heard_at < _FRESH

    def doubt(self) -> None:
        """Say that another server may answer from now on."""
        self._heard_at = -math.inf

    def hear(self, told: float, asked_at: float) -> None:
        """Take note of what the server says, epoch seconds; ``asked_at``: what ``steady`` said before the question."""
        heard_at = self.steady()
        earliest, latest = told - heard_at, told + _ROUNDED - asked_at
        self._heard_at = heard_at
        if earliest <= self.ahead <= latest:
            return
        by_host = self._host() - heard_at
        self.ahead = by_host if earliest <= by_host <= latest else (earliest + latest) / 2
