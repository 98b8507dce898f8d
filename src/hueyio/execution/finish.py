"""Outcome to effects to what is written, whatever goes wrong on the way: the task must have an end."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from typing import TypeVar

from hueyio.exceptions import SerializationError, TaskArgumentError, TaskCancelled
from hueyio.execution import outcome as ways
from hueyio.execution.effects import Effects
from hueyio.execution.outcome import Failed, Outcome
from hueyio.execution.policy import Rules, decide
from hueyio.tasks.task import Task

__all__ = ["conclude", "error_seen"]

logger = logging.getLogger(__name__)

T = TypeVar("T")


def conclude(
    task: Task, outcome: Outcome, now: float, rules: Rules, encode: Callable[[Effects], T]
) -> tuple[Outcome, Effects, T]:
    """Decide and encode; return the outcome that this was done for in the end.

    What cannot be stored or passed on makes the task a failure that says so; what cannot be written even then, a
    failure without retry and error handler.
    """
    if isinstance(outcome, Failed):
        logger.error("task %s %s failed", task.name, task.id, exc_info=outcome.error)
    try:
        return _conclude(task, outcome, now, rules, encode)
    except (SerializationError, TaskArgumentError) as error:
        failure: Exception = SerializationError(f"what task {task.name} returned: {error}")
        logger.error("task %s %s failed: %s", task.name, task.id, failure)
    except Exception as error:  # a setting, a serializer or a build_error_result of the user's that raises
        failure = error
        logger.exception("task %s %s: deciding what its end means", task.name, task.id)
    try:
        return _conclude(task, Failed(failure), now, rules, encode)
    except Exception:
        logger.exception("task %s %s: neither retry nor error handler can be written", task.name, task.id)
    plain = dataclasses.replace(rules, build_error_result=Rules().build_error_result)
    return _conclude(task.replaced(retries=0, on_error=None), Failed(failure), now, plain, encode)


def _conclude(
    task: Task, outcome: Outcome, now: float, rules: Rules, encode: Callable[[Effects], T]
) -> tuple[Outcome, Effects, T]:
    effects = decide(task, outcome, now, rules)
    encoded = encode(effects)
    if effects.log is not None:
        logger.warning("task %s: %s", task.id, effects.log)
    return outcome, effects, encoded


def error_seen(task: Task, outcome: Outcome) -> BaseException | None:
    """Return what a post-execute hook gets as the exception of an attempt whose body began; None: it succeeded."""
    match outcome:
        case Failed(error) | ways.TimedOut(error):
            return error
        case ways.RetryAsked() | ways.CancelAsked() | ways.Snoozed() | ways.Locked() | ways.RateLimited():
            return outcome.error
        case ways.Cancelled():
            return TaskCancelled({"error": "cancelled", "retries": task.retries, "traceback": "", "task_id": task.id})
        case _:
            return None
