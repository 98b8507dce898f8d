"""The consumer's role: leases, claims, settlements."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from hueyio.exceptions import LeaseLost, StorageError
from hueyio.storage.records import (
    LANES,
    Answer,
    Bell,
    Delivery,
    Lane,
    MemberResults,
    Notices,
    Owner,
    Promoted,
    Receipt,
    Settlement,
)
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.eviction import warn_of_eviction
from hueyio.storage.redis.records import read_deliveries
from hueyio.storage.redis.settlements import read_answers, write_settlements

__all__ = ["RedisConsuming"]

logger = logging.getLogger(__name__)

_SWEEP_CHUNK: Final = 200


class RedisConsuming:
    """Consuming."""

    def __init__(self, core: RedisCore) -> None:
        self._core = core

    async def register(self, owner: str, info: bytes) -> None:
        """Begin a lease, or replace its info."""
        await self._core.run("register", (owner, info))
        if not self._core.has_been_inspected:
            self._core.has_been_inspected = True
            self._core.lifetime.spawn(warn_of_eviction(self._core.wire))

    async def deregister(self, owner: str) -> None:
        """End a lease; what it holds goes back."""
        await self._core.run("deregister", (owner,), [self._core.layout.held(owner)])
        await self._core.notice_board.forget(owner, self._core.mailbox)

    async def owners(self) -> list[Owner]:
        """List the owners with a live lease."""
        found = await self._core.through_outage(lambda: self._core.run_over_fleet("owners"), is_idempotent=True)
        return [
            Owner(found[at].decode(), int(found[at + 1]), found[at + 2], found[at + 3], float(found[at + 4]))
            for at in range(0, len(found), 5)
        ]

    async def wait_for_work(self, bells: Collection[Bell], timeout: float) -> frozenset[Bell]:
        """Return when a bell rings, or after ``timeout`` seconds."""
        core = self._core
        core.lifetime.check()
        if core.poll_rest is not None:
            return await core.doorbell.poll(bells, timeout, core.poll_rest)
        return await core.doorbell.wait(bells, timeout)

    async def claim(self, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
        """Take ready tasks under a lease."""
        reply = await self._core.run(
            "claim", (owner, *(max(room.get(lane, 0), 0) for lane in LANES)), [self._core.layout.held(owner)]
        )
        if reply is None:
            raise LeaseLost(f"owner {owner} has no live lease")
        return read_deliveries(reply, owner)

    async def held(self, owner: str) -> list[Delivery]:
        """List what is under a lease."""
        reply = await self._core.run("held", (owner,), [self._core.layout.held(owner)])
        if reply is None:
            raise LeaseLost(f"owner {owner} has no live lease")
        return read_deliveries(reply, owner)

    async def start(self, receipts: Sequence[Receipt], owner: str) -> list[bool]:
        """Write that bodies are about to run."""
        args: list[str | int] = []
        for receipt in receipts:
            args += (receipt.id, receipt.deliveries if receipt.owner == owner else -1)
        return [answer == 1 for answer in await self._core.run("start", args, [self._core.layout.held(owner)])]

    async def settle(self, settlements: Sequence[Settlement], owner: str, number: int) -> list[Answer]:
        """End the runs of several tasks in one step."""
        try:
            args = write_settlements(settlements, owner, number, self._core.dead_limit)
        except UnicodeEncodeError as error:
            raise StorageError(f"{error.object!r} is no text that UTF-8 can hold") from None
        letters, dropped = await self._core.run("settle", args, [self._core.layout.held(owner)])
        if dropped:
            logger.warning(
                "dropped the oldest %d dead letters: no more than %d are kept", dropped, self._core.dead_limit
            )
        return read_answers(letters)

    async def notices(self, owner: str, seen: Notices | None) -> Notices:
        """Return an owner's notices as soon as they differ from ``seen``."""
        self._core.lifetime.check()
        return await self._core.notice_board.wait(owner, seen, self._core.mailbox)

    async def promote(self, now: float, limit: int) -> Promoted:
        """Move what is due to its lane, and drop some of what is over."""
        moved, next_eta = await self._core.run("promote", (repr(now), limit, _SWEEP_CHUNK))
        return Promoted(moved, None if next_eta is None else float(next_eta))

    async def reclaim(self, owner: str, beat: int) -> int | None:
        """Give an owner up if its heartbeat stands still."""
        count: int | None = await self._core.run("reclaim", (owner, beat), [self._core.layout.held(owner)])
        return count

    async def report(self, receipt: Receipt, data: bytes) -> bool:
        """Keep the latest progress of a running task and push it to the followers."""
        layout = self._core.layout
        args = (receipt.id, receipt.deliveries, layout.progress_channel(receipt.id), data)
        return bool(await self._core.run("report", args, [layout.held(receipt.owner)]))

    async def collect(self, keys: Sequence[str]) -> list[MemberResults | None]:
        """Read what was reported to latches."""
        found = await self._core.run("collect", keys) if keys else []
        return [None if values is None else tuple(values) for values in found]
