"""The lines that the log has of runs: how each began and how it ended, in one line each.

``line_of`` decides, and does not log. The levels say what an operator has to do:

* DEBUG, nothing: that is how it should be. ``--log-runs`` makes good ends INFO.
* INFO, nothing: somebody asked for it, or it goes on by itself.
* WARNING, watch it: it failed and is tried again, or was not run.
* ERROR, act: it has failed for good, or is a dead letter.

The traceback goes with the last failure only; where DEBUG lines are logged, also with those that are tried again.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Final, TypeAlias, assert_never

from hueyio.execution import outcome as ways
from hueyio.execution.effects import Effects
from hueyio.execution.job import Job
from hueyio.execution.outcome import Outcome
from hueyio.messages.stored_result import repr_of
from hueyio.named_tuple import NamedTuple
from hueyio.tasks.log_fields import log_about
from hueyio.tasks.task import Task

__all__ = ["Line", "line_of", "run_logger", "tell_end", "tell_start", "tell_untaken"]

run_logger: Final = logging.getLogger(__name__)
"""Ask it for ``isEnabledFor`` before ``tell_start``, and before ``tell_end`` of a run that succeeded: nearly all do."""

_MOST_TEXT: Final = 500
"""Characters of an error that a line has."""


class Line(NamedTuple):
    """What is logged of an end, behind the name and the id of the task. ``error`` is what the traceback is of."""

    level: int
    text: str
    error: BaseException | None = None


def tell_start(job: Job) -> None:
    """Log that a body begins; as a warning if consumers have died that held the task: it may be why they did."""
    task, died = job.task, job.delivery.receipt.deliveries
    what = (task.path, task.id, task.attempt + 1, _attempts(task))
    if not died:
        log_about(run_logger, logging.DEBUG, "task %s %s begins, attempt %d of %d", *what, fields=job.log_fields())
        return
    text = "task %s %s begins again, attempt %d of %d: consumers died that held it, %d of at most %d"
    died_of = (died, job.delivery.header.max_deliveries)
    log_about(run_logger, logging.WARNING, text, *what, *died_of, fields=job.log_fields())


def tell_end(job: Job, outcome: Outcome, effects: Effects, now: float, success_level: int) -> None:
    """Log how a run ended, or why there was none; ``now`` is epoch seconds."""
    seconds = (job.ended_at or time.monotonic()) - job.started_at if job.started else None
    line = line_of(job.task, outcome, effects, now, seconds, success_level)
    if not run_logger.isEnabledFor(line.level):
        return
    error = line.error if line.level >= logging.ERROR or run_logger.isEnabledFor(logging.DEBUG) else None
    fields = job.log_fields(seconds)
    what = (job.task.path, job.task.id, line.text)
    log_about(run_logger, line.level, "task %s %s %s", *what, fields=fields, error=error)


def tell_untaken(job: Job) -> None:
    """Take back that a task was revoked: the revocation was good for one task, and another had used it up."""
    text = "task %s %s is not revoked after all: another task has used that revocation up"
    log_about(run_logger, logging.INFO, text, job.task.path, job.task.id, fields=job.log_fields())


def line_of(
    task: Task,
    outcome: Outcome,
    effects: Effects,
    now: float,
    seconds: float | None,
    success_level: int = logging.DEBUG,
) -> Line:
    """Say what is logged of this end of this task; ``seconds`` is how long its body ran, None: it did not."""
    ran = "" if seconds is None else f" after {seconds:.3f} s, attempt {task.attempt + 1} of {_attempts(task)}"
    match outcome:
        case ways.Succeeded():
            return Line(success_level, f"is done{ran}")
        case ways.Revoked():
            return Line(logging.INFO, "is revoked, it is not run")
        case ways.Expired():
            return Line(logging.WARNING, f"has expired, it is not run{_since(task)}")
        case ways.Cancelled():
            return Line(logging.INFO, f"is cancelled{ran or ', it is not run'}")
        case ways.Interrupted(None):
            if seconds is None:
                return Line(logging.DEBUG, "was not begun before the stop or the pause, it goes back")
            return Line(logging.INFO, f"is interrupted by the stop{ran}, it goes back")
        case ways.Interrupted() | ways.UnknownTask() if effects.settle != "bury":
            return Line(effects.log_level, f"is put back{ran}: {effects.log}")
        case ways.Interrupted() | ways.UnknownTask() | ways.Unreadable() | ways.WorkerLost():
            return Line(logging.ERROR, f"is a dead letter: {effects.reason}")
        case _:
            return _line_of_failure(task, outcome, effects, now, ran)


_Failure: TypeAlias = (
    ways.Failed
    | ways.TimedOut
    | ways.Misfit
    | ways.CancelAsked
    | ways.RetryAsked
    | ways.Snoozed
    | ways.Locked
    | ways.RateLimited
)


def _line_of_failure(task: Task, outcome: _Failure, effects: Effects, now: float, ran: str) -> Line:
    """Say how an attempt ended that did not return: it goes back, is retried, or has failed."""
    again = effects.enqueue[-1] if effects.enqueue and effects.enqueue[-1].id == task.id else None
    if again is not None and effects.is_put_back:
        times = 0 if again.put_back is None else again.put_back.times
        spent = f" ({ran.strip()})" if ran else ""
        return Line(effects.log_level, f"{effects.log}; put back {times} times, runs again {_when(again, now)}{spent}")
    verb, error = _verb_of(outcome), outcome.error
    reason = effects.log or _cut(error)
    if again is not None:
        return Line(logging.WARNING, f"{verb}{ran}; tried again {_when(again, now)}: {reason}", error)
    is_told = effects.log is not None  # a limit that refused it, or too many put-backs: its traceback says nothing
    if isinstance(outcome, ways.CancelAsked) and not is_told:
        return Line(logging.WARNING, f"{verb}{ran}: {reason}")  # it meant to
    return Line(logging.ERROR, f"{verb}{ran}, for good: {reason}", None if is_told else error)


def _verb_of(outcome: _Failure) -> str:
    match outcome:
        case ways.TimedOut():
            return "timed out"
        case ways.CancelAsked():
            return "has cancelled itself"
        case ways.Locked() | ways.RateLimited():
            return "was refused"
        case ways.Failed() | ways.Misfit() | ways.RetryAsked() | ways.Snoozed():
            return "failed"
        case _:
            assert_never(outcome)


def _attempts(task: Task) -> int:
    """Return how many attempts it may have, as far as that is known at this one."""
    return task.attempt + max(task.retries, 0) + 1


def _since(task: Task) -> str:
    return "" if task.expires_resolved is None else f": it was to begin before {_stamp(task.expires_resolved)}"


def _when(again: Task, now: float) -> str:
    if again.eta is None:
        return "at once"
    seconds = max(again.eta.timestamp() - now, 0.0)
    return f"in {seconds:.0f} s, at {_stamp(again.eta)}" if seconds >= 10 else f"in {seconds:.3g} s"


def _stamp(moment: datetime) -> str:
    try:
        return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:  # the first or the last day that there is, of another time zone
        return moment.isoformat(" ")


def _cut(error: BaseException) -> str:
    """Return an error as one line of bounded length."""
    text = " ".join(repr_of(error).splitlines())
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]} ..."
