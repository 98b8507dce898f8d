"""A queue in memory in the place of one that is in a database of the application's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hueyio.storage.memory import MemoryStorage
from hueyio.storage.records import Enqueued, Entry

__all__ = ["TransactionalMemory"]


class TransactionalMemory(MemoryStorage):
    """Takes what belongs to a transaction at once: a test may never commit, and wants to see what was enqueued."""

    async def enqueue_in(self, connection: Any, entries: Sequence[Entry]) -> list[Enqueued]:
        """Add entries; whatever becomes of the transaction of the connection."""
        session = await self.connect()
        try:
            return await session.enqueue(entries)
        finally:
            await session.close()
