"""What is claimed and when: one step at a time, against a storage in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from hueyio.consumer.fetcher import Fetcher
from hueyio.consumer.ledger import Ledger
from hueyio.exceptions import LeaseLost, StorageUnavailable
from hueyio.execution.job import Job
from hueyio.loops.at_once import run_at_once
from hueyio.storage.contract import Session
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.records import CLAIM_BYTES, Delivery, Header, Receipt
from hueyio.testing.storage.conformance.worker import make_entry, soon
from tests.support.consuming import Clock, job_of, make_job


class Bench:
    """A fetcher with a ledger of its own, and what it handed on."""

    def __init__(self, session: Session, workers: int = 2) -> None:
        self.session = session
        self.clock = Clock()
        self.ledger = Ledger({"loop": workers}, 0, lambda: None)
        self.dispatched: list[Delivery] = []
        self.lost: list[str] = []
        self.rung = asyncio.Event()
        self.late = asyncio.Event()
        self.has_dispatched = asyncio.Event()
        self.fails = False
        self.fetcher = Fetcher(
            session,
            self.ledger,
            lambda: "me",
            self.dispatch,
            self.rung.set,
            self.lost.append,
            15.0,
            self.clock,
            joins=True,
            on_late=self.late.set,
        )

    async def dispatch(self, deliveries: list[Delivery]) -> None:
        if self.fails:
            raise StorageUnavailable("no revocations can be looked up")
        self.dispatched += deliveries
        self.has_dispatched.set()
        for delivery in deliveries:
            self.ledger.add(job_of(delivery))

    @property
    def ids(self) -> list[str]:
        return [delivery.receipt.id for delivery in self.dispatched]

    def job(self, id: str) -> Job:
        job = self.ledger.get(id)
        assert job is not None
        return job

    async def begin_to_wait(self) -> asyncio.Task[float]:
        """Take a step that waits at the bells."""
        step = asyncio.create_task(self.fetcher.step())
        while not self.fetcher.is_listening:
            assert not step.done()
            await asyncio.sleep(0)
        return step


def make_delivery(id: str) -> Delivery:
    return Delivery(Receipt("me", id, 0), Header(id), b"")


async def start(ids: Sequence[str] = (), workers: int = 2) -> Bench:
    session = await MemoryStorage().connect()
    await session.register("me", b"")
    await session.enqueue([make_entry(id) for id in ids])
    return Bench(session, workers)


async def test_claim_that_got_all_it_asked_for_is_followed_by_the_next_without_a_wait() -> None:
    bench = await start(["a", "b", "c"])
    assert run_at_once(bench.fetcher.step()) == 0
    assert bench.ids == ["a", "b"]
    bench.ledger.end(bench.job("a"))
    assert run_at_once(bench.fetcher.step()) == 0
    assert bench.ids == ["a", "b", "c"]


async def test_claim_that_found_less_waits_until_its_lane_rings() -> None:
    bench = await start(["a"], workers=10)
    await bench.fetcher.step()  # the ring of that enqueue is kept, so that it does not wait yet
    waiting = await bench.begin_to_wait()
    await bench.session.enqueue([make_entry("b")])
    assert await soon(waiting) == 0
    assert not bench.rung.is_set()
    waiting = await bench.begin_to_wait()
    assert bench.ids == ["a", "b"]
    bench.fetcher.stop()
    await soon(waiting)


async def test_claim_that_may_have_ended_early_is_followed_by_the_next_without_a_wait() -> None:
    bench = await start(workers=10)
    await bench.session.enqueue([make_entry("a", b"x" * (CLAIM_BYTES // 2))])
    assert run_at_once(bench.fetcher.step()) == 0  # with less it would wait at the bells
    assert bench.ids == ["a"]


async def test_ring_of_the_schedule_wakes_the_scheduler() -> None:
    bench = await start()
    waiting = await bench.begin_to_wait()
    await bench.session.enqueue([make_entry("a", eta=bench.clock.now)])
    await soon(waiting)
    assert bench.rung.is_set()


async def test_nothing_is_claimed_while_it_is_held_back_and_something_is_held() -> None:
    bench = await start(["a", "b"])
    bench.ledger.add(make_job("held"))
    bench.fetcher.hold_back(bench.clock.now + 10)
    assert run_at_once(bench.fetcher.step()) > 0
    assert bench.ids == []
    bench.clock.now += 10
    run_at_once(bench.fetcher.step())
    assert bench.ids == ["a"]


async def test_consumer_that_has_drained_claims_although_it_is_held_back() -> None:
    bench = await start(["a", "b"])
    bench.fetcher.hold_back(bench.clock.now + 10)
    run_at_once(bench.fetcher.step())
    assert bench.ids == ["a", "b"]


async def test_what_was_claimed_and_not_dispatched_is_found_again() -> None:
    bench = await start(["a", "b", "c"])
    bench.fails = True
    with pytest.raises(StorageUnavailable):
        run_at_once(bench.fetcher.step())
    assert [it.receipt.id for it in await bench.session.held("me")] == ["a", "b"]
    bench.fails = False
    bench.fetcher.wake()  # so that it does not wait for room
    run_at_once(bench.fetcher.step())
    assert bench.ids == ["a", "b"]
    assert not any(it.unrevoked for it in bench.dispatched)  # something may have been revoked since that claim


async def test_doubt_stays_until_the_settlement_under_way_is_answered() -> None:
    """The id may have become a retry that a claim took whose reply was lost."""
    bench = await start(["a", "b"], workers=2)
    run_at_once(bench.fetcher.step())
    bench.ledger.end(bench.job("a"))
    bench.fetcher.doubt()
    assert run_at_once(bench.fetcher.step()) > 0
    assert run_at_once(bench.fetcher.step()) > 0
    bench.ledger.remove(bench.job("a"))  # answered; and since it is still held it is another run
    assert run_at_once(bench.fetcher.step()) == 0
    assert bench.ids == ["a", "b", "a"]


async def test_lost_lease_is_told_of_with_the_owner_that_had_it() -> None:
    bench = await start(["a"])
    await bench.session.deregister("me")
    with pytest.raises(LeaseLost):
        run_at_once(bench.fetcher.step())
    assert bench.lost == ["me"]


async def test_delivery_to_be_decided_again_looks_for_its_revocation() -> None:
    bench = await start(["a", "b"])
    run_at_once(bench.fetcher.step())
    first = bench.dispatched[0]
    assert first.unrevoked
    bench.fetcher.dispatch_again(first)
    bench.ledger.remove(bench.job("a"))
    bench.fails = True
    with pytest.raises(StorageUnavailable):
        run_at_once(bench.fetcher.step())
    bench.fails = False
    run_at_once(bench.fetcher.step())
    assert bench.dispatched[-1] == first._replace(unrevoked=False)


async def test_paused_fetcher_claims_nothing_until_it_is_resumed() -> None:
    bench = await start(["a", "b"])
    bench.fetcher.pause(True)
    run_at_once(bench.fetcher.step())
    assert bench.ids == []
    bench.fetcher.pause(False)
    run_at_once(bench.fetcher.step())
    assert bench.ids == ["a", "b"]


async def test_fetcher_that_waits_claims_what_a_settlement_brings() -> None:
    bench = await start(workers=10)
    waiting = await bench.begin_to_wait()
    bench.fetcher.hold_back(bench.clock.now + 1)  # so that no claim goes with the settlement
    assert bench.fetcher.expect_work() is None
    assert await soon(waiting) == 0


async def test_claim_that_travels_with_a_settlement_is_dispatched_while_the_fetcher_waits_at_the_bells() -> None:
    bench = await start(workers=10)
    waiting = await bench.begin_to_wait()
    joint = bench.fetcher.expect_work()
    assert joint is not None
    assert joint.room == {"loop": 10}
    assert bench.fetcher.expect_work() is None  # one at a time
    joint.answer([make_delivery("a")])
    await joint.end()
    assert bench.ids == ["a"]
    await asyncio.sleep(0)
    assert bench.fetcher.is_listening
    bench.fetcher.stop()
    await soon(waiting)


async def test_nothing_else_is_claimed_while_a_claim_travels_with_a_settlement() -> None:
    bench = await start(workers=2)
    waiting = await bench.begin_to_wait()
    joint = bench.fetcher.expect_work()
    assert joint is not None
    await bench.session.enqueue([make_entry("a"), make_entry("b"), make_entry("c")])
    assert await soon(waiting) == 0  # the bell has rung
    step = asyncio.create_task(bench.fetcher.step())
    await asyncio.sleep(0)
    assert bench.ids == []
    joint.answer(await bench.session.claim(joint.room, "me"))
    await joint.end()
    assert await soon(step) == 0
    assert bench.ids == ["a", "b"]


@pytest.mark.parametrize("fails", [True, False])
async def test_held_is_asked_when_a_claim_with_a_settlement_came_to_nothing(fails: bool) -> None:
    bench = await start(workers=2)
    waiting = await bench.begin_to_wait()
    joint = bench.fetcher.expect_work()
    assert joint is not None
    await bench.session.enqueue([make_entry("a")])
    deliveries = await bench.session.claim({"loop": 1}, "me")
    if fails:  # it is answered, and cannot be dispatched
        joint.answer(deliveries)
        bench.fails = True
    await joint.end()
    assert bench.ids == []
    bench.fails = False
    await soon(waiting)
    step = asyncio.create_task(bench.fetcher.step())
    await soon(bench.has_dispatched.wait())
    assert bench.ids == ["a"]
    bench.fetcher.stop()
    await soon(step)


async def test_claim_that_comes_when_the_fetcher_has_stopped_is_told_of() -> None:
    bench = await start(workers=2)
    waiting = await bench.begin_to_wait()
    joint = bench.fetcher.expect_work()
    assert joint is not None
    bench.fetcher.stop()
    await soon(waiting)
    assert bench.fetcher.expect_work() is None
    joint.answer([make_delivery("a")])
    await joint.end()
    assert (bench.ids, bench.late.is_set()) == (["a"], True)


async def test_fetcher_that_does_not_wait_has_no_need_to_be_told_of_work() -> None:
    bench = await start(workers=10)
    assert bench.fetcher.expect_work() is None
    waiting = await bench.begin_to_wait()
    assert not waiting.done()
    bench.fetcher.stop()
    await soon(waiting)
