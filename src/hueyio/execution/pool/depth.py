"""How many calls a process of the pool is given at once: one, and more while bodies are short."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["Depth"]

_UNDER_WAY: Final = 0.005
"""Seconds of work that a process is given at once."""

_MOST: Final = 64
_FEW: Final = 8
"""With so many calls under way, and fewer, each answer is taken at once."""

_LONGEST_PAUSE: Final = 0.001


class Depth:
    """How many calls are given to a process at once; all processes of a consumer share what they learn."""

    def __init__(self) -> None:
        self._seconds = math.inf

    @property
    def calls(self) -> int:
        """How many calls may be under way in one process, the one that runs among them."""
        return max(1, min(_MOST, int(_UNDER_WAY / max(self._seconds, 1e-6))))

    def pause(self, under_way: int) -> float:
        """Return for how many seconds a process that has so many calls may be left alone: half of what they take."""
        return min(self._seconds * under_way / 2, _LONGEST_PAUSE) if under_way > _FEW else 0.0

    def note(self, seconds: float, calls: int) -> None:
        """Learn that so many calls took so long together."""
        mean = seconds / calls
        self._seconds = mean if self._seconds == math.inf else (self._seconds + mean) / 2

    def forget(self) -> None:
        """Begin with single calls again: one has taken long."""
        self._seconds = math.inf
