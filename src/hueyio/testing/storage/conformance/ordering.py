"""Which task comes next."""

from __future__ import annotations

import time

import pytest

from hueyio.storage.contract import Session, Storage
from hueyio.storage.records import LANES, Lane
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.worker import Worker, die, make_entries, make_entry

__all__ = ["Ordering"]


class Ordering(Basis):
    """Lanes, priorities, first come first served, the front and the back of a lane, the schedule."""

    async def test_claim_serves_first_come_first(self, worker: Worker) -> None:
        await worker.session.enqueue(make_entries(3))
        await worker.session.enqueue(make_entries(3, "u"))
        assert await worker.claim_ids(loop=4) == ["t0", "t1", "t2", "u0"]
        assert await worker.claim_ids(loop=4) == ["u1", "u2"]
        assert await worker.claim_ids(loop=4) == []

    async def test_claim_serves_the_highest_priority_first_where_there_are_any(
        self, storage: Storage, worker: Worker
    ) -> None:
        priorities = {"a": 0.0, "b": 5.0, "c": -1.0, "d": 5.0, "e": 0.5, "f": 0.0, "g": 1e6, "h": -1e6}
        await worker.session.enqueue([make_entry(id, priority=it) for id, it in priorities.items()])
        expected = list("gbdeafch") if storage.capabilities.priorities else list("abcdefgh")
        assert [entry.header.id for entry in await worker.session.scan_tasks("queued")] == expected
        assert await worker.claim_ids(loop=3) + await worker.claim_ids() == expected

    async def test_claim_takes_from_each_lane_what_there_is_room_for(self, worker: Worker) -> None:
        for lane in LANES:
            await worker.session.enqueue(make_entries(3, lane, lane=lane))
        assert await worker.claim_ids(loop=0, thread=0, process=0) == []
        taken = await worker.claim(loop=0, thread=1, process=2)
        assert sorted(it.receipt.id for it in taken) == ["process0", "process1", "thread0"]
        assert [it.receipt.id for it in await worker.session.claim({"loop": 2}, worker.owner)] == ["loop0", "loop1"]
        assert await worker.session.claim({}, worker.owner) == []
        assert sorted(await worker.claim_ids()) == ["loop2", "process2", "thread1", "thread2"]

    @pytest.mark.parametrize("lane", LANES)
    async def test_claim_of_one_lane_leaves_the_others(self, worker: Worker, lane: Lane) -> None:
        await worker.session.enqueue([make_entry(it, lane=it) for it in LANES])
        (delivery,) = await worker.session.claim({lane: 10}, worker.owner)
        assert delivery.header.lane == lane

    async def test_claim_gives_a_task_to_one_owner_only(self, worker: Worker) -> None:
        other = await Worker.register(worker.session)
        await worker.session.enqueue(make_entries(4))
        assert await worker.claim_ids(loop=2) == ["t0", "t1"]
        assert await other.claim_ids(loop=3) == ["t2", "t3"]
        assert await worker.claim_ids() == []

    async def test_released_tasks_go_to_the_front_in_the_order_of_the_queue(self, worker: Worker) -> None:
        await worker.session.enqueue(make_entries(4))
        first, second = await worker.claim(loop=2)
        await worker.release(second, first)
        assert await worker.claim_ids() == ["t0", "t1", "t2", "t3"]

    @pytest.mark.parametrize("how", ["reclaim", "deregister"])
    async def test_tasks_of_an_owner_that_went_away_go_to_the_front(self, worker: Worker, how: str) -> None:
        leaver = await Worker.register(worker.session)
        await worker.session.enqueue(make_entries(4))
        await leaver.claim(loop=2)
        await (die(leaver) if how == "reclaim" else worker.session.deregister(leaver.owner))
        assert await worker.claim_ids() == ["t0", "t1", "t2", "t3"]

    async def test_task_that_was_taken_from_the_middle_and_given_back_stands_there_once(self, worker: Worker) -> None:
        session = worker.session
        await session.enqueue(make_entries(3))
        for _ in range(2):
            await worker.release(*await session.cancel(["t1"], worker.owner))
        assert [it.header.id for it in await session.scan_tasks("queued")] == ["t1", "t0", "t2"]
        assert await worker.claim_ids(loop=1) == ["t1"]
        await session.clear(["queue"])
        assert (await session.counts()).queued["loop"] == 0
        assert await worker.claim_ids() == []

    async def test_front_of_a_lane_is_the_front_of_a_priority(self, storage: Storage, worker: Worker) -> None:
        await worker.session.enqueue([make_entry("low", priority=1.0)])
        (low,) = await worker.claim()
        await worker.session.enqueue([make_entry("low2", priority=1.0), make_entry("high", priority=2.0)])
        await worker.release(low)
        expected = ["high", "low", "low2"] if storage.capabilities.priorities else ["low", "low2", "high"]
        assert await worker.claim_ids() == expected

    async def test_retried_tasks_and_follow_ups_go_to_the_back(self, worker: Worker) -> None:
        await worker.session.enqueue(make_entries(2))
        (first,) = await worker.claim(loop=1)
        await worker.finish(first, follow_ups=(make_entry("x"), make_entry("t0"), make_entry("y")))
        assert await worker.claim_ids() == ["t1", "x", "t0", "y"]

    # --- the schedule

    async def test_promote_moves_what_is_due_earliest_first_to_the_back(self, worker: Worker) -> None:
        session = worker.session
        now = time.time()
        await session.enqueue([make_entry(f"t{eta}", eta=now + eta) for eta in (-1, 30, -3, 20, -2)])
        await session.enqueue([make_entry("ready")])
        assert [entry.header.id for entry in await session.scan_tasks("scheduled")] == [
            "t-3",
            "t-2",
            "t-1",
            "t20",
            "t30",
        ]
        assert (await session.promote(now, 100))[:2] == (3, now + 20)
        assert await worker.claim_ids() == ["ready", "t-3", "t-2", "t-1"]
        assert (await session.promote(now + 25, 100))[:2] == (1, now + 30)
        assert (await session.promote(now + 30, 100))[:2] == (1, None)
        assert (await session.promote(now + 90, 100))[:2] == (0, None)
        assert await worker.claim_ids() == ["t20", "t30"]

    async def test_promote_moves_no_more_than_the_limit(self, worker: Worker) -> None:
        now = time.time()
        await worker.session.enqueue([make_entry(f"t{index}", eta=now - 10 + index) for index in range(5)])
        assert (await worker.session.promote(now, 2))[:2] == (2, now - 8)
        assert await worker.claim_ids() == ["t0", "t1"]
        assert (await worker.session.promote(now, 3))[:2] == (3, None)
        assert await worker.claim_ids() == ["t2", "t3", "t4"]

    async def test_promote_keeps_lanes_and_priorities(self, storage: Storage, worker: Worker) -> None:
        now = time.time()
        await worker.session.enqueue([
            make_entry("thread", eta=now - 3, lane="thread"),
            make_entry("low", eta=now - 2, priority=1.0),
            make_entry("high", eta=now - 1, priority=2.0),
        ])  # fmt: skip
        assert (await worker.session.promote(now, 10)).moved == 3
        assert await worker.claim_ids(loop=0) == ["thread"]
        assert await worker.claim_ids() == (["high", "low"] if storage.capabilities.priorities else ["low", "high"])

    async def test_promote_of_nothing_says_when_the_first_is_due(self, session: Session) -> None:
        assert (await session.promote(time.time(), 10))[:2] == (0, None)
        eta = time.time() + 60.123456
        await session.enqueue([make_entry("a", eta=eta)])
        assert (await session.promote(time.time(), 10))[:2] == (0, eta)
