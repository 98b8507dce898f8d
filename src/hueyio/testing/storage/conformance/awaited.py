"""Tasks that are taken by their ids, because bodies that run wait for them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hueyio.exceptions import LeaseLost
from hueyio.storage.contract import Session
from hueyio.storage.records import Delivery, Lane
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.worker import Worker, die, make_entries, make_entry, make_suspects

__all__ = ["Awaited"]


async def take(worker: Worker, *ids: str, alone: bool = False, loop: int = 100, thread: int = 100) -> list[Delivery]:
    """Take awaited tasks, with room for 100 in each lane unless told otherwise."""
    room: dict[Lane, int] = {"loop": loop, "thread": thread}
    return await worker.session.claim_awaited(ids, room, worker.owner, alone)


def ids_of(deliveries: Sequence[Delivery]) -> list[str]:
    return [it.receipt.id for it in deliveries]


class Awaited(Basis):
    """``claim_awaited``."""

    async def test_awaited_come_in_the_order_asked_when_others_stand_before_them(self, worker: Worker) -> None:
        session = worker.session
        await session.enqueue([*make_entries(30), make_entry("thread", lane="thread")])
        taken = await take(worker, "t7", "thread", "t29", "t3")
        assert sorted(ids_of(taken)) == ["t29", "t3", "t7", "thread"]
        assert [it.data for it in taken] == [it.receipt.id.encode() for it in taken]
        assert [it.receipt.owner for it in taken] == [worker.owner] * 4
        assert await worker.claim_ids() == [f"t{at}" for at in range(30) if at not in (3, 7, 29)]
        assert sorted(ids_of(await session.held(worker.owner)))[-1] == "thread"
        assert (await session.counts()).queued["loop"] == 0

    async def test_more_awaited_than_a_few_come_when_asked_at_once(self, worker: Worker) -> None:
        await worker.session.enqueue(make_entries(200))
        asked = [f"t{at}" for at in range(199, 99, -1)]
        assert sorted(ids_of(await take(worker, *asked))) == sorted(asked)
        assert await worker.claim_ids(loop=200) == [f"t{at}" for at in range(100)]

    async def test_no_more_awaited_come_than_their_lane_has_room(self, worker: Worker) -> None:
        await worker.session.enqueue([*make_entries(4), *make_entries(2, "s", lane="thread")])
        assert sorted(ids_of(await take(worker, "t3", "s1", "t2", "t1", loop=2))) == ["s1", "t2", "t3"]
        assert await take(worker, "t0", "s0", loop=0, thread=0) == []
        assert sorted(await worker.claim_ids()) == ["s0", "t0", "t1"]

    async def test_awaited_keep_their_priority_when_they_are_put_back(self, worker: Worker, session: Session) -> None:
        await session.enqueue(make_entries(5))
        (taken,) = await take(worker, "t3")
        await worker.release(taken)
        assert await worker.claim_ids() == ["t3", "t0", "t1", "t2", "t4"]

    async def test_what_is_not_ready_does_not_come_when_it_is_awaited(self, worker: Worker, session: Session) -> None:
        held = await worker.take_one("held")
        await session.enqueue([make_entry("later", eta=9e9), make_entry("parent", expects=("child",))])
        assert await take(worker, "held", "later", "child", "nobody") == []
        assert await take(worker) == []
        assert ids_of(await take(worker, "parent", "parent")) == ["parent"]
        other = await Worker.register(session)
        assert await take(other, "held", "parent") == []
        await worker.finish(held)
        assert await take(other, "held") == []

    async def test_flagged_task_comes_flagged_when_it_is_awaited(self, worker: Worker, session: Session) -> None:
        await worker.take_one("a")
        canceller = await Worker.register(session)
        await session.cancel(["a"], canceller.owner)
        assert await die(worker) == 1
        (taken,) = await take(canceller, "a")
        assert (taken.cancelled, taken.receipt.deliveries) == (True, 1)

    async def test_nothing_comes_when_the_queue_is_paused(self, worker: Worker, session: Session) -> None:
        await session.enqueue([make_entry("a")])
        await session.pause()
        assert await take(worker, "a", alone=True) == []
        await session.resume()
        assert ids_of(await take(worker, "a")) == ["a"]

    async def test_no_lease_no_awaited(self, session: Session) -> None:
        await session.enqueue([make_entry("a")])
        with pytest.raises(LeaseLost):
            await take(Worker(session, "nobody"), "a")
        with pytest.raises(LeaseLost):
            await take(Worker(session, "nobody"))

    async def test_awaited_come_when_the_owner_holds_a_suspect(self, session: Session) -> None:
        await make_suspects(session, "bad")
        worker = await Worker.register(session)
        (suspect,) = await worker.claim()
        await session.enqueue(make_entries(2))
        assert await worker.claim_ids() == []
        (child,) = await take(worker, "t1")
        assert child.receipt.id == "t1"
        await worker.finish(child, suspect)
        assert await worker.claim_ids() == ["t0"]

    async def test_awaited_suspect_comes_alone_when_nothing_that_is_held_runs(self, session: Session) -> None:
        worker = await Worker.register(session)
        await make_suspects(session, "bad", "worse")
        await session.enqueue(make_entries(2))
        parent = (await take(worker, "t0"))[0]
        assert await take(worker, "bad") == []
        assert ids_of(await take(worker, "bad", "t1", "worse", alone=True)) == ["bad"]
        assert await worker.claim_ids() == []
        suspect = next(it for it in await session.held(worker.owner) if it.receipt.id == "bad")
        assert suspect.receipt.deliveries == 2
        await worker.finish(suspect, parent)
        assert await worker.claim_ids() == ["worse"]
