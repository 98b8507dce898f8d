"""Which rings one session has heard, for storages whose bells are numbers that rise when they ring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeAlias

from hueyio.storage.records import Bell, Delivery, Lane

__all__ = ["Hearing"]

_Rung: TypeAlias = dict[Bell, int]


class Hearing:
    """Shared by all who wait on one session; belongs to its loop.

    Of two that wait, each hears the ring that wakes both. A claim that took all that it had room for leaves the bell
    rung: another owner may have claimed before that ring and begun to wait after it was heard, and would sleep beside
    what is left.
    """

    def __init__(self) -> None:
        self._heard: _Rung = {}
        self._left: set[Bell] = set()

    def listen(self, bells: Collection[Bell]) -> Callable[[Mapping[Bell, int]], _Rung | None]:
        """Begin a wait; return what finds in the bells' numbers those that rang since they were last heard."""
        wanted = tuple(bells)
        heard = dict(self._heard)

        def answer(rings: Mapping[Bell, int]) -> _Rung | None:
            return {it: rings[it] for it in wanted if rings[it] != heard.get(it, 0) or it in self._left} or None

        return answer

    def hear(self, rung: _Rung) -> frozenset[Bell]:
        """End a wait with what it found. Not where that is found: a wait cancelled in between leaves the ring."""
        self._heard.update(rung)
        self._left.difference_update(rung)
        return frozenset(rung)

    def claimed(self, room: Mapping[Lane, int], deliveries: Sequence[Delivery]) -> bool:
        """Note what a claim left; say whether that is news to those who wait."""
        taken = Counter(it.header.lane for it in deliveries)
        full: set[Bell] = {lane for lane, asked in room.items() if 0 < asked <= taken[lane]}
        is_news = not full <= self._left
        self._left.difference_update(room)
        self._left.update(full)
        return is_news
