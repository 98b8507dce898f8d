"""What a test is told of one run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hueyio.tasks.states import TaskState
from hueyio.tasks.task import Task

__all__ = ["Ran"]


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a task, or the end of one that was not begun because it was revoked, cancelled or had expired.

    ``name`` is the task's full name, ``at`` the moment of the queue's clock at which it began (UTC), ``state`` what the
    task is now: ``done``, ``failed``, ``retrying`` and so on. ``value`` is what its body returned, ``error`` what it
    raised.
    """

    name: str
    at: datetime
    state: TaskState
    value: Any
    error: BaseException | None
    task: Task

    def __str__(self) -> str:
        text = f"{self.at:%Y-%m-%d %H:%M:%S} {self.name} {self.state}"
        return text if self.error is None else f"{text}: {type(self.error).__name__}: {self.error}"
