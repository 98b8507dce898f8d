"""Who in a session on a server follows the progress of which tasks.

A follower listens, then reads what was reported last, so that nothing falls in between; and it waits for the task's end
as any waiter does. A push carries the report, and both come on one connection, so a report just before the end is seen
before the end. After a reconnect everything is read again. All state belongs to the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeAlias

from hueyio.exceptions import HueyException
from hueyio.storage.shared.background import make_task
from hueyio.storage.shared.lifetime import Lifetime

__all__ = ["ProgressBoard", "ProgressSource"]

_Wait: TypeAlias = Callable[[Sequence[str]], Coroutine[Any, Any, object]]


class ProgressSource(Protocol):
    """How reports come from the server."""

    async def listen(self, id: str, take: Callable[[bytes], None]) -> None:
        """Have each report of this task passed on from now on, or at the latest from the next ``read`` on."""

    async def read(self, id: str) -> bytes | None:
        """Return what was reported last."""

    async def leave(self, id: str) -> None:
        """Stop to listen; called before any ``read`` for somebody who follows the task later."""


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
    """The progress that one session follows; ``wait`` returns when tasks are over."""

    def __init__(self, source: ProgressSource, wait: _Wait, lifetime: Lifetime) -> None:
        self._source = source
        self._wait = wait
        self._lifetime = lifetime
        self._feeds: dict[str, _Feed] = {}

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        """Return a task's progress when it differs from ``seen``, or None when the task is over."""
        feed = self._feeds.setdefault(id, _Feed())
        woken = asyncio.Event()
        feed.followers.add(woken)
        ending = make_task(self._wait([id]))
        ending.add_done_callback(lambda _: woken.set())
        try:
            await self._source.listen(id, feed.take)
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

    def read_soon(self, id: str) -> None:
        """Read a report that was too large for a push."""
        if id in self._feeds:
            with suppress(HueyException):  # the session is closed
                self._lifetime.spawn(self._read_quietly(id))

    async def read_again(self) -> None:
        """Read the progress of all that is followed, as after a reconnect."""
        for id, feed in list(self._feeds.items()):
            await self._read(id, feed)

    async def _read_quietly(self, id: str) -> None:
        feed = self._feeds.get(id)
        if feed is not None:
            with suppress(HueyException):  # the connection that listens breaks too, and then all is read again
                await self._read(id, feed)

    async def _read(self, id: str, feed: _Feed) -> None:
        data = await self._source.read(id)
        if data is not None and (feed.latest is None or feed.followers):
            feed.take(data)

    async def _leave(self, id: str) -> None:
        """Stop to listen for a task that nobody here follows any more."""
        feed = self._feeds.get(id)
        if feed is not None and not feed.followers:
            del self._feeds[id]
            with suppress(HueyException):
                await self._source.leave(id)
