"""Small values in named areas of the memory storage, and what every operation asks first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from hueyio.exceptions import SessionClosed
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
            shelf = state.areas[area]
            for key, value in items.items():
                shelf.put(key, value, ttl)
            self._note(area)

    async def put_if_absent(self, area: Area, key: str, value: bytes, ttl: float | None = None) -> bool:
        """Write the value unless the key is there."""
        state = self._state
        with state.lock:
            if state.areas[area].get(key) is not None:
                return False
            state.areas[area].put(key, value, ttl)
            self._note(area)
            return True

    async def peek(self, area: Area, keys: Sequence[str]) -> list[bytes | None]:
        """Read values, in order."""
        state = self._state
        with state.lock:
            return [state.areas[area].get(key) for key in keys]

    async def pop(self, area: Area, key: str) -> bytes | None:
        """Read and delete in one step."""
        state = self._state
        with state.lock:
            return state.areas[area].pop(key)

    async def delete(self, area: Area, keys: Sequence[str]) -> int:
        """Delete keys; return how many were there."""
        state = self._state
        with state.lock:
            return sum(state.areas[area].pop(key) is not None for key in keys)

    async def compare_delete(self, area: Area, key: str, expected: bytes) -> bool:
        """Delete the key if it holds exactly ``expected``."""
        state = self._state
        with state.lock:
            return state.areas[area].get(key) == expected and state.areas[area].pop(key) is not None

    async def compare_extend(self, area: Area, key: str, expected: bytes, ttl: float | None) -> bool:
        """Give the key a new time to live if it holds exactly ``expected``."""
        state = self._state
        with state.lock:
            if state.areas[area].get(key) != expected:
                return False
            state.areas[area].put(key, expected, ttl)
            return True

    async def add(self, area: Area, key: str, amount: int = 1, ttl: float | None = None) -> int:
        """Add to a counter and return it."""
        state = self._state
        with state.lock:
            shelf = state.areas[area]
            before = shelf.get(key)
            total = int(before or b"0") + amount
            if before is None:
                shelf.put(key, b"%d" % total, ttl)
            else:
                shelf.replace(key, b"%d" % total)
            self._note(area)
            return total

    def _note(self, area: Area) -> None:
        if area in ("revocations", "schedules"):
            self._shared.revocations += 1
            self._shared.noticed.poke_all()
