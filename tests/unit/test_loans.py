"""Slots that are lent: who gets one next, how much is claimed meanwhile, and what comes first at the bound."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from hueyio.consumer.fetcher import Fetcher
from hueyio.consumer.ledger import Ledger
from hueyio.consumer.loans import Loans
from hueyio.consumer.slots import Slots
from hueyio.execution.context import running
from hueyio.execution.job import Job
from hueyio.execution.lending import PLACE, context_without_place, lending, note_enqueued
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.records import Delivery, Finish, Lane
from hueyio.testing.storage.conformance.worker import eventually, make_entries, make_entry, soon
from tests.support.consuming import Clock, job_of, make_job


def refuse(job: Job, error: Exception) -> None:
    """Stand for the end of a job whose run raised; nothing here may."""
    raise error


class Bodies:
    """Bodies of one lane that wait for an event of their id, with their slots lent, and then go on to ``ended``."""

    def __init__(self, size: int, most: int = 100, prefetch: int = 0, lends: bool = True) -> None:
        self.log: list[str] = []
        self.woken = 0
        self.ledger = Ledger({"loop": size}, prefetch, lambda: None)
        lanes: dict[Lane, Slots] = {}
        self.loans = Loans(self.ledger, lanes, {"loop": most}, self._wake)
        note = (lambda place, is_lent: self.loans.note("loop", place, is_lent)) if lends else None
        self.slots = lanes["loop"] = Slots("loop", size, self._run, refuse, note)
        self._events: dict[str, asyncio.Event] = {}
        self.lent: dict[str, asyncio.Event] = {}

    def put(self, *ids: str) -> None:
        for id in ids:
            self.put_job(make_job(id))

    def put_job(self, job: Job) -> None:
        self.ledger.add(job)
        self.slots.put(job)

    def event(self, id: str) -> asyncio.Event:
        return self._events.setdefault(id, asyncio.Event())

    async def settle_down(self, lent: int) -> None:
        """Wait until so many slots are lent, and what is ready has run."""

        async def is_so() -> bool:
            return self.loans.counts().get("loop", 0) == lent

        await eventually(is_so)
        await turns()

    async def close(self) -> None:
        self.slots.close()
        for event in self._events.values():
            event.set()
        assert await self.slots.wait_closed(60)

    def _wake(self) -> None:
        self.woken += 1

    async def _run(self, job: Job, slot: asyncio.Task[None]) -> None:
        id = job.task.id
        token = running.set(job.task)
        self.log.append(f"{id} begins")
        try:
            if id.startswith("busy"):
                await self.event(id).wait()
            else:
                await lending([f"child of {id}"], self.event(id).wait())
        except asyncio.CancelledError:
            self.log.append(f"{id} is cancelled")
            job.slot = None
            raise
        finally:
            running.reset(token)
            self.ledger.end(job)
            self.ledger.remove(job)
        self.log.append(f"{id} ends")


async def turns() -> None:
    """Let whatever is ready run."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_next_job_begins_when_a_body_lends_its_slot() -> None:
    bodies = Bodies(1)
    bodies.put("a", "b", "c")
    await bodies.settle_down(3)
    assert bodies.log == ["a begins", "b begins", "c begins"]
    assert (bodies.slots.busy, bodies.slots.free, bodies.woken) == (0, 1, 3)
    bodies.event("b").set()
    await bodies.settle_down(2)
    assert bodies.log[3:] == ["b ends"]
    await bodies.close()


async def test_body_goes_on_when_a_slot_is_free_and_before_any_job() -> None:
    bodies = Bodies(1)
    bodies.put("a", "busy", "busy too")
    await bodies.settle_down(1)
    bodies.event("a").set()
    await turns()
    assert bodies.log == ["a begins", "busy begins"]
    bodies.event("busy").set()
    await bodies.settle_down(0)
    assert bodies.log == ["a begins", "busy begins", "busy ends", "a ends", "busy too begins"]
    await bodies.close()


