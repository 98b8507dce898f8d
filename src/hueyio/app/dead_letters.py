"""Look after dead letters."""

from __future__ import annotations

from collections.abc import Iterable

from hueyio.app.base import Base
from hueyio.control.dead_letters import DeadTask, read_dead_letter

__all__ = ["DeadLetters"]


class DeadLetters(Base):
    """What could not be run."""

    async def dead(self, limit: int | None = None) -> list[DeadTask]:
        """List the messages that could not be run, the latest first."""
        letters = await (await self.session()).dead(limit)
        return [read_dead_letter(letter, self.serializer) for letter in letters]

    async def requeue(self, ids: Iterable[str]) -> int:
        """Put dead letters back to the queue, as new; return how many."""
        return await (await self.session()).requeue(list(ids))

    async def purge(self, ids: Iterable[str] | None = None) -> int:
        """Delete these dead letters, or all; return how many."""
        return await (await self.session()).purge(None if ids is None else list(ids))
