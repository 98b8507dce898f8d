"""Progress on PostgreSQL: who follows a task is registered, and is sent its reports."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

from hueyio.storage.postgres.connection.mailbox import Mailbox
from hueyio.storage.postgres.texts import from_json

__all__ = ["PostgresProgress"]


class PostgresProgress:
    """How reports come from PostgreSQL (``ProgressSource``); ``call`` asks for this client."""

    def __init__(self, call: Callable[..., asyncio.Future[Any]], mailbox: Mailbox) -> None:
        self._call = call
        self._mailbox = mailbox
        self._listeners: dict[str, Callable[[bytes], None]] = {}
        self._registering = asyncio.Lock()
        """In order, so that a registration is not taken back by what was asked before it, on another connection."""

    async def listen(self, id: str, take: Callable[[bytes], None]) -> None:
        """Pass reports on; ``read`` registers."""
        await self._mailbox.ensure()
        self._listeners[id] = take

    async def read(self, id: str) -> bytes | None:
        """Register, and return what was reported last, in one step."""
        async with self._registering:
            ((data,),) = await self._call("follow_1", id)
        return None if data is None else bytes(data)

    async def leave(self, id: str) -> None:
        """Take the registration back."""
        self._listeners.pop(id, None)
        async with self._registering:
            await self._call("unfollow_1", id)

    def receive(self, message: str) -> str | None:
        """Take a report that the server passes on; return the id of one that is too large for that."""
        id, data = from_json(message)
        if data is None:
            return str(id)
        take = self._listeners.get(id)
        if take is not None:
            take(base64.b64decode(data))
        return None
