"""Ids that are over, and which way they ended, in memory: the latest, as many as are kept, and none for too long."""

from __future__ import annotations

from collections.abc import Callable

from hueyio.storage.records import ENDED_AGE, EndKind

__all__ = ["Tombstones"]


class Tombstones:
    """Kinds by ids in the order of the ends. A question changes nothing: what is too old is passed over."""

    __slots__ = ("_clock", "_ends", "forgotten_at", "keep")

    def __init__(self, clock: Callable[[], float], keep: int) -> None:
        self._clock = clock
        self._ends: dict[str, tuple[EndKind, float]] = {}
        self.keep = keep
        self.forgotten_at: float | None = None
        """When that ended which was forgotten last."""

    def put(self, id: str, kind: EndKind) -> None:
        """Remember an end instead of an earlier one of the same id, and forget what is too much or too old."""
        ends = self._ends
        ends.pop(id, None)
        if not self.keep and not ends:
            return
        now = self._clock()
        ends[id] = (kind, now)
        while ends:
            oldest = next(iter(ends))
            at = ends[oldest][1]
            if len(ends) <= self.keep and at > now - ENDED_AGE:
                break
            del ends[oldest]
            self.forgotten_at = at

    def get(self, id: str) -> EndKind | None:
        """Say which way an id ended."""
        end = self._ends.get(id)
        return None if end is None or end[1] <= self._clock() - ENDED_AGE else end[0]

    def discard(self, id: str) -> None:
        """Forget one, because its id lives again."""
        self._ends.pop(id, None)

    def since(self) -> float | None:
        """Say up to when what ended may have been forgotten."""
        now = self._clock()
        if not self.keep:
            return now
        since = self.forgotten_at
        for _, at in self._ends.values():
            if at > now - ENDED_AGE:
                break
            since = at
        return since

    def dump(self) -> list[tuple[str, EndKind, float]]:
        """List all, the oldest first."""
        return [(id, kind, at) for id, (kind, at) in self._ends.items()]

    def load(self, ends: list[tuple[str, EndKind, float]], forgotten_at: float | None) -> None:
        """Take what ``dump`` listed."""
        self._ends = {id: (kind, at) for id, kind, at in ends}
        self.forgotten_at = forgotten_at
