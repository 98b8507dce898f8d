"""How a job ends whose body opened a transaction of its own."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from hueyio.exceptions import HueyException, TransactionTooLong
from hueyio.execution.job import Job
from hueyio.execution.outcome import (
    Cancelled,
    Failed,
    Interrupted,
    Outcome,
    Succeeded,
    TimedOut,
    WorkerLost,
    error_seen,
)
from hueyio.tasks.log_fields import log_about

__all__ = ["outcome_after"]

logger = logging.getLogger(__name__)

_MAYBE_RUNNING: Final = (Cancelled, Interrupted, TimedOut, WorkerLost)
"""Outcomes that a body in a thread may have while it still runs, left behind."""


def outcome_after(job: Job, outcome: Outcome, spawn: Callable[[Coroutine[Any, Any, None]], object]) -> Outcome:
    """Return the outcome of a job: that which its block has committed, whatever came behind it.

    A block that is still open is rolled back, that of a coroutine in a task that ``spawn`` makes.
    """
    block = job.block
    if block is None:
        return outcome
    if block.end is not None:
        _log_what_came_later(job, outcome, block.end.outcome)
        return block.end.outcome
    if block.roll_back is None or (job.lane != "loop" and isinstance(outcome, _MAYBE_RUNNING)):
        return outcome  # of a body that still runs it ends in its own time
    rolling_back, block.roll_back = block.roll_back, None
    with suppress(TransactionTooLong):
        rest = rolling_back()
        if inspect.iscoroutine(rest):
            spawn(_quietly(rest))
    if not isinstance(outcome, Succeeded):
        return outcome
    return Failed(
        HueyException(
            f"the body of task {job.task.path} {job.task.id} ended inside of its transaction, which was rolled back: "
            "use `with`, and leave the block before the body ends"
        )
    )


async def _quietly(rest: Coroutine[Any, Any, None]) -> None:
    with suppress(TransactionTooLong):
        await rest


def _log_what_came_later(job: Job, outcome: Outcome, committed: Outcome) -> None:
    what = (job.task.path, job.task.id)
    fields = job.log_fields()
    match outcome:
        case Succeeded(None):
            return
        case Succeeded(value) if isinstance(committed, Succeeded) and value is committed.value:
            return
        case Succeeded():
            text = "task %s %s ended by its transaction: what its body returned is dropped, `tx.result` is its value"
            log_about(logger, logging.WARNING, text, *what, fields=fields)
        case Interrupted():
            text = "task %s %s ended by its transaction, and the rest of its body was cut short"
            log_about(logger, logging.INFO, text, *what, fields=fields)
        case _:
            error = error_seen(job.task, outcome)
            text = "task %s %s ended by its transaction; what its body raised later changes nothing: %r"
            shown = None if isinstance(error, asyncio.CancelledError) else error
            log_about(logger, logging.ERROR, text, *what, error, fields=fields, error=shown)
