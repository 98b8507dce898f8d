"""The ways in which a task that a consumer holds can end: a closed union.

Tuples, where there is something to say: a data class takes three times as long to be defined, in each process, and
longer to be made, for each task. One without fields would be false.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from hueyio.exceptions import (
    CancelExecution,
    RateLimitExceeded,
    RetryTask,
    Snooze,
    TaskCancelled,
    TaskLockedException,
)
from hueyio.named_tuple import NamedTuple
from hueyio.tasks.task import Task

__all__ = [
    "ASKED",
    "CancelAsked",
    "Cancelled",
    "Expired",
    "Failed",
    "Interrupted",
    "Locked",
    "Misfit",
    "Outcome",
    "RateLimited",
    "RetryAsked",
    "Revoked",
    "Snoozed",
    "Succeeded",
    "TimedOut",
    "UnknownTask",
    "Unreadable",
    "WorkerLost",
    "error_seen",
]

ASKED: Final = (CancelExecution, RateLimitExceeded, RetryTask, Snooze, TaskLockedException)
"""What a body, or a limit around it, raises to say what shall become of the task: no error of the body's."""


class Succeeded(NamedTuple):
    """The body returned."""

    value: Any


class Failed(NamedTuple):
    """The body raised, or what it returned cannot be stored."""

    error: BaseException


class TimedOut(NamedTuple):
    """The body ran longer than the task's timeout."""

    error: BaseException


class RetryAsked(NamedTuple):
    """The body raised RetryTask."""

    error: RetryTask


class Snoozed(NamedTuple):
    """The body raised Snooze: this run does not count."""

    error: Snooze


class Locked(NamedTuple):
    """A lock or a semaphore had no place for it."""

    error: TaskLockedException


class RateLimited(NamedTuple):
    """A rate limit had no room for it."""

    error: RateLimitExceeded


class CancelAsked(NamedTuple):
    """The body raised CancelExecution."""

    error: CancelExecution


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Somebody cancelled the task, before or while it ran."""


@dataclass(frozen=True, slots=True)
class Expired:
    """It was not started in time."""


class Revoked(NamedTuple):
    """It was revoked before it started; ``take`` is the revocation that this uses up."""

    take: str | None = None


class Interrupted(NamedTuple):
    """Its run was cut short: not a failure, it goes back as it was.

    ``cause`` says what did it where no stop was asked for; then the run counts as a delivery whose owner died.
    """

    cause: str | None = None


class Misfit(NamedTuple):
    """Its arguments do not fit the function that this deploy has; the body was not begun."""

    error: TypeError


class Unreadable(NamedTuple):
    """The message's bytes are no task; ``expects`` are the ids that its header says would follow."""

    reason: str
    expects: tuple[str, ...] = ()


class UnknownTask(NamedTuple):
    """No function of that name here, yet; or, as ``misfit`` says, not one that takes its arguments.

    ``elsewhere``: another consumer that is alive has told that it knows the name.
    """

    first_seen: float
    defers: int
    elsewhere: bool = False
    misfit: str | None = None


class WorkerLost(NamedTuple):
    """Its consumers died with it, ``deliveries`` times; ``started``: it is ``at_most_once``, and once is too often."""

    deliveries: int
    started: bool = False


Outcome: TypeAlias = (
    Succeeded
    | Failed
    | TimedOut
    | RetryAsked
    | Snoozed
    | Locked
    | RateLimited
    | CancelAsked
    | Cancelled
    | Expired
    | Revoked
    | Interrupted
    | Misfit
    | Unreadable
    | UnknownTask
    | WorkerLost
)


def error_seen(task: Task, outcome: Outcome) -> BaseException | None:
    """Return what hooks and middleware get as the exception of an attempt that was begun; None: it succeeded."""
    match outcome:
        case Failed(error) | TimedOut(error) | Misfit(error):
            return error
        case RetryAsked() | CancelAsked() | Snoozed() | Locked() | RateLimited():
            return outcome.error
        case Cancelled():
            return TaskCancelled({"error": "cancelled", "retries": task.retries, "traceback": "", "task_id": task.id})
        case Interrupted(cause):
            return KeyboardInterrupt(cause)
        case _:
            return None
