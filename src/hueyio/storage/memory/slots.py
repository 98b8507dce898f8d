"""What owners counted, in memory: slots of time, each with what all of them counted in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hueyio.storage.records import COUNT_SPANS, LANES, OTHERS, Counted, Counters, Lane
from hueyio.storage.shared.counting import add_all, add_bounded, slots_at

__all__ = ["Slot", "Slots"]

_MOST_DROPPED = 10


class Slot:
    """One slot; see ``CountedSlot``."""

    __slots__ = ("enqueued", "failures", "names", "tasks", "totals")

    def __init__(self) -> None:
        self.totals: Counters = {}
        self.names: Counters = {}
        self.failures: Counters = {}
        self.enqueued: dict[Lane, int] = {}
        self.tasks: dict[str, Counters] = {}

    def add(self, counted: Counted, enqueued: Mapping[Lane, int]) -> None:
        """Add what an owner counted."""
        add_all(self.totals, counted.totals)
        add_bounded(self.failures, counted.failures)
        refused = add_bounded(self.names, counted.names)
        for name, counters in counted.tasks.items():
            add_all(self.tasks.setdefault(OTHERS if name in refused else name, {}), counters)
        for lane, count in enqueued.items():
            self.enqueued[lane] = self.enqueued.get(lane, 0) + count


class Slots:
    """Slots by span and number, in the order in which they began, and how many tasks were added since the last."""

    __slots__ = ("_clock", "entered", "slots")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.entered: dict[Lane, int] = dict.fromkeys(LANES, 0)
        self.slots: dict[int, dict[int, Slot]] = {span: {} for span in COUNT_SPANS}

    def add(self, counted: Counted) -> None:
        """Add what an owner counted to the slots of now, and the tasks that were added since."""
        enqueued: dict[Lane, int] = {lane: count for lane, count in self.entered.items() if count}
        for span, number in slots_at(self._clock()):
            self.slots[span].setdefault(number, Slot()).add(counted, enqueued)
        self.entered = dict.fromkeys(LANES, 0)

    def is_due(self) -> bool:
        """Say whether there is something to drop."""
        return any(self._is_over(span, number) for span, slots in self.slots.items() for number in list(slots)[:1])

    def sweep(self) -> None:
        """Drop a bounded number of slots whose time is over."""
        for span, slots in self.slots.items():
            for number in [it for it in list(slots)[:_MOST_DROPPED] if self._is_over(span, it)]:
                del slots[number]

    def dump(self) -> dict[str, Any]:
        """Describe everything."""
        return {
            "entered": self.entered,
            "slots": [
                (span, number, {name: getattr(slot, name) for name in Slot.__slots__})
                for span, slots in self.slots.items()
                for number, slot in slots.items()
            ],
        }

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Take what ``dump`` described."""
        self.entered = {**self.entered, **dumped.get("entered", {})}
        for span, number, described in dumped.get("slots", ()):
            slot = self.slots[span][number] = Slot()
            for name, value in described.items():
                setattr(slot, name, value)

    def _is_over(self, span: int, number: int) -> bool:
        return (number + 1) * span + COUNT_SPANS[span] <= self._clock()
