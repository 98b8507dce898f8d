"""How a consumer hears of work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection

import pytest

from hueyio.storage.contract import Session
from hueyio.storage.records import LANES, Bell, Defer, Requeue
from hueyio.testing.storage.conformance.basis import Basis, Connect
from hueyio.testing.storage.conformance.worker import (
    BELLS,
    PATIENCE,
    Worker,
    die,
    make_entries,
    make_entry,
    make_suspects,
    quiet,
    soon,
)

__all__ = ["Bells"]


class Bells(Basis):
    """``wait_for_work``: what rings which bell, and that no ring is lost.

    A bell may also ring for nothing, so no test expects silence for long.
    """

    @pytest.mark.parametrize("timeout", [0.0, 0.05])
    async def test_wait_ends_after_its_timeout(self, session: Session, timeout: float) -> None:
        await quiet(session)
        rung = [await soon(session.wait_for_work(BELLS, timeout)) for _ in range(10)]
        assert frozenset() in rung

    @pytest.mark.parametrize("lane", LANES)
    async def test_enqueue_rings_the_lane(self, session: Session, connect: Connect, lane: Bell) -> None:
        await quiet(session)
        listening = _listen(session, BELLS)
        producer = await connect()
        await producer.enqueue([make_entry("a", lane=lane)])
        assert lane in await soon(listening)

    async def test_enqueue_rings_all_lanes_that_got_work(self, session: Session) -> None:
        await quiet(session)
        await session.enqueue([make_entry("a", lane="thread"), make_entry("b", lane="process")])
        assert await _heard(session, {"thread", "process"}) >= {"thread", "process"}

    async def test_ring_is_kept_for_the_next_to_wait(self, session: Session) -> None:
        await quiet(session)
        await session.enqueue([make_entry("a", lane="thread")])
        assert await _ring(session, ["thread"]) == {"thread"}

    async def test_ring_is_kept_for_the_first_to_connect(self, session: Session, connect: Connect) -> None:
        await session.enqueue([make_entry("a")])
        consumer = await connect()
        assert await _ring(consumer, ["loop"]) == {"loop"}

    async def test_wait_hears_only_the_bells_that_it_names(self, session: Session) -> None:
        await quiet(session)
        await session.enqueue([make_entry("a", lane="thread"), make_entry("b", lane="loop")])
        assert await _ring(session, ["loop"]) == {"loop"}
        assert await _ring(session, ["thread", "process"]) == {"thread"}

    async def test_cancelled_wait_costs_no_ring(self, session: Session, connect: Connect) -> None:
        producer = await connect()
        await quiet(session)
        for index in range(20):
            listening = _listen(session, ["loop"])
            for _ in range(index % 5):
                await asyncio.sleep(0)
            if index % 2:
                await producer.enqueue([make_entry(f"t{index}")])
            listening.cancel()
            await asyncio.wait([listening])
            if not index % 2:
                await producer.enqueue([make_entry(f"t{index}")])
            if listening.cancelled():
                assert await _ring(session, ["loop"]) == {"loop"}

    async def test_everybody_who_waits_gets_some_of_the_work(self, connect: Connect) -> None:
        workers = [await Worker.register(await connect()) for _ in range(3)]
        for worker in workers:
            await quiet(worker.session)
        working = asyncio.gather(*[_work(worker, 10) for worker in workers])
        producer = await connect()
        for index in range(30):
            await producer.enqueue([make_entry(f"t{index}")])
        done = await soon(working)
        assert sorted(id for ids in done for id in ids) == sorted(f"t{index}" for index in range(30))

    async def test_claim_that_is_full_lets_others_on_its_session_hear_of_what_it_left(self, session: Session) -> None:
        worker, other = await Worker.register(session), await Worker.register(session)
        await quiet(session)
        assert await other.claim() == []
        await session.enqueue(make_entries(2))
        assert "loop" in await _ring(session, BELLS)  # heard by the first, after the other had claimed
        listening = _listen(session, BELLS)
        assert len(await worker.claim(1)) == 1
        assert "loop" in await soon(listening)
        assert await other.claim_ids() == ["t1"]

    # --- the schedule's bell

    async def test_earlier_first_entry_rings_the_schedule(self, session: Session) -> None:
        now = time.time()
        for eta in (60, 30, 10):
            await quiet(session)
            await session.enqueue([make_entry(f"t{eta}", eta=now + eta)])
            assert await _ring(session, BELLS) == {"schedule"}

    async def test_retry_and_defer_ring_the_schedule(self, worker: Worker) -> None:
        one, two = await worker.take(*make_entries(2))
        eta = time.time() + 60
        await quiet(worker.session)
        await worker.retry(one, make_entry("t0", eta=eta))
        assert await _heard(worker.session, {"schedule"}) == {"schedule"}
        await quiet(worker.session)
        await worker.settle(Defer(two.receipt, two.header._replace(eta=eta - 1)))
        assert await _heard(worker.session, {"schedule"}) == {"schedule"}

    # --- what else rings the lanes

    async def test_promote_rings(self, session: Session) -> None:
        now = time.time()
        await session.enqueue([make_entry("a", eta=now - 1, lane="thread")])
        await quiet(session)
        await session.promote(now, 10)
        assert await _heard(session, {"thread"}) == {"thread"}

    async def test_follow_ups_ring(self, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        await quiet(worker.session)
        await worker.finish(delivery, follow_ups=(make_entry("b", lane="process"),))
        assert await _heard(worker.session, {"process"}) == {"process"}

    async def test_retry_without_delay_rings(self, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        await quiet(worker.session)
        await worker.retry(delivery, make_entry("a", lane="thread"))
        assert await _heard(worker.session, {"thread"}) == {"thread"}

    async def test_release_rings(self, worker: Worker) -> None:
        delivery = await worker.take_one("a", lane="thread")
        await quiet(worker.session)
        await worker.release(delivery)
        assert await _heard(worker.session, {"thread"}) == {"thread"}

    @pytest.mark.parametrize("times", [1, 2, 3])
    async def test_reclaim_rings_also_for_suspects(self, session: Session, times: int) -> None:
        await session.enqueue([make_entry("a", lane="thread")])
        for _ in range(times):
            victim = await Worker.register(session)
            await victim.claim_one()
            await quiet(session)
            await die(victim)
        assert await _heard(session, {"thread"}) == {"thread"}

    async def test_end_of_a_suspect_rings_for_what_waited_beside_it(self, session: Session) -> None:
        """Its owner heard those rings when it could claim nothing."""
        await make_suspects(session, "bad")
        worker = await Worker.register(session)
        suspect = await worker.claim_one()
        await session.enqueue([make_entry("a", lane="thread")])
        await quiet(session)
        assert await worker.claim() == []
        await worker.finish(suspect)
        assert await _heard(session, {"thread"}) == {"thread"}

    async def test_end_of_the_last_task_rings_for_a_suspect_that_waited(self, session: Session) -> None:
        worker = await Worker.register(session)
        delivery = await worker.take_one("own")
        await make_suspects(session, "bad", lane="process")
        await quiet(session)
        assert await worker.claim() == []
        await worker.finish(delivery)
        assert await _heard(session, {"process"}) == {"process"}

    async def test_deregister_rings(self, worker: Worker) -> None:
        await worker.take_one("a", lane="process")
        await quiet(worker.session)
        await worker.session.deregister(worker.owner)
        assert await _heard(worker.session, {"process"}) == {"process"}

    async def test_requeue_rings(self, worker: Worker) -> None:
        await worker.bury(await worker.take_one("a", lane="thread"))
        await quiet(worker.session)
        await worker.session.requeue([Requeue("a")])
        assert await _heard(worker.session, {"thread"}) == {"thread"}


def _listen(session: Session, bells: Collection[Bell]) -> asyncio.Task[frozenset[Bell]]:
    return asyncio.create_task(session.wait_for_work(bells, PATIENCE))  # a ring comes sooner, or the test fails


async def _ring(session: Session, bells: Collection[Bell]) -> frozenset[Bell]:
    return await soon(_listen(session, bells))


async def _heard(session: Session, bells: set[Bell]) -> set[Bell]:
    """Wait until all these bells were heard; they may ring one after another."""
    heard: set[Bell] = set()
    async with asyncio.timeout(PATIENCE):
        for _ in range(100):
            heard |= await _ring(session, bells)
            if heard >= bells:
                break
    return heard


async def _work(worker: Worker, share: int) -> list[str]:
    """Run a share of tasks, one at a time, waiting whenever there are none."""
    done: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while len(done) < share:
            deliveries = await worker.claim(loop=1)
            if deliveries:
                await worker.finish(*deliveries)
                done += [it.receipt.id for it in deliveries]
            else:
                await worker.session.wait_for_work(["loop"], 0.2)

    return done
