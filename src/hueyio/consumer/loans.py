"""Which slots of a consumer are lent, and what their bodies wait for.

Without a bound, a queue of tasks that wait for others would be begun as a whole, each body with its memory and perhaps
a thread. At the bound of a lane, only what waiting bodies wait for is begun there, the latest first: so the youngest
tree of tasks is ended before another one is begun.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from hueyio.consumer.ledger import Ledger
from hueyio.consumer.slots import Slots
from hueyio.execution.lending import Place
from hueyio.storage.records import Lane

__all__ = ["Loans"]

logger = logging.getLogger(__name__)

_MOST_ASKED: Final = 100
"""Ids in one question: a storage may have to look for each."""

_MOST_QUESTIONS: Final = 10

_WHAT: Final[Mapping[Lane, str]] = {"loop": "coroutine tasks", "thread": "tasks in threads", "process": "processes"}


class Loans:
    """The places whose slots are lent, by lane.

    ``slots`` and ``most`` are those of each lane. ``on_wait`` is called when a slot is lent: more may be claimed.
    """

    def __init__(
        self, ledger: Ledger, slots: Mapping[Lane, Slots], most: Mapping[Lane, int], on_wait: Callable[[], None]
    ) -> None:
        self._ledger = ledger
        self._slots = slots
        self._most = most
        self._on_wait = on_wait
        self._places: dict[Lane, dict[Place, None]] = {lane: {} for lane in most}
        self._told: set[Lane] = set()

    def __bool__(self) -> bool:
        return any(self._places.values())

    def counts(self) -> dict[Lane, int]:
        """Return how many are lent in each lane, from any thread; lanes without any are left out."""
        return {lane: len(places) for lane, places in self._places.items() if places}

    def note(self, lane: Lane, place: Place, is_lent: bool) -> None:
        """Note that a place lends its slot, or has one again."""
        places = self._places[lane]
        if is_lent:
            places[place] = None
            self._tell_once(lane, len(places))
        else:
            places.pop(place, None)
        self._ledger.lend(lane, len(places), self._most[lane])
        if is_lent:
            self._on_wait()

    def room(self) -> dict[Lane, int]:
        """Say how much of what is awaited may be begun: where a lane is at its bound, or where all stands still."""
        if not self:
            return {}
        still = self.stands_still()
        return {
            lane: slots.free
            for lane, slots in self._slots.items()
            if slots.free and (still or (self._places[lane] and self._ledger.is_full(lane)))
        }

    def stands_still(self) -> bool:
        """Say whether some bodies wait for other tasks, and nothing else runs here."""
        return bool(self) and not any(slots.busy for slots in self._slots.values())

    def awaited(self) -> Iterator[list[str]]:
        """Yield ids, some at a time: what bodies wait for, then what they enqueued, but for what is held here."""
        latest = [place for places in self._places.values() for place in reversed(places)]
        ids = dict.fromkeys(id for place in latest for id in place.awaited())
        ids.update(dict.fromkeys(id for place in latest for id in place.enqueued()))
        unheld = [id for id in ids if self._ledger.get(id) is None][: _MOST_ASKED * _MOST_QUESTIONS]
        for at in range(0, len(unheld), _MOST_ASKED):
            yield unheld[at : at + _MOST_ASKED]

    def _tell_once(self, lane: Lane, count: int) -> None:
        if count < self._most[lane] or lane in self._told:
            return
        self._told.add(lane)
        logger.warning(
            "%d %s wait for other tasks and have lent their slots, which is the most; until some of them end, "
            "only tasks that they wait for are started",
            count,
            _WHAT[lane],
        )
