"""Which rings one session has seen, for storages whose bells are numbers that rise when they ring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeAlias

from hueyio.storage.records import Bell, Delivery, Lane

__all__ = ["SeenRings"]

_Rung: TypeAlias = dict[Bell, int]


class SeenRings:
    """Shared by all who wait on one session; belongs to its loop.

    Of two that wait, each sees the ring that wakes both. A claim that took all that it had room for leaves the bell
    rung: if owner B claimed before the ring and starts waiting after A consumed it, B would sleep while tasks remain.
    """

    def __init__(self) -> None:
        self._seen: _Rung = {}
        self._left: set[Bell] = set()
        self._answered: _Rung = {}
        """The number at which a claim found all that a bell rang for."""

    def begin(self, bells: Collection[Bell]) -> Callable[[Mapping[Bell, int]], _Rung | None]:
        """Begin a wait; return what finds in the bells' numbers those that rang since they were last seen."""
        wanted = tuple(bells)
        seen = dict(self._seen)

        def answer(rings: Mapping[Bell, int]) -> _Rung | None:
            return {
                it: rings[it]
                for it in wanted
                if (rings[it] != seen.get(it, 0) and rings[it] != self._answered.get(it)) or it in self._left
            } or None

        return answer

    def end(self, rung: _Rung) -> frozenset[Bell]:
        """End a wait with what it found. Not where that is found: a wait cancelled in between leaves the ring."""
        self._seen.update(rung)
        self._left.difference_update(rung)
        return frozenset(rung)

    def note_answered(self, rings: Mapping[Bell, int]) -> None:
        """Note at which numbers a claim found all that bells rang for: nobody has to be woken for them any more."""
        self._answered.update(rings)

    def note_claim(self, room: Mapping[Lane, int], deliveries: Sequence[Delivery]) -> bool:
        """Note what a claim left; say whether that is news to those who wait."""
        taken = Counter(it.header.lane for it in deliveries)
        full: set[Bell] = {lane for lane, asked in room.items() if 0 < asked <= taken[lane]}
        is_news = not full <= self._left
        self._left.difference_update(room)
        self._left.update(full)
        return is_news
