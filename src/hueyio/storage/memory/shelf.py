"""Values with a time to live, in memory."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from math import inf

__all__ = ["Shelf"]


class Shelf:
    """Keys with values, each until its time is over.

    Deadlines stand in a heap that is not told of deletions; it is built anew before most of it is litter.
    """

    __slots__ = ("_clock", "_deadlines", "_items")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._items: dict[str, tuple[bytes, float]] = {}
        self._deadlines: list[tuple[float, str]] = []

    def get(self, key: str) -> bytes | None:
        """Read a value."""
        item = self._items.get(key)
        if item is None:
            return None
        if item[1] <= self._clock():
            del self._items[key]
            return None
        return item[0]

    def put(self, key: str, value: bytes, ttl: float | None) -> None:
        """Write a value, over what was there."""
        if ttl is None:
            self._items[key] = (value, inf)
            return
        deadline = self._clock() + ttl
        self._items[key] = (value, deadline)
        self.prune(2)  # so that whatever only grows by puts is swept by them
        heappush(self._deadlines, (deadline, key))
        if len(self._deadlines) > 2 * len(self._items) + 64:
            self._deadlines = [(until, key) for key, (_, until) in self._items.items() if until != inf]
            heapify(self._deadlines)

    def replace(self, key: str, value: bytes) -> None:
        """Write a value that takes over the deadline of what is there."""
        self._items[key] = (value, self._items[key][1])

    def pop(self, key: str) -> bytes | None:
        """Read a value and delete it."""
        value = self.get(key)
        if value is not None:
            del self._items[key]
        return value

    def discard(self, key: str) -> None:
        """Delete a value, whether it is there or not."""
        self._items.pop(key, None)

    def shorten(self, key: str, ttl: float) -> None:
        """Let a value expire after ``ttl``, if it would stay longer."""
        item = self._items.get(key)
        if item is not None and item[1] > self._clock() + ttl:
            self.put(key, item[0], ttl)

    def prune(self, limit: int | None = None) -> int:
        """Delete what is over; look at no more than ``limit`` deadlines. Returns at how many it looked."""
        now = self._clock()
        deadlines = self._deadlines
        looked = 0
        while deadlines and deadlines[0][0] <= now and looked != limit:
            deadline, key = heappop(deadlines)
            item = self._items.get(key)
            if item is not None and item[1] == deadline:
                del self._items[key]
            looked += 1
        return looked

    def clear(self) -> None:
        """Delete everything."""
        self._items.clear()
        self._deadlines.clear()

    def items(self) -> list[tuple[str, bytes]]:
        """List everything."""
        self.prune()
        return [(key, value) for key, (value, _) in self._items.items()]

    def __len__(self) -> int:
        self.prune()
        return len(self._items)