async def test_bodies_go_on_in_the_order_in_which_their_waits_end() -> None:
    bodies = Bodies(1)
    bodies.put("a", "b", "busy")
    await bodies.settle_down(2)
    for id in ("b", "a"):
        bodies.event(id).set()
        await turns()
    bodies.event("busy").set()
    await bodies.settle_down(0)
    assert bodies.log[3:] == ["busy ends", "b ends", "a ends"]
    await bodies.close()


@pytest.mark.parametrize("is_returning", [False, True])
async def test_body_goes_on_at_once_when_it_is_cancelled(is_returning: bool) -> None:
    bodies = Bodies(1)
    bodies.put("a", "busy", "b")
    await bodies.settle_down(1)
    (slot,) = [task for task, place in bodies.slots._places.items() if place.is_lent]
    if is_returning:
        bodies.event("a").set()
        await turns()
    slot.cancel()
    await asyncio.wait([slot])
    assert bodies.log == ["a begins", "busy begins", "a is cancelled"]
    assert (bodies.loans.counts(), bodies.slots.busy) == ({}, 1)
    bodies.event("busy").set()
    await bodies.settle_down(1)
    assert bodies.log[3:] == ["busy ends", "b begins"]
    await bodies.close()


async def test_body_goes_on_when_the_consumer_stops() -> None:
    bodies = Bodies(1)
    bodies.put("a", "busy", "b")
    await bodies.settle_down(1)
    assert [job.task.id for job in bodies.slots.close()] == ["b"]
    bodies.event("a").set()
    await turns()
    assert not await bodies.slots.wait_closed(0)
    bodies.event("busy").set()
    assert await bodies.slots.wait_closed(60)
    assert bodies.log[2:] == ["busy ends", "a ends"]


async def test_slot_is_kept_when_none_is_lent_here() -> None:
    bodies = Bodies(1, lends=False)
    bodies.put("a", "b")
    await turns()
    assert bodies.log == ["a begins"]
    await bodies.close()


async def test_slot_is_lent_when_the_wait_is_on_another_loop() -> None:
    bodies = Bodies(1)
    ended = threading.Event()

    async def run(job: Job, slot: asyncio.Task[None]) -> None:
        async def wait() -> None:
            await lending(["child"], asyncio.to_thread(ended.wait, 60))

        if job.task.id == "a":
            running.set(job.task)
            await asyncio.to_thread(asyncio.run, wait())
        bodies.log.append(job.task.id)

    bodies.slots._run = run
    bodies.put("a", "b")
    await bodies.settle_down(1)
    assert bodies.log == ["b"]
    ended.set()
    await bodies.settle_down(0)
    bodies.slots.close()
    assert await bodies.slots.wait_closed(60)
    assert bodies.log == ["b", "a"]


async def test_slot_is_not_lent_when_a_wait_is_made_beside_the_body_or_was_left_behind() -> None:
    bodies = Bodies(2)
    goes_on, left = asyncio.Event(), asyncio.Event()
    spawned: set[asyncio.Task[Any]] = set()
    places: list[Any] = []

    async def run(job: Job, slot: asyncio.Task[None]) -> None:
        places.append(PLACE.get())
        token = running.set(job.task)
        if job.task.id == "a":
            wait = lending(["x"], left.wait())
            spawned.add(asyncio.get_running_loop().create_task(wait, context=context_without_place()))
            await goes_on.wait()
            spawned.add(asyncio.get_running_loop().create_task(lending(["x"], left.wait())))
        running.reset(token)

    bodies.slots._run = run
    bodies.put("a")
    await turns()
    goes_on.set()
    await asyncio.sleep(0.03)  # what is left behind would lend by now
    assert bodies.loans.counts() == {}
    bodies.put("b")
    left.set()
    await soon(asyncio.gather(*spawned))
    bodies.slots.close()
    assert await bodies.slots.wait_closed(60)
    assert places[0] is places[1]


