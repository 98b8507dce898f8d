"""Progress on Redis: a channel for each task that is followed, and a hash of what was reported last."""

from __future__ import annotations

from collections.abc import Callable

from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.connection.mailbox import Mailbox
from hueyio.storage.redis.connection.wire import Wire
from hueyio.storage.redis.layout import Layout

__all__ = ["RedisProgress"]


class RedisProgress:
    """How reports come from Redis (``ProgressSource``)."""

    def __init__(self, layout: Layout, wire: Wire, mailbox: Mailbox) -> None:
        self._layout = layout
        self._wire = wire
        self._mailbox = mailbox

    async def listen(self, id: str, take: Callable[[bytes], None]) -> None:
        """Subscribe to the task's channel."""
        await self._mailbox.subscribe(self._layout.progress_channel(id), take)

    async def read(self, id: str) -> bytes | None:
        """Return what was reported last."""
        data: bytes | None = await self._wire.call(pack("HGET", self._layout.key("PROGRESS"), id))
        return data

    async def leave(self, id: str) -> None:
        """Unsubscribe."""
        await self._mailbox.unsubscribe(self._layout.progress_channel(id))
