"""A storage that swallows everything: for switching the queue off without touching the code that uses it.

A session is one of the memory storage that is never given anything: whatever would be written is acknowledged and
dropped. So there is never work, no value is ever found, no key is ever taken, and a task that was enqueued is over at
once with nothing stored: awaiting its result gives None.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from hueyio.storage.memory import MemoryStorage
from hueyio.storage.memory.session import MemorySession
from hueyio.storage.records import Area, Enqueued, Entry, Latch

__all__ = ["BlackHoleStorage"]


class BlackHoleStorage(MemoryStorage):
    """Keeps nothing, whatever it is told; takes any arguments."""

    def __init__(self, name: str = "huey", **options: Any) -> None:
        super().__init__(name)

    async def connect(self) -> BlackHoleSession:
        """Open a session for the running loop."""
        return BlackHoleSession(self._state, asyncio.get_running_loop())

    def __str__(self) -> str:
        return f"{self.name} nowhere"


class BlackHoleSession(MemorySession):
    """Only leases are real, so that a consumer can be started; it has nothing to do."""

    async def enqueue(self, entries: Sequence[Entry], latches: Sequence[Latch] = ()) -> list[Enqueued]:
        """Say that all were added, and drop them."""
        _ = self._state
        return [Enqueued("added")] * len(entries)

    async def put(self, area: Area, items: Mapping[str, bytes], ttl: float | None = None) -> None:
        """Drop the values."""
        _ = self._state

    async def put_if_absent(self, area: Area, key: str, value: bytes, ttl: float | None = None) -> bool:
        """Say that the value was written, and drop it."""
        _ = self._state
        return True

    async def add(self, area: Area, key: str, amount: int = 1, ttl: float | None = None) -> int:
        """Count from zero each time."""
        _ = self._state
        return amount

    async def acquire(
        self, key: str, token: str, size: int, lease: float, owner: str | None = None, ttl: float | None = None
    ) -> bool:
        """Grant every place."""
        _ = self._state
        return True

    async def renew(self, key: str, token: str, lease: float) -> bool:
        """Prolong every place."""
        _ = self._state
        return True

    async def release(self, key: str, token: str, owner: str | None = None) -> bool:
        """Take every place back."""
        _ = self._state
        return True

    async def take(self, key: str, rate: float, burst: int) -> float:
        """Grant every token."""
        _ = self._state
        return 0.0
