"""The states of a task: one vocabulary for handles, lists, commands, metrics and pages."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

from hueyio.storage.records import EndKind

__all__ = ["ENDED_STATES", "LIVE_STATES", "TASK_STATES", "LiveTaskState", "TaskState", "state_of_end", "waiting_state"]

LiveTaskState: TypeAlias = Literal["ready", "scheduled", "waiting", "running", "retrying"]
"""Of a task that is still to end."""

TaskState: TypeAlias = Literal[
    "ready",
    "scheduled",
    "waiting",
    "running",
    "retrying",
    "done",
    "failed",
    "expired",
    "cancelled",
    "lost",
    "undeclared",
    "unreadable",
    "unknown",
]
"""What a task can be. The reference of results has the table that says what each word means."""

LIVE_STATES: Final[tuple[LiveTaskState, ...]] = get_args(LiveTaskState)
TASK_STATES: Final[tuple[TaskState, ...]] = get_args(TaskState)
ENDED_STATES: Final[tuple[TaskState, ...]] = ("failed", "expired", "cancelled", "lost", "undeclared", "unreadable")
"""Of tasks that ended without success, as letters that are kept."""


def state_of_end(kind: EndKind) -> TaskState:
    """Return the state of a task that ended this way."""
    return "cancelled" if kind == "revoked" else kind


def waiting_state(is_scheduled: bool, attempt: int) -> LiveTaskState:
    """Return the state of a task in the queue or the schedule, of which so many attempts failed."""
    if attempt > 0:
        return "retrying"
    return "scheduled" if is_scheduled else "ready"
