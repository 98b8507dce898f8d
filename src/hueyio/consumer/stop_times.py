"""Until when each part of a stop may take: one bound for all of it, whatever is away or hangs.

Running bodies get the shutdown timeout. All the rest (cancelled bodies, the outcomes that are to be written, pool
processes, hooks, the end of the lease) shares what is left until ``MARGIN`` seconds later. Each part ends some time
before the last moment, so that the parts after it are not starved; on a storage that answers, they all take
milliseconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

__all__ = ["MARGIN", "Part", "StopTimes"]

MARGIN: Final = 3.5
"""Seconds beside the shutdown timeout; a worker process needs some more for itself."""

Part: TypeAlias = Literal["claims", "cancelled", "drain", "pool", "hooks", "lease"]

_ENDS_BEFORE: Final[dict[Part, float]] = {
    "claims": 3.0,
    "cancelled": 1.5,
    "drain": 1.0,
    "pool": 0.7,
    "hooks": 0.3,
    "lease": 0.1,
}
"""Seconds before the end of the whole stop at which a part is over."""

_LEAST: Final = 0.05
"""Seconds that a part gets however late it is: what needs no waiting must not fail by it."""


class StopTimes:
    """The times of one stop. Until it has begun, there is all the time in the world to come."""

    def __init__(self, timeout: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._timeout = timeout
        self._monotonic = monotonic
        self._bodies_until: float | None = None

    def begin(self, graceful: bool) -> None:
        """Note that the stop begins, or that it is to be hurried from now on; a later call never prolongs it."""
        until = self._monotonic() + (self._timeout if graceful else 0.0)
        self._bodies_until = until if self._bodies_until is None else min(self._bodies_until, until)

    def left_for_bodies(self) -> float:
        """Return how many seconds running bodies have yet."""
        return max(self._began() - self._monotonic(), 0.0)

    def left_for(self, part: Part) -> float:
        """Return how many seconds a part of the rest has yet."""
        return max(self._began() + MARGIN - _ENDS_BEFORE[part] - self._monotonic(), _LEAST)

    def _began(self) -> float:
        if self._bodies_until is None:
            self.begin(graceful=False)  # it crashed, nobody asked it to stop
        assert self._bodies_until is not None
        return self._bodies_until
