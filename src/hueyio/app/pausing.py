"""Let the queue rest."""

from __future__ import annotations

from hueyio.app.base import Base

__all__ = ["Pausing"]


class Pausing(Base):
    """Pause and resume; kept in the storage, for all consumers, until it is taken back."""

    async def pause(self) -> None:
        """Let consumers start nothing more. What runs goes on, what is enqueued waits."""
        await (await self.session()).pause()

    async def resume(self) -> None:
        """Let consumers go on."""
        await (await self.session()).resume()

    async def is_paused(self) -> bool:
        """Say whether the queue is paused."""
        return await (await self.session()).is_paused()
