"""What a transfer has moved, and what it has left and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = ["Refusal", "Tally"]

Refusal: TypeAlias = Literal["undeclared", "unreadable", "unfit", "alive", "chord"]


@dataclass(slots=True)
class Tally:
    """Counts, by the path of the task and its state or the reason. ``left`` is that of the last pass."""

    moved: Counter[tuple[str, str]] = field(default_factory=Counter)
    left: Counter[tuple[str, Refusal, str]] = field(default_factory=Counter)
    results: int = 0
    revocations: int = 0
    keys_left: int = 0

    @property
    def tasks(self) -> int:
        """How many tasks were moved."""
        return self.moved.total()

    @property
    def refused(self) -> int:
        """How many are still in Huey's queue."""
        return self.left.total()

    def refuse(self, path: str, refusal: Refusal, reason: str) -> None:
        """Count one that stays where it is."""
        self.left[path, refusal, reason] += 1
