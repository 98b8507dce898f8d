"""Which deliveries are started and which end at once, and for what reason; against a storage in memory."""

from __future__ import annotations

from typing import Any

import pytest

from hueyio import MemoryHuey
from hueyio.consumer.dispatcher import Dispatcher
from hueyio.consumer.ledger import Ledger
from hueyio.core import Core, core_of
from hueyio.exceptions import SessionClosed
from hueyio.execution.intake import Intake
from hueyio.execution.job import Job
from hueyio.execution.outcome import Cancelled, Expired, Failed, Outcome, Revoked, UnknownTask, Unreadable, WorkerLost
from hueyio.messages.entry import make_entry
from hueyio.messages.revocation import Revocation, class_key, instance_key
from hueyio.storage.contract import Session
from hueyio.storage.records import Delivery, Receipt
from hueyio.tasks.task import Task
from hueyio.testing.storage.conformance.worker import soon
from tests.support.consuming import Clock


class Bench:
    """A dispatcher for two tasks of a Huey in memory, and what became of what it was given."""

    def __init__(self, huey: MemoryHuey, core: Core, session: Session, clock: Clock) -> None:
        self.core = core
        self.session = session
        self.clock = clock
        self.ledger = Ledger({"loop": 10, "thread": 10}, 0, lambda: None)
        self.started: list[Job] = []
        self.ended: dict[str, Outcome] = {}
        self.dispatcher = Dispatcher(core, Intake(core, session), self.ledger, self.started.append, self.end)

        @huey.task(max_deliveries=3)
        async def work(number: int = 0) -> None: ...

        @huey.task(at_most_once=True)
        def once() -> None: ...

        self.work: Any = work
        self.once: Any = once

    def end(self, job: Job, outcome: Outcome) -> None:
        self.ended[job.delivery.receipt.id] = outcome

    def deliver(self, task: Task, deliveries: int = 0, **delivery: Any) -> Delivery:
        """Make the delivery that a claim would give."""
        header, data, _ = make_entry(task, self.core.registry.get(task.path), self.core.serializer, self.clock.now)
        return Delivery(Receipt("me", task.id, deliveries), header, data, **delivery)

    async def dispatch(self, *deliveries: Delivery) -> list[str]:
        """Dispatch them together; return the ids of those that start."""
        await soon(self.dispatcher.dispatch(deliveries))
        return [job.task.id for job in self.started]


@pytest.fixture
async def bench() -> Bench:
    huey, clock = MemoryHuey("dispatched"), Clock()
    core = core_of(huey).with_clock(clock)
    return Bench(huey, core, await core.session(), clock)


async def test_jobs_start_in_the_lanes_of_their_functions_and_are_held(bench: Bench) -> None:
    assert await bench.dispatch(bench.deliver(bench.work.s(id="a")), bench.deliver(bench.once.s(id="b"))) == ["a", "b"]
    assert [job.lane for job in bench.started] == ["loop", "thread"]
    assert bench.ledger.ids() == {"a", "b"}


async def test_message_that_is_damaged_ends_alone(bench: Bench) -> None:
    good, bad, mixed_up = (bench.deliver(bench.work.s(id=id)) for id in ("good", "bad", "mixed up"))
    bad = bad._replace(data=b"garbage", header=bad.header._replace(expects=("next",)))
    mixed_up = mixed_up._replace(data=good.data)
    assert await bench.dispatch(bad, mixed_up, good) == ["good"]
    unreadable = bench.ended["bad"]
    assert isinstance(unreadable, Unreadable)
    assert unreadable.expects == ("next",)
    assert bench.ended["mixed up"] == Unreadable("it is the message of task 'good'")
    assert len(bench.ledger) == 3


async def test_task_that_nobody_knows_is_counted_from_when_it_was_first_seen(bench: Bench) -> None:
    new, old = bench.deliver(bench.work.s(id="new")), bench.deliver(bench.work.s(id="old"))
    bench.work.unregister()
    old = old._replace(header=old.header._replace(first_seen=5.0, defers=2))
    assert await bench.dispatch(new, old) == []
    assert bench.ended == {"new": UnknownTask(bench.clock.now, 0), "old": UnknownTask(5.0, 2)}


async def test_task_that_killed_too_many_consumers_is_not_given_to_one_more(bench: Bench) -> None:
    assert await bench.dispatch(*(bench.deliver(bench.work.s(id=f"{n}"), n) for n in (2, 3))) == ["2"]
    assert bench.ended == {"3": WorkerLost(3)}


async def test_at_most_once_task_is_lost_only_if_its_body_was_begun(bench: Bench) -> None:
    claimed, begun = bench.deliver(bench.once.s(id="claimed"), 1), bench.deliver(bench.once.s(id="begun"), 1)
    assert await bench.dispatch(claimed, begun._replace(started=True)) == ["claimed"]
    assert bench.ended == {"begun": WorkerLost(1, started=True)}


async def test_revocations_of_the_call_and_of_the_function_are_found(bench: Bench) -> None:
    one_call, all_calls = instance_key("a"), class_key(bench.once.s().path)
    await bench.session.put("revocations", {one_call: Revocation().to_bytes()})
    await bench.session.put("revocations", {all_calls: Revocation(once=True).to_bytes()})
    revoked = [bench.deliver(bench.work.s(id="a")), bench.deliver(bench.once.s(id="b"))]
    assert await bench.dispatch(*revoked, bench.deliver(bench.work.s(id="c"))) == ["c"]
    assert bench.ended == {"a": Revoked(), "b": Revoked(all_calls)}  # the second uses its revocation up


async def test_revocation_is_in_force_until_its_moment(bench: Bench) -> None:
    await bench.session.put("revocations", {instance_key("a"): Revocation(until=bench.clock.now + 1).to_bytes()})
    delivery = bench.deliver(bench.work.s(id="a"))
    assert await bench.dispatch(delivery) == []
    bench.clock.now += 1
    assert await bench.dispatch(delivery) == ["a"]


async def test_storage_that_said_there_are_no_revocations_is_not_asked(bench: Bench) -> None:
    delivery = bench.deliver(bench.work.s(id="a"), unrevoked=True)
    await bench.session.close()
    assert await bench.dispatch(delivery) == ["a"]


async def test_nothing_is_started_or_held_when_the_storage_cannot_be_asked(bench: Bench) -> None:
    deliveries = [bench.deliver(bench.work.s(id=id)) for id in "ab"]
    await bench.session.close()
    with pytest.raises(SessionClosed):
        await bench.dispatch(*deliveries)
    assert (bench.started, bench.ended, len(bench.ledger)) == ([], {}, 0)


async def test_cancelled_and_expired_tasks_end_at_once(bench: Bench) -> None:
    expired, flagged, heard = (bench.deliver(bench.work.s(id=id, expires=10)) for id in ("expired", "flagged", "heard"))
    bench.ledger.cancelled = frozenset({"heard"})
    bench.clock.now += 10.5
    assert await bench.dispatch(expired, flagged._replace(cancelled=True), heard) == []
    assert bench.ended == {"expired": Expired(), "flagged": Cancelled(), "heard": Cancelled()}


async def test_callback_whose_members_results_are_gone_fails(bench: Bench) -> None:
    callback = bench.deliver(bench.work.s(id="callback"))
    callback = callback._replace(header=callback.header._replace(collects=True))
    assert await bench.dispatch(callback) == []
    assert isinstance(bench.ended["callback"], Failed)
