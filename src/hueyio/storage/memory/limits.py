"""Locks, semaphores and token buckets in memory."""

from __future__ import annotations

from hueyio.storage.memory.shelf import Shelf
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.shared import permits

__all__ = ["acquire", "end_permits", "holders", "release", "renew", "take"]


def acquire(
    state: MemoryState, key: str, token: str, size: int, lease: float, owner: str | None, ttl: float | None
) -> bool:
    """Take one of ``size`` permits."""
    if owner is not None:
        state.lease(owner)
    shelf = state.areas["locks"]
    return _apply(shelf, key, permits.acquire(shelf.get(key), token, size, lease, owner, ttl, state.clock()))


def renew(state: MemoryState, key: str, token: str, lease: float) -> bool:
    """Prolong a permit that has no owner."""
    shelf = state.areas["locks"]
    return _apply(shelf, key, permits.renew(shelf.get(key), token, lease, state.clock()))


def release(state: MemoryState, key: str, token: str, owner: str | None) -> bool:
    """Give a permit back, if this owner holds it."""
    shelf = state.areas["locks"]
    return _apply(shelf, key, permits.release(shelf.get(key), token, owner, state.clock()))


def holders(state: MemoryState, key: str) -> list[str]:
    """List the tokens that hold a permit."""
    return permits.holders(state.areas["locks"].get(key), state.clock())


def take(state: MemoryState, key: str, rate: float, burst: int) -> float:
    """Take a token from a bucket, or say how long to wait."""
    shelf = state.areas["windows"]
    wait, change = permits.take(shelf.get(key), rate, burst, state.clock())
    _apply(shelf, key, change)
    return wait


def end_permits(state: MemoryState, owner: str) -> None:
    """Let the permits of an owner whose lease has ended last only for their grace."""
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
