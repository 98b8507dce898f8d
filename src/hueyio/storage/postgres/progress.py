"""Who in this session follows the progress of which tasks.

A follower registers and reads what was reported last in one step, so that nothing falls in between; and it waits for
the task's end as any waiter does. A push carries the report, and both come on one connection, so a report just before
the end is seen before the end. After a reconnect everything is read again. All state belongs to the loop.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hueyio.exceptions import HueyException
from hueyio.storage.postgres.connection.mailbox import Mailbox
from hueyio.storage.postgres.texts import from_json
from hueyio.storage.postgres.waiting import PostgresWaiters
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
    """The progress that one session follows; ``call`` calls a function of the server for this client."""

    def __init__(
        self, call: Callable[..., asyncio.Future[Any]], waiters: PostgresWaiters, mailbox: Mailbox, lifetime: Lifetime
    ) -> None:
        self._call = call
        self._waiters = waiters
        self._mailbox = mailbox
        self._lifetime = lifetime
        self._feeds: dict[str, _Feed] = {}
        self._registering = asyncio.Lock()
        """So that a registration is not taken back by what was asked before it, on another connection."""

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        """Return a task's progress when it differs from ``seen``, or None when the task is over."""
        feed = self._feeds.setdefault(id, _Feed())
        woken = asyncio.Event()
        feed.followers.add(woken)
        ending = make_task(self._waiters.wait([id]))
        ending.add_done_callback(lambda _: woken.set())
        try:
            await self._mailbox.ensure()
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

    def receive(self, message: str) -> None:
        """Take a report that the server passes on; without data it is too large for that."""
        id, data = from_json(message)
        feed = self._feeds.get(id)
        if feed is None:
            return
        if data is not None:
            feed.take(base64.b64decode(data))
        else:
            with suppress(HueyException):
                self._lifetime.spawn(self._read_quietly(id, feed))

    async def read_again(self) -> None:
        """Read the progress of all that is followed, as after a reconnect."""
        for id, feed in list(self._feeds.items()):
            await self._read(id, feed)

    async def _read_quietly(self, id: str, feed: _Feed) -> None:
        with suppress(HueyException):  # the connection that listens breaks too, and then all is read again
            await self._read(id, feed)

    async def _read(self, id: str, feed: _Feed) -> None:
        async with self._registering:
            ((data,),) = await self._call("follow_1", id)
        if data is not None and (feed.latest is None or feed.followers):
            feed.take(data)

    async def _leave(self, id: str) -> None:
        """Stop to follow a task that nobody here follows any more."""
        async with self._registering:
            feed = self._feeds.get(id)
            if feed is not None and not feed.followers:
                del self._feeds[id]
                with suppress(HueyException):
                    await self._call("unfollow_1", id)
