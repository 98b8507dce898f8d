"""How outcomes are written: in batches, again after a lost reply, and around those that the storage cannot take."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from hueyio import MemoryHuey
from hueyio.consumer.joint_claim import JointClaim
from hueyio.consumer.ledger import Ledger
from hueyio.consumer.settler import Settler
from hueyio.core import core_of
from hueyio.exceptions import SerializationError, StorageError, StorageFull, StorageUnavailable
from hueyio.execution.job import Job
from hueyio.execution.recorder import Recorder
from hueyio.loops.at_once import run_at_once
from hueyio.storage.contract import Session
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.records import Answer, Area, Delivery, Entry, Finish, HistoryBatch, Lane, Settlement
from hueyio.testing.storage.conformance.worker import Worker, die, make_entry, soon
from tests.support.consuming import Clock, job_of

POISON = b"poison"

ERRORS = {
    "refusal": StorageError("nothing can hold this"),
    "broken": StorageUnavailable("the connection broke"),
    "system": OSError(24, "too many open files"),
    "bug": AttributeError("a bug of ours"),
    "serializer": SerializationError("no bytes for this"),
}


class SmallSession:
    """One with room for so many bytes of results in a write, whose next reply may get lost."""

    def __init__(self, inner: Session) -> None:
        self.inner = inner
        self.room = 1_000_000
        self.loses_reply = False
        self.poison: Exception = StorageError("nothing can hold this")
        self.trouble: Exception | None = None
        """What every call raises."""
        self.batches: list[tuple[int, list[str]]] = []
        self.histories: list[HistoryBatch | None] = []

    async def settle(
        self, settlements: Sequence[Settlement], owner: str, number: int, history: HistoryBatch | None = None
    ) -> list[Answer]:
        self.histories.append(history)
        self.batches.append((number, [it.receipt.id for it in settlements]))
        results = [it.result or b"" for it in settlements if isinstance(it, Finish)]
        if self.trouble is not None:
            raise self.trouble
        if POISON in results:
            raise self.poison
        if sum(map(len, results)) > self.room:
            raise StorageFull("no room")
        answers = await self.inner.settle(settlements, owner, number, history)
        if self.loses_reply:
            self.loses_reply = False
            raise StorageUnavailable("the reply got lost")
        return answers

    async def settle_and_claim(
        self,
        settlements: Sequence[Settlement],
        owner: str,
        number: int,
        history: HistoryBatch | None,
        room: Mapping[Lane, int],
    ) -> tuple[list[Answer], list[Delivery] | None]:
        loses_reply, self.loses_reply = self.loses_reply, False
        answers = await self.settle(settlements, owner, number, history)
        deliveries = await self.inner.claim(room, owner)
        if loses_reply:
            raise StorageUnavailable("the reply got lost")
        return answers, deliveries

    async def held(self, owner: str) -> list[Delivery]:
        if self.trouble is not None:
            raise self.trouble
        return await self.inner.held(owner)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Bench:
    """A settler, the jobs that it settles, and what it told."""

    def __init__(self, session: SmallSession, worker: Worker) -> None:
        self.session = session
        self.worker = worker
        self.clock = Clock()
        self.ledger = Ledger({"loop": 100}, 0, lambda: None)
        self.untaken: list[str] = []
        self.refused: list[str] = []
        self.settler = Settler(
            cast(Session, session),
            self.ledger,
            lambda: self.worker.owner,
            lambda job: self.untaken.append(job.task.id),
            lambda job, error: self.refused.append(job.task.id),
            self.clock,
            recorder=Recorder(core_of(MemoryHuey()), self.clock),
            on_follow_up=self._tell_of_work,
        )
        self.told_of_work = 0
        self.joint: JointClaim | None = None
        self.ended_joints: list[JointClaim] = []

    def _tell_of_work(self) -> JointClaim | None:
        self.told_of_work += 1
        return self.joint

    async def end_joint(self, joint: JointClaim) -> None:
        self.ended_joints.append(joint)

    async def take(self, *ids: str) -> list[Job]:
        jobs = [job_of(await self.worker.take_one(id)) for id in ids]
        for job in jobs:
            self.ledger.add(job)
        return jobs

    async def put(self, *ids: str, result: bytes = b"x", take: str | None = None) -> None:
        """Let bodies end."""
        for job in await self.take(*ids):
            key: tuple[Area, str] | None = None if take is None else ("revocations", take)
            self.settler.put(job, Finish(job.delivery.receipt, result, take=key))

    def step(self, times: int = 1) -> list[list[str]]:
        """Write so many batches; return their ids."""
        done = len(self.session.batches)
        for _ in range(times):
            run_at_once(self.settler.step())
        return [ids for _, ids in self.session.batches[done:]]

    def fail(self, kind: type[Exception]) -> None:
        """Write once, and expect an error."""
        with pytest.raises(kind):
            run_at_once(self.settler.step())

    @property
    def numbers(self) -> list[int]:
        return [number for number, _ in self.session.batches]


@pytest.fixture
async def bench() -> Bench:
    session = SmallSession(await MemoryStorage().connect())
    return Bench(session, await Worker.register(session.inner))


async def test_outcomes_that_came_together_are_one_write(bench: Bench) -> None:
    await bench.put("a", "b", "c")
    assert len(bench.ledger) == 3
    assert bench.step() == [["a", "b", "c"]]
    assert len(bench.ledger) == 0
    assert await bench.settler.wait_drained(0) == 0


async def test_lost_reply_is_repeated_as_it_was_and_changes_nothing_twice(bench: Bench) -> None:
    await bench.put("a", "b")
    bench.session.loses_reply = True
    with pytest.raises(StorageUnavailable):
        bench.step()
    await bench.put("c")
    assert len(bench.ledger) == 3
    assert bench.step(2) == [["a", "b"], ["c"]]
    assert bench.numbers == [1, 1, 2]
    assert len(bench.ledger) == 0


async def test_numbers_begin_again_under_a_new_lease(bench: Bench) -> None:
    await bench.put("a")
    bench.step()
    bench.worker = await Worker.register(bench.session.inner)
    await bench.put("b")
    bench.step()
    assert bench.numbers == [1, 1]


async def test_outcome_under_a_lost_lease_is_dropped_and_said_so(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    (job,) = await bench.take("a")
    await die(bench.worker)
    waiting = bench.settler.submit(job, Finish(job.delivery.receipt, b"x"))
    bench.step()
    assert await soon(waiting) == "stale"
    assert "its lease had gone, what came of it here is dropped; it is in the queue again" in caplog.text


async def test_outcome_of_a_task_that_the_storage_has_lost_is_not_said_to_run_elsewhere(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    (job,) = await bench.take("a")
    waiting = bench.settler.submit(job, Finish(job.delivery.receipt, b"x"))
    bench.session.inner = await MemoryStorage("another").connect()
    bench.step()
    assert await soon(waiting) == "stale"
    assert "the storage knows nothing of it any more" in caplog.text


async def test_outcome_whose_revocation_was_used_up_is_decided_anew(bench: Bench) -> None:
    await bench.put("a", take="gone")
    bench.step()
    assert bench.untaken == ["a"]
    assert len(bench.ledger) == 0


async def test_batch_that_is_too_much_is_halved_behind_what_waits(bench: Bench) -> None:
    bench.session.room = 2
    await bench.put("a", "b", "c", "d")
    assert bench.step(3) == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"]]
    await bench.put("e")
    assert bench.step() == [["e"]]
    assert bench.numbers == [1, 2, 3, 4]
    assert len(bench.ledger) == 0


async def test_outcome_that_fits_nowhere_is_tried_again_and_holds_up_nobody(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.session.room = 5
    await bench.put("big", result=b"123456")
    bench.step()
    await bench.put("a")
    assert bench.step() == [["a"]]
    assert await bench.settler.wait_drained(0) == 1
    bench.clock.now += 1
    assert bench.step() == [["big"]]
    bench.session.room = 6
    bench.clock.now += 1
    assert bench.step() == [["big"]]
    assert len(bench.ledger) == 0
    assert [it.levelno for it in caplog.records if "no room" in it.message] == [logging.WARNING]


@pytest.mark.parametrize("error", [ERRORS["refusal"], ERRORS["serializer"]], ids=str)
async def test_outcome_that_the_storage_cannot_take_is_found_among_the_others(bench: Bench, error: Exception) -> None:
    bench.session.poison = error
    await bench.put("a")
    await bench.put("bad", result=POISON)
    await bench.put("b")
    written = [batch for batch in bench.step(4) if batch != [""]]
    assert written == [["a", "bad", "b"], ["a"], ["bad"], ["b"]]
    assert bench.refused == ["bad"]
    assert len(bench.ledger) == 0


@pytest.mark.parametrize("error", [ERRORS["system"], ERRORS["bug"]], ids=str)
async def test_unexpected_error_is_retried_as_it_is_and_then_its_cause_is_found(bench: Bench, error: Exception) -> None:
    bench.session.poison = error
    await bench.put("a")
    await bench.put("bad", result=POISON)
    await bench.put("b")
    for _ in range(2):
        bench.fail(type(error))
    assert [number for number, ids in bench.session.batches if ids == ["a", "bad", "b"]] == [1, 1]
    bench.step(2)  # the third time it is to blame; then the first by itself
    for _ in range(2):
        bench.fail(type(error))
    bench.step(2)
    assert bench.refused == ["bad"]
    assert len(bench.ledger) == 0
    assert await bench.session.inner.peek("results", ["a", "b"]) == [b"x", b"x"]


async def test_connection_that_breaks_with_one_outcome_holds_up_nobody(bench: Bench) -> None:
    bench.session.poison = ERRORS["broken"]
    await bench.put("bad", result=POISON)
    for _ in range(2):
        bench.fail(StorageUnavailable)
    bench.step()  # to blame for the first time: set aside
    assert bench.refused == []
    await bench.put("a")
    bench.step()
    assert await bench.session.inner.peek("results", ["a"]) == [b"x"]
    bench.clock.now += 2
    for _ in range(2):
        bench.fail(StorageUnavailable)
    bench.step()
    assert bench.refused == ["bad"]


@pytest.mark.parametrize("kind", ["refusal", "broken", "system", "bug"])
async def test_trouble_of_the_storage_is_never_taken_for_that_of_an_outcome(bench: Bench, kind: str) -> None:
    bench.session.trouble = error = ERRORS[kind]
    await bench.put("a", "b")
    for _ in range(20):
        bench.fail(type(error))
    bench.session.trouble = None
    bench.step()
    assert bench.refused == []
    assert await bench.session.inner.peek("results", ["a", "b"]) == [b"x", b"x"]


async def test_reply_that_is_always_lost_blames_nobody(bench: Bench) -> None:
    await bench.put("a", "b")
    for _ in range(7):
        bench.session.loses_reply = True
        bench.fail(StorageUnavailable)
    assert bench.step() == [["a", "b"]]
    assert set(bench.numbers) == {1}
    assert bench.refused == []


async def test_discarded_outcomes_are_not_written_and_who_waits_for_them_is_told(bench: Bench) -> None:
    (job,) = await bench.take("a")
    waiting = bench.settler.submit(job, Finish(job.delivery.receipt, b"x"))
    bench.settler.discard()
    assert await soon(waiting) == "stale"
    assert bench.step() == []
    assert await bench.settler.wait_drained(0) == 0


async def test_bodies_that_begin_together_are_one_write(bench: Bench) -> None:
    jobs = await bench.take("a", "b")
    assert await soon(asyncio.gather(*(bench.settler.start(job) for job in jobs))) == [True, True]
    await die(bench.worker)
    assert await soon(bench.settler.start(jobs[0])) is False


async def test_history_is_made_once_for_a_batch_that_is_repeated(bench: Bench) -> None:
    await bench.put("a", "b")
    bench.session.loses_reply = True
    bench.fail(StorageUnavailable)
    await bench.put("c")
    bench.step(2)
    first, again, other = bench.session.histories
    assert first is not None
    assert first is again
    assert first.ids == ("a", "b")
    assert other is not None
    assert [it.ids for it in (await bench.session.history(10)).items] == [("c",), ("a", "b")]


async def test_outcomes_are_written_without_history_while_there_is_too_little_room(bench: Bench) -> None:
    bench.session.room = 1
    await bench.put("a", "b")
    assert bench.step(3) == [["a", "b"], ["a"], ["b"]]
    assert [it is None for it in bench.session.histories] == [False, True, True]


@pytest.mark.parametrize(
    ("follow_ups", "told"),
    [((make_entry("b"),), 1), ((make_entry("b", eta=9e9),), 0), ((), 0)],
    ids=["ready", "later", "none"],
)
async def test_work_that_a_batch_brings_is_told_of_before_its_write(
    bench: Bench, follow_ups: tuple[Entry, ...], told: int
) -> None:
    (job,) = await bench.take("a")
    bench.settler.put(job, Finish(job.delivery.receipt, follow_ups=follow_ups))
    assert bench.step() == [["a"]]
    assert bench.told_of_work == told


async def test_claim_goes_with_the_settlement_that_brings_work(bench: Bench) -> None:
    (job,) = await bench.take("a")
    joint = bench.joint = JointClaim({"loop": 2}, 0, bench.end_joint)
    bench.settler.put(job, Finish(job.delivery.receipt, follow_ups=(make_entry("b"),)))
    bench.step()
    assert joint.is_answered
    assert [it.receipt.id for it in joint.deliveries or []] == ["b"]
    assert bench.ended_joints == [joint]
    assert len(bench.ledger) == 0


async def test_claim_is_given_back_unanswered_when_the_settlement_fails(bench: Bench) -> None:
    (job,) = await bench.take("a")
    joint = bench.joint = JointClaim({"loop": 2}, 0, bench.end_joint)
    bench.settler.put(job, Finish(job.delivery.receipt, follow_ups=(make_entry("b"),)))
    bench.session.loses_reply = True
    bench.fail(StorageUnavailable)
    assert (bench.ended_joints, joint.is_answered) == ([joint], False)
    bench.step()  # the same number again, without a claim
    assert bench.numbers == [1, 1]
    assert await bench.session.inner.claim({"loop": 2}, bench.worker.owner) == []
