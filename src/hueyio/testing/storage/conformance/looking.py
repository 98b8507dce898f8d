"""Questions and housekeeping."""

from __future__ import annotations

import time

import pytest

from hueyio.storage.contract import Session, Storage
from hueyio.storage.records import AREAS, Area, Counts
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.worker import Worker, eventually, make_entries, make_entry, make_suspects

__all__ = ["Looking"]


class Looking(Basis):
    """``counts``, ``locate``, ``scan_tasks``, ``scan_keys`` and ``clear``."""

    async def test_storage_names_itself(self, storage: Storage) -> None:
        assert isinstance(storage.name, str)
        assert str(storage)

    async def test_time_is_the_clocks(self, storage: Storage, session: Session) -> None:
        before = storage.clock.now()
        told = await session.time()
        assert before - 0.01 <= told <= storage.clock.now() + 0.01
        assert storage.clock.is_fresh

    async def test_counts_of_an_empty_queue_are_zero(self, session: Session) -> None:
        assert await session.counts() == Counts({"loop": 0, "thread": 0, "process": 0}, 0, 0, 0, 0, 0, 0, 0)

    async def test_counts_count_everything_once(self, session: Session) -> None:
        await make_suspects(session, "bad")
        holder, undertaker = await Worker.register(session), await Worker.register(session)
        await undertaker.claim_one()
        await undertaker.session.enqueue(make_entries(2, "held"))
        await holder.claim()
        await undertaker.session.deregister(undertaker.owner)
        await holder.bury(*(await session.held(holder.owner))[:1])
        await session.enqueue([*make_entries(3), make_entry("x", lane="thread", expects=("y",))])
        await session.enqueue([make_entry("later", eta=time.time() + 60)])
        await session.put("results", {"r1": b"", "r2": b""})
        await session.put("data", {"other": b""})
        assert await session.counts() == Counts(
            queued={"loop": 3, "thread": 1, "process": 0},
            suspects=1, scheduled=1, running=1, expected=1, results=2, dead=1, dead_dropped=0,
        )  # fmt: skip

    async def test_results_whose_time_is_over_do_not_count(self, session: Session) -> None:
        await session.put("results", {"a": b"", "b": b""}, ttl=0.05)
        await session.put("results", {"c": b""})

        async def is_one() -> bool:
            await session.promote(time.time(), 10)
            return (await session.counts()).results == 1

        await eventually(is_one)
        assert await session.scan_keys("results") == [("c", b"")]

    async def test_locate_answers_in_the_order_asked(self, worker: Worker) -> None:
        session = worker.session
        await worker.finish(await worker.take_one("ended"))
        await worker.take_one("running")
        await worker.bury(await worker.take_one("dead"), result=b"lost")
        await session.put("results", {"stored": b"result", "queued": b"intermediate"})
        await session.enqueue(
            [make_entry("queued", expects=("expected",)), make_entry("scheduled", eta=time.time() + 60)]
        )
        ids = ["unknown", "stored", "dead", "expected", "scheduled", "running", "queued", "ended", "unknown"]
        found = await session.locate(ids)
        assert [it.id for it in found] == [it.state for it in found] == ids
        assert [it.data for it in found] == [
            None, b"result", b"dead", None, b"scheduled", b"running", b"queued", None, None,
        ]  # fmt: skip
        assert not any(it.cancelled for it in found)
        assert await session.locate([]) == []

    async def test_scan_lists_queued_tasks_lane_by_lane(self, session: Session) -> None:
        entries = [
            make_entry(f"{lane}{index}", lane=lane) for index in range(2) for lane in ("process", "loop", "thread")
        ]
        await session.enqueue(entries)
        scanned = await session.scan_tasks("queued")
        assert [it.header.id for it in scanned] == ["loop0", "loop1", "thread0", "thread1", "process0", "process1"]
        assert sorted(scanned) == sorted(entries)
        assert await session.scan_tasks("queued", 3) == scanned[:3]
        assert await session.scan_tasks("queued", 0) == []

    async def test_scan_lists_scheduled_tasks_the_earliest_first(self, session: Session) -> None:
        now = time.time()
        await session.enqueue([make_entry(f"t{eta}", eta=now + eta, lane="thread") for eta in (30, 10, 20)])
        scanned = await session.scan_tasks("scheduled")
        assert [it.header.id for it in scanned] == ["t10", "t20", "t30"]
        assert scanned[0] == make_entry("t10", eta=now + 10, lane="thread")
        assert await session.scan_tasks("scheduled", 2) == scanned[:2]

    async def test_scan_lists_running_tasks_of_all_owners(self, session: Session) -> None:
        one, two = await Worker.register(session), await Worker.register(session)
        await session.enqueue(make_entries(3))
        await one.claim(loop=2)
        await two.claim()
        assert sorted(it.header.id for it in await session.scan_tasks("running")) == ["t0", "t1", "t2"]
        assert len(await session.scan_tasks("running", 2)) == 2

    async def test_scan_lists_keys(self, session: Session) -> None:
        await session.put("data", {f"k{index}": b"%d" % index for index in range(10)})
        scanned = await session.scan_keys("data")
        assert sorted(scanned) == [(f"k{index}", b"%d" % index) for index in range(10)]
        some = await session.scan_keys("data", 4)
        assert len(some) == len(set(some) & set(scanned)) == 4
        assert await session.scan_keys("data", 0) == []
        assert await session.scan_keys("locks") == []

    async def test_clear_of_the_queue_leaves_everything_else(self, worker: Worker) -> None:
        session = worker.session
        await _fill(worker)
        await session.clear(["queue"])
        counts = await session.counts()
        assert sum(counts.queued.values()) + counts.suspects == 0
        assert (counts.scheduled, counts.running, counts.dead, counts.results, counts.expected) == (1, 1, 1, 1, 1)
        assert await worker.claim() == []
        assert await session.scan_tasks("queued") == []
        await session.enqueue(make_entries(2))
        assert await worker.claim_ids() == ["t0", "t1"]

    async def test_clear_of_suspects_goes_with_the_queue(self, session: Session) -> None:
        await make_suspects(session, "bad")
        await session.clear(["queue"])
        assert (await session.counts()).suspects == 0
        assert await (await Worker.register(session)).claim() == []

    async def test_clear_of_the_schedule_leaves_everything_else(self, worker: Worker) -> None:
        session = worker.session
        await _fill(worker)
        await session.clear(["schedule"])
        counts = await session.counts()
        assert (counts.scheduled, counts.running, counts.dead, counts.results, counts.expected) == (0, 1, 1, 1, 1)
        assert counts.queued == {"loop": 1, "thread": 1, "process": 0}
        assert (await session.promote(time.time() + 90, 10))[:2] == (0, None)

    async def test_clear_of_dead_letters(self, worker: Worker) -> None:
        await _fill(worker)
        await worker.session.clear(["dead"])
        counts = await worker.session.counts()
        assert (counts.dead, counts.dead_dropped, counts.scheduled) == (0, 0, 1)
        assert await worker.session.dead() == []

    @pytest.mark.parametrize("area", AREAS)
    async def test_clear_of_an_area_leaves_the_others(self, session: Session, area: Area) -> None:
        for it in AREAS:
            await session.put(it, {"key": b"value"}, ttl=600.0)
        await session.clear([area])
        for it in AREAS:
            assert await session.peek(it, ["key"]) == [None if it == area else b"value"]

    async def test_clear_of_everything_leaves_what_is_running(self, worker: Worker) -> None:
        session = worker.session
        await _fill(worker)
        await session.clear(["queue", "schedule", "dead", *AREAS])
        counts = await session.counts()
        assert counts == Counts({"loop": 0, "thread": 0, "process": 0}, 0, 0, 1, 0, 0, 0, 0)
        await worker.finish(*await session.held(worker.owner), result=b"result")
        await session.clear([])
        assert (await session.counts()).results == 1


async def _fill(worker: Worker) -> None:
    """Make one of each: running, dead, stored, two queued and one scheduled, which expect the same."""
    await worker.take_one("running")
    await worker.bury(await worker.take_one("dead"))
    await worker.session.put("results", {"stored": b"result"})
    await worker.session.enqueue([
        make_entry("q1", expects=("x",)),
        make_entry("q2", lane="thread"),
        make_entry("s", eta=time.time() + 60, expects=("x",)),
    ])  # fmt: skip
