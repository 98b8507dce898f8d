"""Where the jobs of one lane run: how many at a time, in which order, and what survives an end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hueyio.consumer.slots import Slots
from hueyio.execution.job import Job
from hueyio.testing.storage.conformance.worker import soon
from tests.support.consuming import make_job


class Bodies:
    """Bodies that run until they are let go; ``begun`` says in which order they were started."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self._let_go: dict[str, asyncio.Event] = {}

    async def run(self, job: Job, slot: asyncio.Task[None]) -> None:
        self.begun.append(job.task.id)
        await self._event(job.task.id).wait()
        self.ended.append(job.task.id)

    def let_go(self, *ids: str) -> None:
        for id in ids:
            self._event(id).set()

    def _event(self, id: str) -> asyncio.Event:
        return self._let_go.setdefault(id, asyncio.Event())


def refuse(job: Job, error: Exception) -> None:
    """Stand for the end of a job whose run raised; nothing here may."""
    raise error


async def turns(count: int = 5) -> None:
    """Let whatever is ready run."""
    for _ in range(count):
        await asyncio.sleep(0)


def fill(slots: Slots, *ids: str) -> None:
    for id in ids:
        slots.put(make_job(id))


async def test_no_more_run_than_there_are_slots_and_the_rest_in_their_order() -> None:
    bodies = Bodies()
    slots = Slots("loop", 2, bodies.run, refuse)
    assert slots.occupied == 0
    fill(slots, "a", "b", "c", "d")
    await turns()
    assert (bodies.begun, slots.occupied) == (["a", "b"], 2)
    bodies.let_go("b", "c", "d")
    await turns()
    assert bodies.begun == ["a", "b", "c", "d"]
    bodies.let_go("a")
    slots.close()
    assert await slots.wait_closed(60)


async def test_slot_that_is_idle_is_taken_before_another_is_started() -> None:
    bodies = Bodies()
    slots = Slots("loop", 2, bodies.run, refuse)
    for id in ("a", "b", "c"):
        bodies.let_go(id)
        fill(slots, id)
        await turns()
    assert (bodies.ended, slots.occupied) == (["a", "b", "c"], 1)
    slots.close()
    assert await slots.wait_closed(60)


async def test_stop_gives_back_what_was_not_started_and_lets_the_others_finish() -> None:
    bodies = Bodies()
    slots = Slots("loop", 1, bodies.run, refuse)
    fill(slots, "a", "b", "c")
    await turns()
    assert [job.task.id for job in slots.close()] == ["b", "c"]
    assert not await slots.wait_closed(0)
    bodies.let_go("a")
    assert await slots.wait_closed(60)
    assert (bodies.begun, bodies.ended) == (["a"], ["a"])


async def test_nothing_is_started_from_the_moment_of_the_hold_on() -> None:
    bodies = Bodies()
    slots = Slots("loop", 1, bodies.run, refuse)
    fill(slots, "a", "b")
    await turns()
    slots.hold()
    bodies.let_go("a")
    await turns()
    assert bodies.begun == ["a"]
    assert [job.task.id for job in slots.close()] == ["b"]


async def test_slot_that_was_ended_is_replaced_for_those_that_wait_behind_it() -> None:
    bodies = Bodies()
    slots = Slots("loop", 1, bodies.run, refuse)
    fill(slots, "a", "b")
    await turns()
    slots.cancel()
    bodies.let_go("b")
    await turns()
    assert (bodies.begun, bodies.ended) == (["a", "b"], ["b"])
    slots.close()
    assert await slots.wait_closed(60)


async def test_failure_in_a_slot_stops_nothing_behind_it_and_its_job_is_ended() -> None:
    ran: list[str] = []

    async def fail(job: Job, slot: asyncio.Task[None]) -> None:
        ran.append(job.task.id)
        raise RuntimeError

    rescued: list[str] = []
    await run_all(fail, 3, lambda job, error: rescued.append(f"{job.task.id} {error!r}"))
    assert ran == ["t0", "t1", "t2"]
    assert rescued == [f"{id} RuntimeError()" for id in ran]


