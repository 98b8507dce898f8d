"""Who in this session follows the progress of which tasks.

A follower listens on the task's channel, then reads what was reported last, so that nothing falls in between; and it
waits for the task's end as any waiter does. What is pushed carries the report, and both come on one connection, so a
report just before the end is seen before the end. After a reconnect everything is read again. All state belongs to the
loop.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from hueyio.exceptions import HueyException
from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.connection.mailbox import Mailbox
from hueyio.storage.redis.connection.wire import Wire
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.waiting import RedisWaiters
from hueyio.storage.shared.background import make_task
from hueyio.storage.shared.lifetime import Lifetime

__all__ = ["ProgressBoard"]


class _Feed:
    """The last report of one task, and the calls that wait for the next."""

    __slots__ = ("followers", "latest")

    def __init__(self) -> None:
        self.latest: bytes | None = None
        self.followers: set[asyncio.Event] = set()

    def take(self, data: bytes) -> None:
        self.latest = data
        for follower in self.followers:
            follower.set()


class ProgressBoard:
    """The progress that one session follows."""

    def __init__(self, layout: Layout, wire: Wire, waiters: RedisWaiters, mailbox: Mailbox, lifetime: Lifetime) -> None:
        self._layout = layout
        self._wire = wire
        self._waiters = waiters
        self._mailbox = mailbox
        self._lifetime = lifetime
        self._feeds: dict[str, _Feed] = {}

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        """Return a task's progress when it differs from ``seen``, or None when the task is over."""
        feed = self._feeds.setdefault(id, _Feed())
        woken = asyncio.Event()
        feed.followers.add(woken)
        ending = make_task(self._waiters.wait([id]))
        ending.add_done_callback(lambda _: woken.set())
        try:
            await self._mailbox.subscribe(self._layout.progress_channel(id), feed.take)
            if feed.latest is None:
                await self._read(id, feed)
            while True:
                if feed.latest is not None and feed.latest != seen:
                    return feed.latest
                if ending.done():
                    ending.result()
                    return None
                await woken.wait()
                woken.clear()
        finally:
            ending.cancel()
            ending.add_done_callback(lambda it: it.cancelled() or it.exception())
            feed.followers.discard(woken)
            with suppress(HueyException):  # the session is closed: nothing is listened to any more
                self._lifetime.spawn(self._leave(id))

    async def read_again(self) -> None:
        """Read the progress of all that is followed, as after a reconnect."""
        for id, feed in list(self._feeds.items()):
            await self._read(id, feed)

    async def _read(self, id: str, feed: _Feed) -> None:
        data: bytes | None = await self._wire.call(pack("HGET", self._layout.key("PROGRESS"), id))
        if data is not None and (feed.latest is None or feed.followers):
            feed.take(data)

    async def _leave(self, id: str) -> None:
        """Stop to listen for a task that nobody follows any more."""
        feed = self._feeds.get(id)
        if feed is not None and not feed.followers:
            del self._feeds[id]
            with suppress(HueyException):
                await self._mailbox.unsubscribe(self._layout.progress_channel(id))
