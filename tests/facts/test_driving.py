"""Tasks that are claimed and executed by hand, on every storage."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from typing import Any

import pytest

from hueyio import Huey, HueyException, MemoryHuey, Task, TaskException, UnknownTaskError
from hueyio.core import core_of
from hueyio.storage.records import Entry, Header
from tests.facts.steps import later, listen, put_in_queue, run_all, run_next


def declare_add(huey: Huey) -> Any:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    return add


async def test_dequeued_task_is_held_until_it_is_executed(huey: Huey) -> None:
    """Delivery is at least once: the task leaves the queue, and is over only when it is executed."""
    result = await put_in_queue(huey, declare_add(huey).s(1, 2))
    assert await huey.count() == 1
    task = await huey.dequeue()
    assert task is not None
    assert (task.id, await huey.count()) == (result.id, 0)
    assert task.receipt.id == task.id
    assert await result.status() == "running"
    assert await huey.execute(task) == 3
    assert await result == 3
    assert await huey.dequeue() is None
    assert await (await core_of(huey).session()).owners() == []


async def test_dequeued_task_goes_back_at_close(huey: Huey) -> None:
    add = declare_add(huey)
    for number in (1, 2):
        await put_in_queue(huey, add.s(number, number))
    task = await huey.dequeue()
    await huey.close()
    assert task is not None
    assert [pending.args for pending in await huey.pending()] == [(1, 1), (2, 2)]
    with pytest.raises(HueyException, match=f"task {task.id} is not claimed here"):
        await huey.execute(task)


@pytest.mark.parametrize("task", [5, "id", None])
async def test_execute_takes_tasks_only(task: Any) -> None:
    with pytest.raises(HueyException, match="only a Task that dequeue"):
        await MemoryHuey().execute(task)
    with pytest.raises(HueyException, match="only a Task with an eta"):
        await MemoryHuey().add_schedule(task)


async def test_task_that_was_not_dequeued_is_not_executed(huey: Huey) -> None:
    add = declare_add(huey)
    with pytest.raises(HueyException, match="execute what dequeue"):
        await huey.execute(add.s(1, 2))
    await put_in_queue(huey, add.s(1, 2))
    task = await huey.dequeue()
    assert task is not None
    await huey.execute(task)
    with pytest.raises(HueyException, match="not claimed here"):
        await huey.execute(task)
    with pytest.raises(HueyException, match="timestamp must be a datetime"):
        await huey.execute(task, 60)  # type: ignore[arg-type]


async def test_dequeue_buries_what_it_cannot_read_and_puts_off_what_it_does_not_know(huey: Huey) -> None:
    """Neither is lost."""
    add = declare_add(huey)
    await (await core_of(huey).session()).enqueue([Entry(Header("odd"), b"garbage")])
    unknown = huey.serializer.serialize((1, "unknown", "app.unknown", (1,)))
    await (await core_of(huey).session()).enqueue([Entry(Header("unknown"), unknown)])
    await add(1, 2)
    assert await run_all(huey) == [3]
    assert [letter.id for letter in await huey.dead()] == ["odd"]
    assert await huey.result_of("unknown").status() == "scheduled"


async def test_cancelled_execute_gives_the_task_back(huey: Huey) -> None:
    started = asyncio.Event()

    @huey.task
    async def hang() -> None:
        started.set()
        await asyncio.Event().wait()

    result = await put_in_queue(huey, hang.s())
    executing = asyncio.ensure_future(run_next(huey))
    await started.wait()
    executing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await executing
    assert await result.status() == "ready"
    assert await (await core_of(huey).session()).owners() == []


async def test_execute_takes_the_lease_over_when_it_was_given_up(huey: Huey, caplog: pytest.LogCaptureFixture) -> None:
    result = await put_in_queue(huey, declare_add(huey).s(1, 2))
    task = await huey.dequeue()
    assert task is not None
    session = await core_of(huey).session()
    (owner,) = await session.owners()
    assert await session.reclaim(owner.owner, owner.beat) == 1
    with caplog.at_level(logging.WARNING):
        await huey.execute(task)
    assert "its lease had gone" in caplog.text
    assert await result.status() == "ready"
    assert await run_next(huey) == 3


async def test_execute_at_a_time_before_the_eta_schedules(huey: Huey) -> None:
    """A task that is not due goes back to the schedule, and SCHEDULED is sent."""
    await put_in_queue(huey, declare_add(huey).s(1, 2, eta=later(-60)))
    heard = listen(huey)
    task = await huey.dequeue()
    assert task is not None
    assert huey.ready_to_run(task)
    assert not huey.ready_to_run(task, later(-120))
    assert await huey.execute(task, later(-120)) is None
    assert heard == ["scheduled"]
    assert (await huey.count(), await huey.scheduled_count()) == (0, 1)
    assert [scheduled.id for scheduled in await huey.read_schedule()] == [task.id]
    assert await run_next(huey) == 3


async def test_read_schedule_moves_what_is_due_the_oldest_first(huey: Huey) -> None:
    add = declare_add(huey)
    late = await add.schedule((1, 1), delay=300)
    early = await add.schedule((2, 2), delay=100)
    never = await add.schedule((3, 3), delay=900)
    assert await huey.read_schedule(later(50)) == []
    assert [task.id for task in await huey.read_schedule(later(400))] == [early.id, late.id]
    assert await huey.read_schedule(later(400)) == []
    assert await run_all(huey, later(400)) == [4, 2]
    assert await never.status() == "scheduled"


async def test_add_schedule_takes_what_was_dequeued_and_what_is_new(huey: Huey) -> None:
    add = declare_add(huey)
    heard = listen(huey)
    await huey.add_schedule(add.s(1, 2, eta=later(-60), expires=600))
    assert (heard, await huey.scheduled_count()) == (["scheduled"], 1)
    await huey.read_schedule()
    task = await huey.dequeue()
    assert task is not None
    task.eta = later(60)
    await huey.add_schedule(task)
    assert await huey.scheduled_count() == 1
    assert [scheduled.id for scheduled in await huey.read_schedule(later(61))] == [task.id]


def test_task_survives_its_message() -> None:
    """A message holds all of the task, and there are messages only of registered tasks."""
    huey = MemoryHuey()
    add = declare_add(huey)
    task = add.s(1, b=2, delay=60, priority=3)
    again = huey.deserialize_task(huey.serialize_task(task))
    assert (again.id, again.data, again.priority) == (task.id, task.data, 3)
    data = huey.serialize_task(task)
    add.unregister()
    with pytest.raises(UnknownTaskError):
        huey.serialize_task(task)
    with pytest.raises(UnknownTaskError):
        huey.deserialize_task(data)


def test_message_of_an_older_producer_is_read_with_defaults() -> None:
    huey = MemoryHuey()
    add = declare_add(huey)
    task = huey.deserialize_task(huey.serializer.serialize((1, "id", add.path)))
    assert (task.args, task.kwargs, task.eta, task.expires, task.priority) == ((), {}, None, None, None)
    assert (task.retries, task.timeout, task.on_complete, task.on_error) == (0, None, None, None)


async def test_failure_of_an_executed_task_is_in_its_result(huey: Huey) -> None:
    @huey.task(retries=1)
    async def fail() -> None:
        raise ValueError("no")

    result = await fail()
    assert await run_all(huey) == [None, None]
    with pytest.raises(TaskException, match="no"):
        await result


def test_program_that_forgets_a_dequeued_task_ends_cleanly(huey_source: str) -> None:
    program = f"""
import asyncio, hueyio
huey = {huey_source}
@huey.task
async def work(): ...
async def main():
    await work()
    print((await huey.dequeue()).path)
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("__main__.work\n", "", 0)


def test_ready_to_run_is_about_the_eta() -> None:
    huey = MemoryHuey()
    assert huey.ready_to_run(Task("app.work"))
    assert not huey.ready_to_run(Task("app.work", eta=later(60)))
    assert huey.ready_to_run(Task("app.work", eta=later(60)), later(61))
