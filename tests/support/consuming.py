"""What the parts of a consumer are driven with: jobs, and a clock that stands still."""

from __future__ import annotations

from typing import Any

from hueyio.execution.job import Job
from hueyio.storage.records import Delivery, Header, Lane, Receipt
from hueyio.tasks.declared import TaskOptions, TaskSpec
from hueyio.tasks.task import Task

__all__ = ["Clock", "job_of", "make_job"]


class Clock:
    """Says what time it is, and is moved by hand."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def _work() -> None: ...


def job_of(delivery: Delivery) -> Job:
    """Make the job of a delivery, as the dispatcher does."""
    spec = TaskSpec("app.work", _work, TaskOptions())
    spec.lane = delivery.header.lane
    return Job(delivery, Task(spec.name, id=delivery.header.id), spec)


def make_job(id: str = "a", lane: Lane = "loop", owner: str = "me", **delivery: Any) -> Job:
    """Make a job that no storage knows."""
    return job_of(Delivery(Receipt(owner, id, 1), Header(id, lane), b"", **delivery))
