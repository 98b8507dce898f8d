"""Small values in named areas, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hueyio.storage.memory.state import MemoryState
from hueyio.storage.records import Area

__all__ = ["add", "compare_delete", "compare_extend", "delete", "peek", "pop", "put", "put_if_absent"]


def put(state: MemoryState, area: Area, items: Mapping[str, bytes], ttl: float | None) -> None:
    """Write all items, over what was there."""
    shelf = state.areas[area]
    for key, value in items.items():
        shelf.put(key, value, ttl)
    _note(state, area)


def put_if_absent(state: MemoryState, area: Area, key: str, value: bytes, ttl: float | None) -> bool:
    """Write the value unless the key is there."""
    if state.areas[area].get(key) is not None:
        return False
    state.areas[area].put(key, value, ttl)
    _note(state, area)
    return True


def peek(state: MemoryState, area: Area, keys: Sequence[str]) -> list[bytes | None]:
    """Read values, in order."""
    return [state.areas[area].get(key) for key in keys]


def pop(state: MemoryState, area: Area, key: str) -> bytes | None:
    """Read and delete."""
    return state.areas[area].pop(key)


def delete(state: MemoryState, area: Area, keys: Sequence[str]) -> int:
    """Delete keys; return how many were there."""
    return sum(state.areas[area].pop(key) is not None for key in keys)


def compare_delete(state: MemoryState, area: Area, key: str, expected: bytes) -> bool:
    """Delete the key if it holds exactly ``expected``."""
    return state.areas[area].get(key) == expected and state.areas[area].pop(key) is not None


def compare_extend(state: MemoryState, area: Area, key: str, expected: bytes, ttl: float | None) -> bool:
    """Give the key a new time to live if it holds exactly ``expected``."""
    if state.areas[area].get(key) != expected:
        return False
    state.areas[area].put(key, expected, ttl)
    return True


def add(state: MemoryState, area: Area, key: str, amount: int, ttl: float | None) -> int:
    """Add to a counter and return it."""
    shelf = state.areas[area]
    before = shelf.get(key)
    total = int(before or b"0") + amount
    if before is None:
        shelf.put(key, b"%d" % total, ttl)
    else:
        shelf.replace(key, b"%d" % total)
    _note(state, area)
    return total


def _note(state: MemoryState, area: Area) -> None:
    if area in ("revocations", "schedules"):
        state.revocations += 1
        state.noticed.poke_all()
