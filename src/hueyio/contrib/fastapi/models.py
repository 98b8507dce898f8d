"""What is answered about tasks, as the schema of the API has it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, field_serializer
from pydantic_core import from_json, to_json

from hueyio.tasks.states import TaskState

__all__ = ["TaskCancellation", "TaskProgress", "TaskStatus"]


class TaskProgress(BaseModel):
    """What the task reported last: a fraction from 0 to 1, and what to say about it."""

    model_config = ConfigDict(frozen=True)

    fraction: float
    message: str = ""


class TaskStatus(BaseModel):
    """Where a task is, and what came of it.

    ``value`` is what a task that is done returned: null if that was None, was read, or has expired. ``error`` says why
    it will be tried again, or why it ended without a value. ``progress`` is there while it runs and reports.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    status: TaskState
    progress: TaskProgress | None = None
    value: Any = None
    error: str | None = None

    @field_serializer("value", when_used="json")
    def _write_value(self, value: Any) -> Any:
        """Return what JSON has for it: tasks return anything, and a page must show it all the same."""
        try:
            return from_json(to_json(value, bytes_mode="base64", inf_nan_mode="null", fallback=repr))
        except ValueError:  # it contains itself
            return repr(value)


class TaskCancellation(BaseModel):
    """Whether a task was cancelled. False: it was over already."""

    model_config = ConfigDict(frozen=True)

    id: str
    cancelled: bool
