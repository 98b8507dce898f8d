"""A consumer reduced to its storage calls, and how tests wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from itertools import count
from typing import Any, Final, TypeVar

from hueyio.storage.contract import Session
from hueyio.storage.records import (
    LANES,
    Answer,
    Bell,
    Bury,
    Delivery,
    Entry,
    Finish,
    Header,
    Over,
    Release,
    Settlement,
    Unknown,
)

__all__ = [
    "BELLS",
    "Worker",
    "die",
    "eventually",
    "make_entries",
    "make_entry",
    "make_suspects",
    "quiet",
    "soon",
    "start_waiting",
]

T = TypeVar("T")

BELLS: Final[tuple[Bell, ...]] = (*LANES, "schedule")
PATIENCE: Final = 60.0
"""Seconds after which what has to happen soon counts as not happening."""

_owners: Final = count(1)


def make_entry(id: str, data: bytes | None = None, **header: Any) -> Entry:
    """Make a task on its way in; its bytes are its id unless told otherwise."""
    return Entry(Header(id, **header), id.encode() if data is None else data)


def make_entries(number: int, prefix: str = "t", **header: Any) -> list[Entry]:
    """Make tasks ``t0``, ``t1`` and so on."""
    return [make_entry(f"{prefix}{index}", **header) for index in range(number)]


async def soon(awaitable: Awaitable[T]) -> T:
    """Await what must come within seconds."""
    return await asyncio.wait_for(awaitable, PATIENCE)


async def eventually(check: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    """Ask until the answer is yes; for what a storage does in its own time."""
    async with asyncio.timeout(PATIENCE):
        while not await check():  # noqa: ASYNC110 - nothing tells when a time to live is over
            await asyncio.sleep(0.01)


async def quiet(session: Session) -> None:
    """Hear all rings that were kept."""
    for _ in range(100):  # and not for ever: a bell that never stops must fail, not hang
        if not await session.wait_for_work(BELLS, 0.01):
            return
    raise AssertionError("the bells do not stop ringing though nothing happens")


async def start_waiting(session: Session, *ids: str, unknown: Unknown = "return") -> asyncio.Task[list[Over]]:
    """Begin to wait for ids, and return when that is registered.

    Registrations of a session take effect in the order of the calls: when a later call has its answer, the storage
    knows of the earlier one.
    """
    waiting = asyncio.create_task(session.await_outcomes(ids, unknown))
    await asyncio.sleep(0)
    await soon(session.await_outcomes(["nobody has this id"]))
    return waiting


class Worker:
    """An owner with its session and its settle numbers."""

    def __init__(self, session: Session, owner: str) -> None:
        self.session = session
        self.owner = owner
        self.number = 0

    @classmethod
    async def register(cls, session: Session, owner: str | None = None) -> Worker:
        """Begin a lease; the owner's name is made up unless given."""
        worker = cls(session, f"owner-{next(_owners)}" if owner is None else owner)
        await session.register(worker.owner, b"info")
        return worker

    async def claim(self, loop: int = 100, thread: int = 100, process: int = 100) -> list[Delivery]:
        """Claim from all lanes."""
        return await self.session.claim({"loop": loop, "thread": thread, "process": process}, self.owner)

    async def claim_ids(self, loop: int = 100, thread: int = 100, process: int = 100) -> list[str]:
        """Claim from all lanes, and say only the ids."""
        return [delivery.receipt.id for delivery in await self.claim(loop, thread, process)]

    async def claim_one(self) -> Delivery:
        """Claim, and expect exactly one."""
        (delivery,) = await self.claim()
        return delivery

    async def take(self, *entries: Entry) -> list[Delivery]:
        """Enqueue tasks and claim them."""
        answers = await self.session.enqueue(entries)
        assert {it.verdict for it in answers} == {"added"}
        taken = {delivery.receipt.id: delivery for delivery in await self.claim()}
        return [taken[entry.header.id] for entry in entries]

    async def take_one(self, id: str = "a", **header: Any) -> Delivery:
        """Enqueue a task and claim it."""
        (delivery,) = await self.take(make_entry(id, **header))
        return delivery

    async def settle(self, *settlements: Settlement) -> list[Answer]:
        """Settle under the next number."""
        self.number += 1
        return await self.session.settle(settlements, self.owner, self.number)

    def end(self, delivery: Delivery, **settlement: Any) -> Finish:
        """Make the settlement of a run that ended."""
        return Finish(delivery.receipt, **settlement)

    async def finish(self, *deliveries: Delivery, **settlement: Any) -> None:
        """Finish runs alike, and expect that they counted."""
        ends = [Finish(delivery.receipt, **settlement) for delivery in deliveries]
        assert await self.settle(*ends) == ["accepted"] * len(ends)

    async def retry(self, delivery: Delivery, entry: Entry, **settlement: Any) -> None:
        """Finish a run so that the task runs again."""
        assert entry.header.id == delivery.receipt.id
        await self.finish(delivery, follow_ups=(entry,), **settlement)

    async def release(self, *deliveries: Delivery, counted: bool = False) -> None:
        """Give tasks back, and expect that the storage took them."""
        ends = [Release(delivery.receipt, counted) for delivery in deliveries]
        assert await self.settle(*ends) == ["accepted"] * len(ends)

    async def bury(
        self, *deliveries: Delivery, reason: str = "because", answer: Answer = "accepted", **settlement: Any
    ) -> None:
        """Bury tasks, and expect that it counted."""
        ends = [Bury(delivery.receipt, reason, **settlement) for delivery in deliveries]
        assert await self.settle(*ends) == [answer] * len(ends)


async def die(worker: Worker) -> int:
    """Let somebody find out that this worker is dead; say how many tasks it held."""
    (beat,) = [it.beat for it in await worker.session.owners() if it.owner == worker.owner]
    count = await worker.session.reclaim(worker.owner, beat)
    assert count is not None
    return count


async def make_suspects(session: Session, *ids: str, lane: str = "loop") -> None:
    """Let two owners die with these tasks."""
    await session.enqueue([make_entry(id, lane=lane) for id in ids])
    for _ in range(2):
        victim = await Worker.register(session)
        assert sorted(await victim.claim_ids()) == sorted(ids)
        assert await die(victim) == len(ids)
