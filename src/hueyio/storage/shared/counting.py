"""How counts are added up, by every storage that does it in Python; ``lua/parts/_counted.lua`` does the same."""

from __future__ import annotations

from collections.abc import Mapping

from hueyio.storage.records import COUNT_SPANS, MOST_COUNTED, OTHERS, Counters

__all__ = ["add_all", "add_bounded", "room_for", "slots_at"]


def slots_at(now: float) -> list[tuple[int, int]]:
    """Return the slots of a moment: of each span the number."""
    return [(span, int(now // span)) for span in COUNT_SPANS]


def add_all(known: Counters, more: Mapping[str, int]) -> None:
    """Add numbers to others."""
    for key, count in more.items():
        known[key] = known.get(key, 0) + count


def add_bounded(known: Counters, more: Mapping[str, int]) -> frozenset[str]:
    """Add numbers to others, of which so many may be told apart; return those that went to ``OTHERS``."""
    room = room_for(known)
    refused = {key for key in more if key not in known and key != OTHERS}
    for key in sorted(refused)[:room]:
        refused.discard(key)
    for key, count in more.items():
        to = OTHERS if key in refused else key
        known[to] = known.get(to, 0) + count
    return frozenset(refused)


def room_for(known: Counters) -> int:
    """Say how many more may be told apart."""
    return max(MOST_COUNTED - len(known) + (OTHERS in known), 0)
