"""When a busy consumer makes way for suspects: decided by two looks, with the clock passed in."""

from __future__ import annotations

from hueyio.consumer.isolator import Isolator
from hueyio.consumer.ledger import Ledger
from hueyio.loops.at_once import run_at_once
from hueyio.storage.contract import Session
from hueyio.storage.memory import MemoryStorage
from hueyio.testing.storage.conformance.worker import Worker, die, make_entry
from tests.support.consuming import Clock, make_job

LEASE = 15.0


class Bench:
    """An isolator, and what it told the fetcher."""

    def __init__(self, session: Session) -> None:
        self.clock = Clock()
        self.ledger = Ledger({"loop": 10}, 0, lambda: None)
        self.held_back: list[float] = []
        self.isolator = Isolator(session, self.ledger, self.held_back.append, LEASE, self.clock)

    def look(self) -> list[float]:
        """Look once; return what was told so far."""
        rest = run_at_once(self.isolator.step())
        assert LEASE <= rest <= 2 * LEASE
        self.clock.now += LEASE
        return [until - self.clock.now for until in self.held_back]


async def make_suspect(session: Session) -> None:
    """Let two owners die with a task, so that it may be delivered only once more."""
    await session.enqueue([make_entry("suspect")])
    for _ in range(2):
        worker = await Worker.register(session)
        await worker.claim_one()
        await die(worker)
    assert (await session.counts()).suspects == 1


async def test_idle_consumer_needs_not_make_way() -> None:
    session = await MemoryStorage().connect()
    await make_suspect(session)
    bench = Bench(session)
    assert [bench.look() for _ in range(3)] == [[]] * 3


async def test_busy_consumer_makes_way_for_one_lease_at_the_second_look() -> None:
    session = await MemoryStorage().connect()
    await make_suspect(session)
    bench = Bench(session)
    bench.ledger.add(make_job())
    assert bench.look() == []
    assert bench.look() == [0.0]  # for a lease, from the look on: the clock has moved by one since


async def test_next_time_takes_two_looks_again_so_that_others_get_their_turn() -> None:
    session = await MemoryStorage().connect()
    await make_suspect(session)
    bench = Bench(session)
    bench.ledger.add(make_job())
    assert [len(bench.look()) for _ in range(4)] == [0, 1, 1, 2]


async def test_suspect_that_somebody_took_meanwhile_does_not_count() -> None:
    session = await MemoryStorage().connect()
    await make_suspect(session)
    bench = Bench(session)
    bench.ledger.add(make_job())
    bench.look()
    idle = await Worker.register(session)
    suspect = await idle.claim_one()
    assert bench.look() == []
    await idle.release(suspect)
    assert bench.look() == []
    assert bench.look() != []
