"""Notices on PostgreSQL: what is pushed concerns all owners of a session, and a call reads what is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from hueyio.storage.postgres.connection.mailbox import Mailbox
from hueyio.storage.records import Notices

__all__ = ["PostgresNotices"]


class PostgresNotices:
    """How notices come from PostgreSQL (``NoticeSource``); who listens rings all."""

    def __init__(self, call: Callable[..., asyncio.Future[Any]], mailbox: Mailbox) -> None:
        self._call = call
        self._mailbox = mailbox

    async def listen(self, owner: str, ring: Callable[[], None]) -> None:
        """Be connected: the mailbox takes what is pushed."""
        await self._mailbox.ensure()

    async def read(self, owner: str) -> Notices:
        """Return what is asked of the owner."""
        ((revocations, paused, cancelled),) = await self._call("notices_1", owner)
        return Notices(frozenset(cancelled), revocations, paused)

    async def leave(self, owner: str) -> None:
        """Nothing was subscribed."""
