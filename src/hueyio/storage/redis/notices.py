"""Notices on Redis: a channel for each owner and one for all, and a script that reads what is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hueyio.storage.records import Notices
from hueyio.storage.redis.connection.mailbox import Mailbox
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.scripts import Scripts

__all__ = ["RedisNotices"]

_TRIAL: Final = b"?"
"""What a session publishes that only tries whether it may (``_trial.lua``)."""


class RedisNotices:
    """How notices come from Redis (``NoticeSource``); ``ring_all`` is called for what concerns all owners."""

    def __init__(self, layout: Layout, scripts: Scripts, mailbox: Mailbox, ring_all: Callable[[], None]) -> None:
        self._layout = layout
        self._scripts = scripts
        self._mailbox = mailbox
        self._ring_all = ring_all

    async def listen(self, owner: str, ring: Callable[[], None]) -> None:
        """Subscribe to the channel of all owners and to this owner's."""
        await self._mailbox.subscribe(self._layout.notice_channel, self._hear)
        await self._mailbox.subscribe(self._layout.owner_channel(owner), lambda _: ring())

    async def read(self, owner: str) -> Notices:
        """Return what is asked of the owner."""
        revocations, paused, *cancelled = await self._scripts.run("notices", (), [self._layout.held(owner)])
        return Notices(frozenset([id.decode() for id in cancelled]), revocations, bool(paused))

    async def leave(self, owner: str) -> None:
        """Unsubscribe from the owner's channel."""
        await self._mailbox.unsubscribe(self._layout.owner_channel(owner))

    def _hear(self, message: bytes) -> None:
        if message != _TRIAL:
            self._ring_all()