def test_lane_has_room_beside_what_is_lent_up_to_the_bound() -> None:
    ledger = Ledger({"loop": 4}, 4, lambda: None)
    for number in range(8):
        ledger.add(make_job(f"t{number}"))
    assert ledger.room() == {}
    ledger.lend("loop", 2, 10)
    assert ledger.room() == {"loop": 2}
    ledger.lend("loop", 10, 10)
    assert ledger.room() == {"loop": 6}
    for number in range(8, 13):
        ledger.add(make_job(f"t{number}"))
    assert ledger.is_full("loop")
    assert ledger.room() == {}
    ledger.lend("loop", 0, 10)
    assert ledger.room() == {}


async def test_what_bodies_wait_for_comes_latest_first_when_it_is_listed() -> None:
    bodies = Bodies(1)
    bodies.put("a", "b")
    await bodies.settle_down(2)
    assert list(bodies.loans.awaited()) == [["child of b", "child of a"]]
    bodies.ledger.add(make_job("child of b"))
    assert list(bodies.loans.awaited()) == [["child of a"]]
    assert (bodies.loans.stands_still(), bodies.loans.room()) == (True, {"loop": 1})
    bodies.put("busy")
    await asyncio.sleep(0)
    assert (bodies.loans.stands_still(), bodies.loans.room()) == (False, {})
    await bodies.close()


async def test_what_a_body_enqueued_is_listed_after_what_is_awaited() -> None:
    bodies = Bodies(2)

    async def run(job: Job, slot: asyncio.Task[None]) -> None:
        running.set(job.task)
        note_enqueued(["first", "second"])
        await lending(["awaited"], bodies.event("a").wait())

    bodies.slots._run = run
    bodies.put("a")
    await bodies.settle_down(1)
    assert list(bodies.loans.awaited()) == [["awaited", "second", "first"]]
    bodies.event("a").set()
    await bodies.settle_down(0)
    assert list(bodies.loans.awaited()) == []
    await bodies.close()


async def test_awaited_tasks_are_claimed_when_no_more_may_be_lent() -> None:
    bodies = Bodies(1, most=1)
    session = await MemoryStorage().connect()
    await session.register("me", b"{}")
    clock, dispatched = Clock(), list[str]()

    async def dispatch(deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            dispatched.append(delivery.receipt.id)
            bodies.put_job(job_of(delivery))

    fetcher = Fetcher(
        session, bodies.ledger, lambda: "me", dispatch, lambda: None, lambda _: None, 15.0, clock, bodies.loans
    )
    await session.enqueue([*make_entries(5, "parent"), make_entry("child of parent0"), make_entry("child of parent1")])
    for lent, expected in ((1, "parent0"), (2, "parent1"), (3, "child of parent1"), (4, "child of parent0")):
        await fetcher.step()
        await bodies.settle_down(lent)
        assert dispatched[-1] == expected
    # None of these is ready, nor to come from tasks that are not known here.
    stepping = asyncio.ensure_future(fetcher.step())
    await asyncio.sleep(0)
    clock.now += 2
    fetcher.wake()
    await soon(stepping)
    assert len(dispatched) == 4
    # What stands behind another task's end is: one more is begun.
    (held,) = [it for it in await session.held("me") if it.receipt.id == "child of parent0"]
    await session.settle(
        [Finish(held.receipt, follow_ups=(make_entry("x", expects=("child of child of parent1",)),))], "me", 1
    )
    fetcher._woken = False
    stepping = asyncio.ensure_future(fetcher.step())
    await asyncio.sleep(0)
    clock.now += 2
    fetcher.wake()
    await soon(stepping)
    fetcher._woken = False
    await fetcher.step()
    assert dispatched[4:] == ["parent2"]
    await bodies.close()
    await session.close()
