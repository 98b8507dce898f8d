"""What others ask of an owner: a push says that there is something, a script says what."""

from __future__ import annotations

import asyncio
from typing import Final

from hueyio.storage.records import Notices
from hueyio.storage.redis.connection.mailbox import Mailbox
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.scripts import Scripts
from hueyio.storage.shared.lifetime import Lifetime

__all__ = ["NoticeBoard"]


_TRIAL: Final = b"?"
"""What a session publishes that only tries whether it may (``_trial.lua``)."""


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

    def __init__(self, layout: Layout, scripts: Scripts, mailbox: Mailbox, lifetime: Lifetime) -> None:
        self._layout = layout
        self._scripts = scripts
        self._mailbox = mailbox
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
            while True:
                if seen is not None:
                    await self._mailbox.subscribe(self._layout.notice_channel, self._hear)
                    await self._mailbox.subscribe(self._layout.owner_channel(owner), lambda _: ring.event.set())
                ring.event.clear()
                if seen is not None and 0 < ring.connections < self._connections:
                    ring.connections = self._connections
                    return seen
                ring.connections = self._connections
                notices = await self._read(owner)
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

    def _hear(self, message: bytes) -> None:
        if message != _TRIAL:
            self.ring_all()

    def ring_all(self) -> None:
        """Have every wait look again."""
        for ring in self._rings.values():
            ring.event.set()

    async def forget(self, owner: str) -> None:
        """Stop to listen for an owner."""
        self._rings.pop(owner, None)
        await self._mailbox.unsubscribe(self._layout.owner_channel(owner))

    async def _read(self, owner: str) -> Notices:
        revocations, paused, *cancelled = await self._scripts.run("notices", (), [self._layout.held(owner)])
        return Notices(frozenset([id.decode() for id in cancelled]), revocations, bool(paused))
