"""Locks, semaphores and token buckets of the memory storage."""

from __future__ import annotations

from hueyio.storage import places
from hueyio.storage.memory.keys import MemoryKeys
from hueyio.storage.memory.shelf import Shelf
from hueyio.storage.memory.state import MemoryState

__all__ = ["MemoryLimits", "end_places"]


class MemoryLimits(MemoryKeys):
    """The role ``Limits`` on the shared state."""

    async def acquire(
        self, key: str, token: str, size: int, lease: float, owner: str | None = None, ttl: float | None = None
    ) -> bool:
        """Take one of ``size`` places."""
        state = self._state
        with state.lock:
            if owner is not None:
                state.lease(owner)
            shelf = state.areas["locks"]
            change = places.acquire(shelf.get(key), token, size, lease, owner, ttl, state.clock())
            return _apply(shelf, key, change)

    async def renew(self, key: str, token: str, lease: float) -> bool:
        """Prolong a place that has no owner."""
        state = self._state
        with state.lock:
            shelf = state.areas["locks"]
            return _apply(shelf, key, places.renew(shelf.get(key), token, lease, state.clock()))

    async def release(self, key: str, token: str, owner: str | None = None) -> bool:
        """Give a place back, if this owner holds it."""
        state = self._state
        with state.lock:
            shelf = state.areas["locks"]
            return _apply(shelf, key, places.release(shelf.get(key), token, owner, state.clock()))

    async def holders(self, key: str) -> list[str]:
        """List the tokens that hold a place."""
        state = self._state
        with state.lock:
            return places.holders(state.areas["locks"].get(key), state.clock())

    async def take(self, key: str, rate: float, burst: int) -> float:
        """Take a token from a bucket, or say how long to wait."""
        state = self._state
        with state.lock:
            shelf = state.areas["windows"]
            wait, change = places.take(shelf.get(key), rate, burst, state.clock())
            _apply(shelf, key, change)
            return wait


def end_places(state: MemoryState, owner: str) -> None:
    """Let the places of an owner whose lease has ended last only for their grace."""
    shelf = state.areas["locks"]
    for key, value in shelf.items():
        _apply(shelf, key, places.end_owner(value, owner, state.clock()))


def _apply(shelf: Shelf, key: str, change: places.Change) -> bool:
    if change.done:
        if change.value is None:
            shelf.discard(key)
        else:
            shelf.put(key, change.value, change.ttl)
    return change.done
