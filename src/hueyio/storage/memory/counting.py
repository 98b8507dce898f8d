"""What owners count, and what stands first in the lanes, in memory."""

from __future__ import annotations

from collections.abc import Sequence

from hueyio.storage.memory.state import MemoryState
from hueyio.storage.records import Counted, CountedSlot, CountedTask, Header

__all__ = ["heads", "publish", "read_counts", "read_slots"]

_MOST_LOOKED_AT = 10_000
"""Tasks of a lane among which that of the lowest priority is looked for."""


def publish(state: MemoryState, owner: str, number: int, info: bytes, counted: Counted | None) -> bool:
    """Replace what an owner says of itself, and add what it counted."""
    lease = state.leases.get(owner)
    if lease is None:
        return False
    lease.info = info
    if counted is not None and number > lease.counted:
        lease.counted = number
        state.slots.add(counted)
    return True


def read_slots(state: MemoryState, span: int, first: int, last: int) -> list[CountedSlot]:
    """Read slots."""
    return [
        CountedSlot(number * span, dict(it.totals), dict(it.names), dict(it.failures), dict(it.enqueued))
        for number, it in sorted(state.slots.slots[span].items())
        if first <= number <= last
    ]


def read_counts(state: MemoryState, span: int, first: int, last: int, names: Sequence[str]) -> list[CountedTask]:
    """Read what was counted of some names."""
    return [
        CountedTask(number * span, name, dict(it.tasks[name]))
        for number, it in sorted(state.slots.slots[span].items())
        if first <= number <= last
        for name in names
        if it.tasks.get(name)
    ]


def heads(state: MemoryState) -> list[Header]:
    """Find what is ready and first of its priority."""
    found: list[Header] = []
    for line in state.lanes.values():
        first = line.first()
        if first is not None:
            found.append(first.header)
            last = line.first_of_last_rank() if len(line) <= _MOST_LOOKED_AT else None
            if last is not None and last is not first:
                found.append(last.header)
    return found
