"""A claim that is sent together with a settlement that makes tasks ready: a pipeline's stage is one round trip.

The fetcher lends it to the settler for one write. Until ``end`` the fetcher claims nothing itself, because that would
be for the same room.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from hueyio.storage.records import Delivery, Lane

__all__ = ["JointClaim"]


class JointClaim:
    """How much may be claimed, and what was."""

    __slots__ = ("_on_end", "deliveries", "heard", "is_answered", "room")

    def __init__(self, room: Mapping[Lane, int], heard: int, on_end: Callable[[JointClaim], Awaitable[None]]) -> None:
        """``heard`` is what the ledger knew of revocations; ``on_end`` is told when the write is over."""
        self.room = room
        self.heard = heard
        self.is_answered = False
        """Whether the storage has answered; where not, it may have claimed all the same."""
        self.deliveries: list[Delivery] | None = None
        """None: the storage claims nothing together with this settlement."""
        self._on_end = on_end

    def answer(self, deliveries: list[Delivery] | None) -> None:
        """Note what the storage answered."""
        self.is_answered, self.deliveries = True, deliveries

    async def end(self) -> None:
        """Give it back, whatever came of it."""
        await self._on_end(self)
