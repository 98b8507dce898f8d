"""What happens to keys, places and buckets in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hueyio.storage.memory.shelf import Shelf
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.records import Area
from hueyio.storage.shared import permits

__all__ = [
    "acquire",
    "add",
    "compare_delete",
    "compare_extend",
    "delete",
    "end_places",
    "holders",
    "peek",
    "pop",
    "put",
    "put_if_absent",
    "release",
    "renew",
    "scan",
    "take",
]


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


def scan(state: MemoryState, area: Area, limit: int | None) -> list[tuple[str, bytes]]:
    """List keys with their values."""
    return state.areas[area].items()[:limit]


def acquire(
    state: MemoryState, key: str, token: str, size: int, lease: float, owner: str | None, ttl: float | None
) -> bool:
    """Take one of ``size`` places."""
    if owner is not None:
        state.lease(owner)
    shelf = state.areas["locks"]
    return _apply(shelf, key, permits.acquire(shelf.get(key), token, size, lease, owner, ttl, state.clock()))


def renew(state: MemoryState, key: str, token: str, lease: float) -> bool:
    """Prolong a place that has no owner."""
    shelf = state.areas["locks"]
    return _apply(shelf, key, permits.renew(shelf.get(key), token, lease, state.clock()))


def release(state: MemoryState, key: str, token: str, owner: str | None) -> bool:
    """Give a place back, if this owner holds it."""
    shelf = state.areas["locks"]
    return _apply(shelf, key, permits.release(shelf.get(key), token, owner, state.clock()))


def holders(state: MemoryState, key: str) -> list[str]:
    """List the tokens that hold a place."""
    return permits.holders(state.areas["locks"].get(key), state.clock())


def take(state: MemoryState, key: str, rate: float, burst: int) -> float:
    """Take a token from a bucket, or say how long to wait."""
    shelf = state.areas["windows"]
    wait, change = permits.take(shelf.get(key), rate, burst, state.clock())
    _apply(shelf, key, change)
    return wait


def end_places(state: MemoryState, owner: str) -> None:
    """Let the places of an owner whose lease has ended last only for their grace."""
    shelf = state.areas["locks"]
    for key, value in shelf.items():
        _apply(shelf, key, permits.end_owner(value, owner, state.clock()))


def _apply(shelf: Shelf, key: str, change: permits.Change) -> bool:
    if change.done:
        if change.value is None:
            shelf.discard(key)
        else:
            shelf.put(key, change.value, change.ttl)
    return change.done


def _note(state: MemoryState, area: Area) -> None:
    if area in ("revocations", "schedules"):
        state.revocations += 1
        state.noticed.poke_all()
