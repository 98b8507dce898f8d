"""What others ask of an owner, on a server: a push says that there is something, a question says what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from hueyio.storage.records import Notices
from hueyio.storage.shared.lifetime import Lifetime

__all__ = ["NoticeBoard", "NoticeSource"]


class NoticeSource(Protocol):
    """How notices come from the server."""

    async def listen(self, owner: str, ring: Callable[[], None]) -> None:
        """Have ``ring`` called from now on when there may be something new for the owner."""

    async def read(self, owner: str) -> Notices:
        """Return what is asked of the owner."""
        ...

    async def leave(self, owner: str) -> None:
        """Stop to listen."""


class _Ring:
    """Rung when an owner's notices are to be read again."""

    __slots__ = ("connections", "event")

    def __init__(self, connections: int) -> None:
        self.event = asyncio.Event()
        self.connections = connections
        """Of how many connections the owner was told."""


class NoticeBoard:
    """Waits for notices. A push that was lost costs nothing: after a reconnect everything is read again.

    The owner is told of a reconnect by notices that are those which it has seen.
    """

    def __init__(self, source: NoticeSource, lifetime: Lifetime) -> None:
        self._source = source
        self._lifetime = lifetime
        self._rings: dict[str, _Ring] = {}
        self._connections = 0
        self._waiting = 0

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits."""
        return self._waiting > 0

    async def wait(self, owner: str, seen: Notices | None) -> Notices:
        """Return the owner's notices as soon as they differ from ``seen``."""
        ring = self._rings.setdefault(owner, _Ring(self._connections))
        self._waiting += 1
        try:
            if seen is not None:
                await self._source.listen(owner, ring.event.set)
            while True:
                ring.event.clear()
                if seen is not None and 0 < ring.connections < self._connections:
                    ring.connections = self._connections
                    return seen
                ring.connections = self._connections
                notices = await self._source.read(owner)
                if notices != seen:
                    return notices
                await ring.event.wait()
                self._lifetime.check()
        finally:
            self._waiting -= 1

    def note_connection(self) -> None:
        """Have every wait look again, because something may have been missed before this connection."""
        self._connections += 1
        self.ring_all()

    def ring_all(self) -> None:
        """Have every wait look again."""
        for ring in self._rings.values():
            ring.event.set()

    async def forget(self, owner: str) -> None:
        """Drop what is known of an owner whose lease has ended; a wait for it looks once more."""
        ring = self._rings.pop(owner, None)
        if ring is not None:
            ring.event.set()
        await self._source.leave(owner)
