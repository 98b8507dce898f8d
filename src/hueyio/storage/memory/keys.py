"""Small values in named areas of the memory storage, and what every operation asks first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from hueyio.exceptions import SessionClosed
from hueyio.storage.memory import areas
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.records import Area

__all__ = ["MemoryKeys"]


class MemoryKeys:
    """The role ``Keys`` on the shared state."""

    def __init__(self, state: MemoryState, loop: asyncio.AbstractEventLoop) -> None:
        self._shared = state
        self._loop = loop
        self._closed = False

    @property
    def _state(self) -> MemoryState:
        if self._closed or self._loop.is_closed():
            raise SessionClosed("this session was closed, or its loop has ended; connect() gives another")
        return self._shared

    async def put(self, area: Area, items: Mapping[str, bytes], ttl: float | None = None) -> None:
        """Write all items, over what was there."""
        state = self._state
        with state.lock:
            areas.put(state, area, items, ttl)

    async def put_if_absent(self, area: Area, key: str, value: bytes, ttl: float | None = None) -> bool:
        """Write the value unless the key is there."""
        state = self._state
        with state.lock:
            return areas.put_if_absent(state, area, key, value, ttl)

    async def peek(self, area: Area, keys: Sequence[str]) -> list[bytes | None]:
        """Read values, in order."""
        state = self._state
        with state.lock:
            return areas.peek(state, area, keys)

    async def pop(self, area: Area, key: str) -> bytes | None:
        """Read and delete in one step."""
        state = self._state
        with state.lock:
            return areas.pop(state, area, key)

    async def delete(self, area: Area, keys: Sequence[str]) -> int:
        """Delete keys; return how many were there."""
        state = self._state
        with state.lock:
            return areas.delete(state, area, keys)

    async def compare_delete(self, area: Area, key: str, expected: bytes) -> bool:
        """Delete the key if it holds exactly ``expected``."""
        state = self._state
        with state.lock:
            return areas.compare_delete(state, area, key, expected)

    async def compare_extend(self, area: Area, key: str, expected: bytes, ttl: float | None) -> bool:
        """Give the key a new time to live if it holds exactly ``expected``."""
        state = self._state
        with state.lock:
            return areas.compare_extend(state, area, key, expected, ttl)

    async def add(self, area: Area, key: str, amount: int = 1, ttl: float | None = None) -> int:
        """Add to a counter and return it."""
        state = self._state
        with state.lock:
            return areas.add(state, area, key, amount, ttl)
