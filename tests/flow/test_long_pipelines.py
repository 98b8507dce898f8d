"""Pipelines so long that each stage is a message of its own: what holds of short ones holds of them."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from typing import Any, Final

import pytest

from hueyio import (
    Huey,
    HueyException,
    JSONSerializer,
    MemoryHuey,
    SerializationError,
    SignedSerializer,
    SqliteHuey,
    Task,
    TaskCancelled,
    TaskException,
    TaskExpired,
    TaskRevoked,
    chord,
)
from hueyio.core import core_of
from hueyio.messages.message import read_task
from hueyio.storage.contract import Session
from hueyio.storage.records import Entry, Stage
from hueyio.storage.stages import split
from tests.facts.steps import run_all, run_next

STAGES: Final = 12
"""More than are cut."""

in_memory = pytest.mark.parametrize("make_huey", ["memory"], indirect=True)
"""Of what the storage plays no part in."""


class Steps:
    """A pipeline of ``STAGES`` stages that each add one; the one that ``breaks`` raises until that is mended."""

    def __init__(self, huey: Huey) -> None:
        self.huey = huey
        self.breaks = -1
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.handled: list[str] = []
        self.add: Any = huey.task(name="add", context=True)(self._add)
        self.retried: Any = huey.task(name="retried", retries=1, context=True)(self._add)
        self.report: Any = huey.task(name="report", context=True)(self._report)
        self.collect: Any = huey.task(name="collect")(self._collect)

    def make(self, prefix: str = "s", **stages: Task) -> Task:
        """Make the pipeline; ``stages`` take the places of others."""
        made: list[Task] = [self.add.s(id=f"{prefix}{at}") for at in range(STAGES)]
        head, *later = [stages.get(f"at_{at}", stage) for at, stage in enumerate(made)]
        for stage in later:
            head.then(stage)
        head.args = (0,)
        return head

    async def session(self) -> Session:
        return await core_of(self.huey).session()

    async def is_empty(self) -> bool:
        """Say whether no trace of any task is left."""
        counts = await self.huey.counts()
        is_idle = not any(counts.queued.values()) and (counts.scheduled, counts.running, counts.expected) == (0, 0, 0)
        return is_idle and not counts.latches

    async def _add(self, value: int, task: Task | None = None) -> int:
        assert task is not None
        self.seen.append((task.id, dict(task.headers)))
        if task.id == f"s{self.breaks}":
            raise ValueError("broken")
        return value + 1

    async def _report(self, error: Any, task: Task | None = None) -> str:
        assert task is not None
        self.handled.append(task.id)
        return str(error)

    async def _collect(self, values: list[Any]) -> int:
        return sum(values)


@pytest.fixture
def steps(huey: Huey) -> Steps:
    return Steps(huey)


async def ends_of(group: Any) -> list[Any]:
    """Wait for all results; return values and errors."""
    return await asyncio.wait_for(asyncio.gather(*group, return_exceptions=True), 30)


async def test_values_are_handed_on_and_each_stage_is_known_before_it_runs(steps: Steps) -> None:
    group = await steps.huey.enqueue(steps.make())
    assert await run_next(steps.huey) == 1
    assert [await result.status() for result in group] == ["done", "ready", *["waiting"] * (STAGES - 2)]
    assert await run_all(steps.huey) == [*range(2, STAGES + 1)]
    assert await group == [*range(1, STAGES + 1)]
    assert await steps.is_empty()


async def test_consumer_runs_long_pipelines_side_by_side(steps: Steps) -> None:
    groups = [await steps.huey.enqueue(steps.make(prefix)) for prefix in "abc"]
    async with steps.huey.create_consumer(workers=4):
        for group in groups:
            assert await asyncio.wait_for(group.get(blocking=True), 30) == [*range(1, STAGES + 1)]
    assert await steps.is_empty()


async def test_only_the_next_stage_travels_with_one(steps: Steps) -> None:
    session = await steps.session()
    await steps.huey.enqueue(steps.make())
    await session.register("owner", b"")
    (delivery,) = await session.claim({"loop": 1}, "owner")
    assert delivery.header.expects == ("s1",)
    assert delivery.following is not None
    assert len(delivery.data) + len(delivery.following) < 400


async def test_stage_that_failed_ends_all_later_ones_and_takes_them_along_when_it_is_requeued(steps: Steps) -> None:
    steps.breaks = 3
    group = await steps.huey.enqueue(steps.make())
    await run_all(steps.huey)
    ends = await ends_of(group)
    assert ends[:3] == [1, 2, 3]
    assert {end.metadata["task_id"] for end in ends[3:]} == {"s3"}
    assert {await result.status() for result in group} == {"done", "failed"}
    assert await steps.is_empty()
    (failed,) = (await steps.huey.failed()).items
    assert failed.task is not None
    assert [stage.id for stage in failed.task.stages()] == [f"s{at}" for at in range(3, STAGES)]
    steps.breaks = -1
    await steps.huey.requeue("s3")
    assert await steps.huey.result_of(f"s{STAGES - 1}").status() == "waiting"
    assert await run_all(steps.huey) == [*range(4, STAGES + 1)]
    again = [steps.huey.result_of(result.id) for result in group]
    assert await ends_of(again[3:]) == [*range(4, STAGES + 1)]
    assert await steps.is_empty()


@in_memory
async def test_requeued_stage_may_fail_once_more(steps: Steps) -> None:
    steps.breaks = 2
    group = await steps.huey.enqueue(steps.make())
    await run_all(steps.huey)
    await steps.huey.requeue("s2")
    await run_all(steps.huey)
    assert isinstance((await ends_of([*group][-1:]))[0], TaskException)
    steps.breaks = -1
    await steps.huey.requeue("s2")
    assert (await run_all(steps.huey))[-1] == STAGES
    assert await steps.is_empty()


async def test_retry_in_the_middle_goes_on(steps: Steps) -> None:
    steps.breaks = 5
    await steps.huey.enqueue(steps.make(at_5=steps.retried.s(id="s5")))
    for _ in range(5):
        await run_next(steps.huey)
    assert await run_next(steps.huey) is None
    steps.breaks = -1
    assert await run_all(steps.huey) == [*range(6, STAGES + 1)]
    assert await steps.is_empty()


async def test_cancelled_stage_ends_all_later_ones(steps: Steps) -> None:
    group = await steps.huey.enqueue(steps.make())
    await run_next(steps.huey)
    assert await group[1].cancel()
    ends = await ends_of(group)
    assert ends[0] == 1
    assert {type(end) for end in ends[1:]} == {TaskCancelled}
    assert await steps.is_empty()
    await steps.huey.requeue("s1")
    assert (await run_all(steps.huey))[-1] == STAGES


@in_memory
async def test_revoked_stage_in_the_middle_ends_the_later_ones(steps: Steps) -> None:
    group = await steps.huey.enqueue(steps.make())
    await steps.huey.revoke_by_id("s4")
    await run_all(steps.huey)
    ends = await ends_of(group)
    assert ends[:4] == [1, 2, 3, 4]
    assert {type(end) for end in ends[4:]} == {TaskRevoked}
    assert await steps.is_empty()


@in_memory
async def test_stages_obey_their_own_times(steps: Steps) -> None:
    group = await steps.huey.enqueue(steps.make(at_4=steps.add.s(id="s4", expires=0)))
    await run_all(steps.huey)
    ends = await ends_of(group)
    assert ends[:4] == [1, 2, 3, 4]
    assert {type(end) for end in ends[4:]} == {TaskExpired}


@in_memory
async def test_error_handler_may_be_a_long_pipeline_itself(steps: Steps) -> None:
    steps.breaks = 2
    handler = steps.report.s()
    for at in range(STAGES):
        handler.then(steps.report, id=f"h{at}")
    await steps.huey.enqueue(steps.make(at_2=steps.add.s(id="s2").error(handler)))
    await run_all(steps.huey)
    assert steps.handled == ["s2:e0", *(f"h{at}" for at in range(STAGES))]
    assert await steps.is_empty()


async def test_members_and_callback_of_a_chord_may_be_long_pipelines(steps: Steps) -> None:
    callback = steps.collect.s(id="call")
    for at in range(STAGES):
        callback.then(steps.add, id=f"c{at}")
    result = await steps.huey.enqueue(chord([steps.make("a"), steps.make("b")], callback))
    await run_all(steps.huey)
    assert await result == 2 * STAGES
    assert await steps.huey.result_of(f"c{STAGES - 1}") == 3 * STAGES
    assert await steps.is_empty()


@in_memory
async def test_headers_go_along(steps: Steps) -> None:
    head = steps.make()
    head.headers = {"trace": "7"}
    await steps.huey.enqueue(head)
    await run_all(steps.huey)
    assert [headers for _, headers in steps.seen] == [{"trace": "7"}] * STAGES


@in_memory
async def test_rescheduled_pipeline_begins_anew_as_a_whole(steps: Steps) -> None:
    await steps.huey.enqueue(steps.make())
    (head,) = await steps.huey.pending()
    assert [stage.id for stage in head.stages()] == [f"s{at}" for at in range(STAGES)]
    again = await steps.huey.result_of("s0").reschedule()
    assert (await run_all(steps.huey))[-1] == STAGES
    assert await again[STAGES - 1] == STAGES


async def test_inspector_tells_what_follows_and_what_is_waited_for(steps: Steps) -> None:
    await steps.huey.enqueue(steps.make())
    first, last = await steps.huey.inspect("s0"), await steps.huey.inspect(f"s{STAGES - 1}")
    assert (first.name, first.then) == (steps.add.path, tuple(f"s{at}" for at in range(1, STAGES)))
    assert (last.state, last.waits_for) == ("waiting", (f"s{STAGES - 2}",))
    waiting = (await steps.huey.tasks("waiting")).tasks
    assert sorted(task.id for task in waiting) == sorted(f"s{at}" for at in range(1, STAGES))
    (ready,) = (await steps.huey.tasks("ready")).tasks
    assert ready.name == steps.add.path


@in_memory
async def test_stage_that_is_not_declared_here_waits_for_a_worker_that_knows_it(steps: Steps) -> None:
    group = await steps.huey.enqueue(steps.make(at_1=steps.retried.s(id="s1")))
    steps.retried.unregister()
    assert await run_next(steps.huey) == 1
    assert await steps.huey.dequeue() is None
    assert await group[1].status() == "scheduled"
    assert await group[STAGES - 1].status() == "waiting"
    assert await steps.huey.dead() == []


async def test_clear_ends_the_whole_pipeline(steps: Steps) -> None:
    group = await steps.huey.enqueue(steps.make())
    await steps.huey.flush()
    assert await steps.is_empty()
    assert {await result.status() for result in group} == {"cancelled"}


@in_memory
async def test_task_whose_stages_are_not_known_here_is_not_enqueued_anew(steps: Steps) -> None:
    await steps.huey.enqueue(steps.make())
    task = await steps.huey.dequeue()
    assert task is not None
    assert task.on_complete is not None
    assert task.on_complete.id == "s1"
    with pytest.raises(HueyException, match="the storage has the others"):
        await steps.huey.enqueue(task)
    with pytest.raises(HueyException, match="the storage has the others"):
        task.then(steps.add)


async def test_next_stage_that_the_storage_has_lost_is_told(steps: Steps) -> None:
    await steps.huey.enqueue(steps.make())
    session = await steps.session()
    await session.register("owner", b"")
    (delivery,) = await session.cancel(["s0"], "owner")
    await session.enqueue([Entry(delivery.header._replace(id="other", expects=()), delivery.data)])
    await session.deregister("owner")
    async with steps.huey.create_consumer():
        with pytest.raises(TaskException, match="cannot be read"):
            await asyncio.wait_for(steps.huey.result_of("other").get(blocking=True), 30)


@in_memory
@pytest.mark.parametrize("make_serializer", [JSONSerializer, lambda: SignedSerializer("secret", compression=True)])
async def test_stages_pass_any_serializer(make_huey: Callable[..., Huey], make_serializer: Callable[[], Any]) -> None:
    huey = make_huey(serializer=make_serializer())
    steps = Steps(huey)
    steps.breaks = 4
    group = await huey.enqueue(steps.make())
    await run_all(huey)
    steps.breaks = -1
    await huey.requeue("s4")
    await run_all(huey)
    assert await ends_of([huey.result_of(result.id) for result in [*group][4:]]) == [*range(5, STAGES + 1)]
    await huey.close()


async def test_stage_cannot_be_exchanged_for_another_where_messages_are_signed() -> None:
    huey = MemoryHuey("signed", serializer=SignedSerializer("secret"))
    steps = Steps(huey)
    session = await steps.session()
    await huey.enqueue(steps.make())
    await huey.enqueue(steps.make("other"))
    whole, other = [split(entry.data) for entry in await session.scan_tasks("queued")]
    assert whole is not None
    assert other is not None
    stages = [Stage(it.id, forged.data) for it, forged in zip(whole, other, strict=True)]
    header = (await session.scan_tasks("queued"))[0].header._replace(id="s0", expects=("s1",))
    await session.clear(["queue"])
    await session.enqueue([Entry(header, whole[0].data, tuple(stages[1:]))])
    await session.register("owner", b"")
    (delivery,) = await session.claim({"loop": 1}, "owner")
    with pytest.raises(SerializationError, match="it is the message of task 'other1'"):
        read_task(delivery.data, core_of(huey).serializer, delivery.header.id, delivery.following)
    await huey.close()


@in_memory
async def test_pipeline_stays_in_one_piece_while_a_worker_of_an_earlier_version_is_alive(steps: Steps) -> None:
    session = await steps.session()
    info = json.dumps({"host": "h", "pid": 1, "started": 0.0, "lease": 600.0, "slots": {"loop": 1}})
    await session.register("early", info.encode())
    await steps.huey.enqueue(steps.make())
    await session.register("owner", b"")
    (delivery,) = await session.claim({"loop": 1}, "owner")
    assert (len(delivery.header.expects), delivery.following) == (STAGES - 1, None)
    await session.deregister("owner")
    await session.deregister("early")
    async with steps.huey.create_consumer():
        assert await asyncio.wait_for(steps.huey.result_of("s11").get(blocking=True), 30) == STAGES
    assert await steps.is_empty()


async def test_immediate_mode_runs_them_too() -> None:
    huey = MemoryHuey("immediate", immediate=True)
    steps = Steps(huey)
    head = steps.make()
    for at in range(60):
        head.then(steps.add, id=f"more{at}")
    group = await huey.enqueue(head)
    assert await group[-1] == STAGES + 60
    await huey.close()


async def test_pipeline_of_a_transaction_comes_with_its_commit(tmp_path: Any) -> None:
    huey = SqliteHuey("transaction", filename=str(tmp_path / "app.db"))
    steps = Steps(huey)
    assert await huey.count() == 0
    connection = sqlite3.connect(tmp_path / "app.db")
    connection.execute("BEGIN")
    group = await huey.enqueue_in(connection, steps.make())
    connection.rollback()
    assert await steps.is_empty()
    connection.execute("BEGIN")
    group = await huey.enqueue_in(connection, steps.make())
    connection.commit()
    connection.close()
    await run_all(huey)
    assert (await ends_of(group))[-1] == STAGES
    assert await steps.is_empty()
    await huey.close()


async def test_stored_schedule_and_message_may_hold_a_very_long_pipeline() -> None:
    huey = MemoryHuey("whole")
    steps = Steps(huey)
    head = steps.add.s(0)
    for _ in range(1200):
        head.then(steps.add)
    again = huey.deserialize_task(huey.serialize_task(head))
    assert [stage.id for stage in again.stages()] == [stage.id for stage in head.stages()]
    await huey.close()
