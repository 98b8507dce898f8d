"""Periodic tasks, one step at a time, on every storage."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hueyio import Huey, TaskRevoked, crontab
from tests.facts.steps import NOW, listen, run_all, run_next


async def test_revoked_periodic_task_is_enqueued_and_skipped(huey: Huey) -> None:
    heard = listen(huey)

    @huey.periodic_task(crontab())
    async def tick() -> None: ...

    await tick.revoke()
    (task,) = huey.read_periodic(NOW)
    await huey.enqueue(task)
    assert await run_next(huey) is None
    assert heard == ["enqueued", "revoked"]
    assert await huey.result_count() == 0
    with pytest.raises(TaskRevoked):
        await huey.result_of(task.id)


@pytest.mark.parametrize("fails", [False, True])
async def test_neither_value_nor_error_of_a_periodic_task_is_stored(huey: Huey, fails: bool) -> None:
    attempts: list[int] = []

    @huey.periodic_task(crontab(), retries=2)
    async def tick() -> str:
        attempts.append(1)
        if fails:
            raise ValueError
        return "value"

    for task in huey.read_periodic(NOW):
        await huey.enqueue(task)
    await tick()
    await run_all(huey)
    assert len(attempts) == (6 if fails else 2)
    assert await huey.result_count() == 0


async def test_due_periodic_tasks_are_fresh_and_in_their_order(huey: Huey) -> None:
    """All tasks that were declared by then, also late ones."""
    ran: list[str] = []

    def declare(name: str, when: Any) -> Any:
        @huey.periodic_task(when, name=name)
        async def tick() -> None:
            ran.append(name)

        return tick

    declare("second minute", crontab("*/2"))
    declare("always", lambda moment: True)
    even, odd = datetime(2030, 1, 1, 0, 2, tzinfo=UTC), datetime(2030, 1, 1, 0, 3, tzinfo=UTC)
    first, again = huey.read_periodic(even), huey.read_periodic(even)
    assert {task.id for task in first}.isdisjoint(task.id for task in again)
    late = declare("late", crontab())
    for task in (*first, *huey.read_periodic(odd)):
        await huey.enqueue(task)
    await run_all(huey)
    assert ran == ["second minute", "always", "always", "late"]
    late.unregister()
    assert len(huey.read_periodic(odd)) == 1
