"""Run one task at a time, whatever the mode, and listen.

On a queue ``run_next`` and ``run_all`` dequeue and execute. In immediate mode a task ran when it was enqueued, and they
say what came of it; only what was due later and was moved to the queue is driven there too. A fact that is written
with them holds in both modes, unless it looks at the queue between the call and the run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from weakref import WeakKeyDictionary

from hueyio import Huey, Task

__all__ = [
    "NOW",
    "consuming",
    "enqueue_and_run",
    "later",
    "listen",
    "moment_of_run",
    "put_in_queue",
    "run_all",
    "run_next",
    "watch_runs",
]

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)

_runs: Final[WeakKeyDictionary[Huey, dict[tuple[str, int], Any]]] = WeakKeyDictionary()
"""What came of the runs of each Huey in immediate mode that no step has said yet, by the task's id and attempt."""


def later(seconds: float) -> datetime:
    """Return a moment that many seconds from now."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


def moment_of_run(huey: Huey, seconds: float) -> datetime:
    """Return when to run what is called now: that many seconds later; in immediate mode now, for the call runs it."""
    return later(0 if huey.immediate else seconds)


def watch_runs(huey: Huey) -> None:
    """Keep what tasks of this Huey return, for the steps to say."""
    runs = _runs[huey] = {}

    @huey.signal("canceled", "expired", "interrupted", "revoked")
    def note_end(signal: str, task: Task) -> None:
        runs.setdefault((task.id, task.attempt), None)

    @huey.post_execute("watch_runs")
    def note_value(task: Task, value: Any, error: BaseException | None) -> None:
        runs[task.id, task.attempt] = value


async def put_in_queue(huey: Huey, task: Task) -> Any:
    """Enqueue a task so that it waits in the queue, in immediate mode too; return its handle."""
    if not huey.immediate:
        return await huey.enqueue(task)
    task.eta = later(-1)
    await huey.add_schedule(task)
    await huey.read_schedule()
    return huey.result_of(task.id)


async def enqueue_and_run(huey: Huey, task: Task) -> Any:
    """Enqueue one task and run it; return its value."""
    await huey.enqueue(task)
    return await run_next(huey)


async def run_next(huey: Huey, timestamp: datetime | None = None) -> Any:
    """Run the next task, there must be one, or have run it at the call; return its value."""
    runs = _runs.get(huey, {})
    if runs:
        return runs.pop(next(iter(runs)))
    task = await huey.dequeue()
    assert task is not None
    return await _execute(huey, task, timestamp)


async def run_all(huey: Huey, timestamp: datetime | None = None) -> list[Any]:
    """Run until the queue is empty; return the values, also of what ran at the call."""
    runs = _runs.get(huey, {})
    values = list(runs.values())
    runs.clear()
    while (task := await huey.dequeue()) is not None:
        values.append(await _execute(huey, task, timestamp))
    return values


async def _execute(huey: Huey, task: Task, timestamp: datetime | None) -> Any:
    value = await huey.execute(task, timestamp)
    _runs.get(huey, {}).clear()
    return value


@asynccontextmanager
async def consuming(huey: Huey, **options: Any) -> AsyncIterator[None]:
    """Have a consumer run the tasks; in immediate mode there is none, and none is needed."""
    if huey.immediate:
        yield
        return
    async with huey.create_consumer(**options):
        yield


def listen(huey: Huey) -> list[str]:
    """Return a list that is filled with the names of all signals."""
    heard: list[str] = []

    @huey.signal()
    async def hear(signal: str, task: Task, *args: Any) -> None:
        heard.append(signal)

    return heard
