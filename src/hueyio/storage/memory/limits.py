"""Locks, semaphores and token buckets of the memory storage."""

from __future__ import annotations

from hueyio.storage.memory import areas
from hueyio.storage.memory.keys import MemoryKeys

__all__ = ["MemoryLimits"]


class MemoryLimits(MemoryKeys):
    """The role ``Limits`` on the shared state."""

    async def acquire(
        self, key: str, token: str, size: int, lease: float, owner: str | None = None, ttl: float | None = None
    ) -> bool:
        """Take one of ``size`` places."""
        state = self._state
        with state.lock:
            return areas.acquire(state, key, token, size, lease, owner, ttl)

    async def renew(self, key: str, token: str, lease: float) -> bool:
        """Prolong a place that has no owner."""
        state = self._state
        with state.lock:
            return areas.renew(state, key, token, lease)

    async def release(self, key: str, token: str, owner: str | None = None) -> bool:
        """Give a place back, if this owner holds it."""
        state = self._state
        with state.lock:
            return areas.release(state, key, token, owner)

    async def holders(self, key: str) -> list[str]:
        """List the tokens that hold a place."""
        state = self._state
        with state.lock:
            return areas.holders(state, key)

    async def take(self, key: str, rate: float, burst: int) -> float:
        """Take a token from a bucket, or say how long to wait."""
        state = self._state
        with state.lock:
            return areas.take(state, key, rate, burst)
