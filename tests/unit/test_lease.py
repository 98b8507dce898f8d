"""How a consumer takes a lease, loses it and goes on under a new owner id."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from hueyio.consumer.heartbeat import HeartbeatOptions
from hueyio.consumer.lease import Lease
from hueyio.consumer.reaper import lease_of
from hueyio.exceptions import SessionClosed
from hueyio.loops.at_once import run_at_once
from hueyio.storage.contract import Session
from hueyio.storage.memory import MemoryStorage
from hueyio.testing.storage.conformance.worker import PATIENCE, make_entry, soon

SECONDS = 3600.0
"""No heartbeat comes in the time of a test."""


class Bench:
    """A lease, and what it told: each with the owner id of that moment."""

    def __init__(self, storage: MemoryStorage, session: Session) -> None:
        self.session = session
        self.told: list[tuple[str, str]] = []
        self.lease = Lease(
            session,
            storage.lease_keeper,
            HeartbeatOptions(lease=SECONDS),
            {"loop": 4},
            lambda: self.told.append(("lost", self.lease.owner)),
            lambda: self.told.append(("renewed", self.lease.owner)),
        )

    async def owners(self) -> list[str]:
        return [it.owner for it in await self.session.owners()]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    storage = MemoryStorage()
    session = await storage.connect()
    made = Bench(storage, session)
    yield made
    if made.lease.owner:
        await (await storage.connect()).deregister(made.lease.owner)
        made.lease.give_up()


async def test_lease_says_how_long_it_is_for_whoever_looks_for_the_dead(bench: Bench) -> None:
    assert bench.lease.steady_since() is None
    await bench.lease.begin()
    (owner,) = await bench.session.owners()
    assert (owner.owner, lease_of(owner.info, 1.0)) == (bench.lease.owner, SECONDS)
    assert bench.lease.steady_since() is not None


async def test_lost_lease_is_told_before_the_new_one_begins_and_after(bench: Bench) -> None:
    await bench.lease.begin()
    first = bench.lease.owner
    (owner,) = await bench.session.owners()
    await bench.session.reclaim(first, owner.beat)
    bench.lease.mark_lost(first)
    assert run_at_once(bench.lease.step()) == 0
    assert bench.lease.owner != first
    assert bench.told == [("lost", first), ("renewed", bench.lease.owner)]
    assert await bench.owners() == [bench.lease.owner]


async def test_loss_of_a_former_lease_is_no_loss(bench: Bench) -> None:
    await bench.lease.begin()
    first = bench.lease.owner
    bench.lease.mark_lost(first)
    run_at_once(bench.lease.step())
    second = bench.lease.owner
    bench.lease.mark_lost(first)  # a claim that was under way meanwhile says so once more
    bench.lease.wake()
    run_at_once(bench.lease.step())
    assert bench.lease.owner == second
    assert len(bench.told) == 2


async def test_lease_that_cannot_be_begun_anew_stays_lost_until_it_can(bench: Bench) -> None:
    await bench.lease.begin()
    bench.lease.mark_lost(bench.lease.owner)
    await bench.session.close()
    for _ in range(2):
        with pytest.raises(SessionClosed):
            run_at_once(bench.lease.step())
    assert [what for what, _ in bench.told] == ["lost", "lost"]


async def test_lease_that_is_given_up_in_a_thread_is_begun_anew_by_the_loop(bench: Bench) -> None:
    await bench.lease.begin()
    first = bench.lease.owner
    waiting = asyncio.create_task(bench.lease.step())
    await asyncio.to_thread(bench.lease.give_up)
    await soon(waiting)
    await soon(bench.lease.step())
    assert [what for what, _ in bench.told] == ["lost", "renewed"]
    assert bench.lease.owner != first


async def test_end_gives_back_what_is_held(bench: Bench) -> None:
    await bench.lease.begin()
    await bench.session.enqueue([make_entry("a")])
    assert await bench.session.claim({"loop": 1}, bench.lease.owner) != []
    await bench.lease.end()
    assert await bench.owners() == []
    assert (await bench.session.counts()).queued["loop"] == 1


class SlowRecipe:
    """A keeper whose recipe is a long time coming."""

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()

    def to_recipe(self) -> None:
        self.asked.set()
        assert self.may_answer.wait(PATIENCE)

    def has_moved(self) -> bool:
        return False

    def beat(self) -> bool:
        return True

    def close(self) -> None:
        pass


async def test_lease_has_not_begun_before_it_is_known_who_beats() -> None:
    """A task that holds the interpreter lock could keep the process that beats from being started."""
    keeper = SlowRecipe()
    options = HeartbeatOptions(lease=SECONDS, apart=True)
    session = await MemoryStorage().connect()
    lease = Lease(session, lambda owner: keeper, options, {"loop": 4}, lambda: None, lambda: None)
    beginning = asyncio.ensure_future(lease.begin())
    assert await asyncio.to_thread(keeper.asked.wait, PATIENCE)
    assert not beginning.done()
    keeper.may_answer.set()
    await asyncio.wait_for(beginning, PATIENCE)
    await lease.end()
