"""What a consumer does when others ask something of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from hueyio.consumer.ledger import Ledger
from hueyio.consumer.listener import Listener
from hueyio.consumer.stuck import Stuck
from hueyio.execution.job import Job
from hueyio.storage.contract import Session
from hueyio.storage.memory import MemoryStorage
from hueyio.testing.storage.conformance.worker import Worker, soon
from tests.support.consuming import job_of


class Bench:
    """A listener that has heard once, and what it told."""

    def __init__(self, session: Session, worker: Worker) -> None:
        self.session = session
        self.worker = worker
        self.ledger = Ledger({"loop": 10}, 0, lambda: None)
        self.looked_up: list[list[str]] = []
        self.writes = 0
        self.paused: list[bool] = []
        self.listener = Listener(
            session,
            self.ledger,
            lambda: self.worker.owner,
            self.look_up,
            self.count_write,
            Stuck(3600),
            self.paused.append,
            lambda: None,
        )

    async def look_up(self, jobs: Sequence[Job]) -> None:
        self.looked_up.append(sorted(job.task.id for job in jobs))

    def count_write(self) -> None:
        self.writes += 1

    async def hold(self, id: str) -> Job:
        job = job_of(await self.worker.take_one(id))
        self.ledger.add(job)
        return job

    async def ask_to_cancel(self, *ids: str) -> None:
        other = await Worker.register(self.session)
        await self.session.cancel(ids, other.owner)
        await self.session.deregister(other.owner)


@pytest.fixture
async def bench() -> Bench:
    session = await MemoryStorage().connect()
    made = Bench(session, await Worker.register(session))
    await soon(made.listener.step())
    assert (made.looked_up, made.writes) == ([[]], 1)
    return made


async def run_for_ever() -> None:
    await asyncio.Event().wait()


async def test_cancelled_job_that_was_not_started_is_marked(bench: Bench) -> None:
    job = await bench.hold("a")
    await bench.ask_to_cancel("a")
    assert await soon(bench.listener.step()) == 0
    assert job.cancelled
    assert bench.looked_up == [[]]  # nothing was revoked: the storage need not be asked


async def test_body_of_a_cancelled_job_is_cancelled_once(bench: Bench) -> None:
    job, other = await bench.hold("a"), await bench.hold("b")
    slot = asyncio.create_task(run_for_ever())
    job.slot, job.started_at = slot, 1.0
    await bench.ask_to_cancel("a")
    await soon(bench.listener.step())
    await bench.ask_to_cancel("b")  # now the notice names both
    await soon(bench.listener.step())
    assert (job.cancelled, other.cancelled, slot.cancelling()) == (True, True, 1)
    with pytest.raises(asyncio.CancelledError):
        await slot


async def test_cancellation_of_what_is_still_on_its_way_reaches_it_in_the_ledger(bench: Bench) -> None:
    delivery = await bench.worker.take_one("a")
    await bench.ask_to_cancel("a")
    await soon(bench.listener.step())
    job = job_of(delivery)
    bench.ledger.add(job)
    assert job.cancelled


async def test_revocation_is_looked_up_for_all_that_was_not_started(bench: Bench) -> None:
    running, _, _ = [await bench.hold(id) for id in ("a", "b", "c")]
    running.started_at = 1.0
    before = bench.ledger.revocations
    await bench.session.put("revocations", {"r:whatever": b"revoked"})
    await soon(bench.listener.step())
    assert (bench.looked_up[1:], bench.writes) == ([["b", "c"]], 2)
    assert bench.ledger.revocations != before


async def test_pause_is_told_when_it_changes_only(bench: Bench) -> None:
    await bench.session.pause()
    await soon(bench.listener.step())
    await bench.session.put("revocations", {"r:whatever": b"revoked"})
    await soon(bench.listener.step())
    await bench.session.resume()
    await soon(bench.listener.step())
    assert bench.paused == [True, False]


async def test_new_owner_hears_at_once_what_there_is(bench: Bench) -> None:
    waiting = asyncio.create_task(bench.listener.step())
    await asyncio.sleep(0)
    bench.worker = await Worker.register(bench.session)
    bench.listener.wake()
    assert await soon(waiting) == 0
    assert bench.writes == 1
