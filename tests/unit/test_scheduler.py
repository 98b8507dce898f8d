"""What is moved from the schedule, and how long the next look may wait."""

from __future__ import annotations

from collections.abc import Sequence

from hueyio.consumer.scheduler import Scheduler
from hueyio.loops.at_once import run_at_once
from hueyio.storage.contract import Session
from hueyio.storage.memory import MemoryStorage
from hueyio.testing.storage.conformance.worker import make_entries, make_entry
from tests.support.consuming import Clock


async def start(clock: Clock, etas: Sequence[float] = ()) -> tuple[Session, Scheduler]:
    session = await MemoryStorage(clock=clock).connect()
    await session.enqueue([make_entry(f"t{number}", eta=clock.now + eta) for number, eta in enumerate(etas)])
    return session, Scheduler(session, clock)


async def test_next_look_is_exactly_when_the_next_entry_is_due() -> None:
    clock = Clock()
    session, scheduler = await start(clock, [-1, 1.5, 3])
    assert run_at_once(scheduler.step()) == 1.5
    assert (await session.counts()).queued["loop"] == 1
    clock.now += 1.5
    assert run_at_once(scheduler.step()) == 1.5
    assert (await session.counts()).queued["loop"] == 2


async def test_look_is_not_later_than_a_clock_that_jumps_may_cost() -> None:
    clock = Clock()
    _, scheduler = await start(clock, [86_400])
    assert run_at_once(scheduler.step()) == 5.0
    clock.now += 86_400 - 4
    assert run_at_once(scheduler.step()) == 4.0


async def test_empty_schedule_is_looked_at_all_the_same() -> None:
    _, scheduler = await start(Clock())
    assert run_at_once(scheduler.step()) == 5.0


async def test_many_that_are_due_are_moved_in_chunks_without_a_rest() -> None:
    clock = Clock()
    session, scheduler = await start(clock)
    await session.enqueue(make_entries(450, eta=clock.now - 1))
    moved = []
    rests = []
    for _ in range(3):
        rests.append(run_at_once(scheduler.step()))
        moved.append((await session.counts()).queued["loop"])
    assert (moved, rests) == ([200, 400, 450], [0, 0, 5.0])


async def test_clock_that_is_past_the_next_entry_after_the_look_gives_no_negative_rest() -> None:
    clock = Clock()
    session, _ = await start(clock, [1])
    times = iter([clock.now, clock.now + 2])
    assert run_at_once(Scheduler(session, lambda: next(times)).step()) == 0.0