async def test_bodies_that_never_wait_let_others_have_the_loop() -> None:
    ran: list[str] = []
    seen: list[int] = []

    async def run(job: Job, slot: asyncio.Task[None]) -> None:
        ran.append(job.task.id)

    async def look() -> None:
        while len(ran) < 200:
            seen.append(len(ran))
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    await run_all(run, 200)
    await soon(looking)
    assert seen == [0, 50, 100, 150]


async def run_all(
    run: Callable[[Job, asyncio.Task[None]], Awaitable[None]],
    count: int,
    rescue: Callable[[Job, Exception], None] = refuse,
) -> None:
    """Run so many jobs in one slot."""
    slots = Slots("loop", 1, run, rescue)
    fill(slots, *(f"t{number}" for number in range(count)))
    await turns(20)
    assert slots.close() == []
    assert await slots.wait_closed(60)


def has_begun(slots: Slots) -> bool:
    """Let all slots begin; say whether more are to be woken."""
    answers = [slots.begun(slot) for slot in tuple(slots._places)]
    return any(answers)


async def test_slots_that_are_woken_gently_double_while_jobs_are_left() -> None:
    bodies = Bodies()
    slots = Slots("thread", 20, bodies.run, refuse, begins_at_once=False)
    fill(slots, *(f"t{number}" for number in range(12)))
    started = []
    while slots.occupied < 12:
        await turns()
        started.append(slots.occupied)
        if has_begun(slots):
            slots.wake_more()
    assert started == [1, 2, 4, 8]
    bodies.let_go(*(f"t{number}" for number in range(12)))
    slots.close()
    assert await slots.wait_closed(60)


async def test_bodies_that_wait_soon_have_all_slots() -> None:
    bodies = Bodies()
    slots = Slots("loop", 20, bodies.run, refuse)
    ids = [f"t{number}" for number in range(25)]
    fill(slots, *ids)
    await turns(6)  # 1, 2, 4, 8, 16, 20
    assert (bodies.begun, slots.occupied) == (ids[:20], 20)
    bodies.let_go(*ids)
    await turns()
    assert bodies.begun == ids
    slots.close()
    assert await slots.wait_closed(60)


async def test_bodies_that_do_not_wait_are_run_by_few_slots() -> None:
    ran: list[str] = []

    async def run(job: Job, slot: asyncio.Task[None]) -> None:
        ran.append(job.task.id)

    slots = Slots("loop", 100, run, refuse)
    ids = [f"t{number}" for number in range(40)]
    for _ in range(2):
        fill(slots, *ids)
        await turns()
    assert ran == ids * 2
    assert slots.occupied == 2  # the second was woken before the first had run them all
    slots.close()
    assert await slots.wait_closed(60)


async def test_slot_that_begins_when_nothing_is_left_wakes_none() -> None:
    bodies = Bodies()
    slots = Slots("thread", 20, bodies.run, refuse, begins_at_once=False)
    fill(slots, "a", "b", "c")
    await turns()
    taken = [slots.take(lambda _: True) for _ in range(3)]
    assert [job and job.task.id for job in taken] == ["b", "c", None]
    assert not has_begun(slots)
    assert slots.occupied == 1
    fill(slots, "d")
    await turns()
    assert bodies.begun == ["a", "d"]
    bodies.let_go("a", "d")
    slots.close()
    assert await slots.wait_closed(60)


async def test_job_that_may_not_be_taken_stays_the_first() -> None:
    slots = Slots("thread", 1, Bodies().run, refuse, begins_at_once=False)
    fill(slots, "a", "b")
    assert slots.take(lambda job: job.task.id == "b") is None
    assert [job.task.id for job in slots.take_last(1)] == ["b"]
    taken = slots.take(lambda job: True)
    assert taken is not None
    assert slots.put_back([taken]) == []
    assert [job.task.id for job in slots.close()] == ["a"]
    assert slots.put_back([taken]) == [taken]
    assert slots.take(lambda job: True) is None
    assert await slots.wait_closed(60)
