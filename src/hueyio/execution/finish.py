"""The end of a run, whoever ran it: decide, tell, write, tell.

A consumer, a task that is driven by hand, immediate mode and a withdrawal all end tasks here. They differ in how the
settlement is written. Order: the signals before the settlement; the settlement; if it was accepted, the post-execute
hooks, the signals after it, and those of what it enqueued.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from hueyio.core import Core, Rules
from hueyio.exceptions import SerializationError, TaskArgumentError
from hueyio.execution.attempt_hooks import AttemptHooks
from hueyio.execution.attempt_record import record_attempt
from hueyio.execution.end import End
from hueyio.execution.job import Job
from hueyio.execution.outcome import (
    Failed,
    Interrupted,
    Misfit,
    Outcome,
    RetryAsked,
    Succeeded,
    UnknownTask,
    WorkerLost,
    error_seen,
)
from hueyio.execution.policy import WITHOUT_RESULTS, decide
from hueyio.execution.run_log import run_logger, tell_end
from hueyio.execution.settlement import make_settlement
from hueyio.messages.entry import enqueue_signal
from hueyio.messages.message import read_task
from hueyio.signals import SIGNAL_ENQUEUED, SIGNAL_SCHEDULED
from hueyio.storage.records import Answer, Bury, Finish, Settlement
from hueyio.tasks.log_fields import log_about
from hueyio.tasks.task import Membership, Task

__all__ = ["ACCEPTED", "Write", "conclude", "conclude_well", "finish"]

logger = logging.getLogger(__name__)

Tell: TypeAlias = Callable[..., Awaitable[None]]
"""Sends a signal of a task, with what else its receivers get."""

Write: TypeAlias = Callable[[Settlement], Awaitable[Answer]]
"""Writes a settlement. The write begins at the call, and no cancellation of whoever awaits it ends it."""

ACCEPTED: Final = ("accepted", "fired")
"""The answers that say that a settlement took effect."""


def conclude(core: Core, job: Job, outcome: Outcome, success_level: int = logging.DEBUG) -> End:
    """Decide and encode, whatever goes wrong on the way, and log how the run ended: the task must have an end.

    A success is logged at ``success_level``.
    """
    if not job.ended_at:  # a thread that ran several jobs knows it better
        job.ended_at = time.monotonic()
    if isinstance(outcome, Misfit):
        outcome = _not_yet(core, job, outcome.error)
    rules = core.rules if job.spec.timetable is None else WITHOUT_RESULTS
    try:
        end = _conclude(core, job, job.task, outcome, rules)
    except BaseException as error:  # of a serializer or a build_error_result of the user's; SystemExit too
        end = _conclude_trouble(core, job, error, rules)
    if job.task.attempt or not isinstance(end.outcome, Succeeded):
        _record(core, job, end)
    # The level of a success is asked for here: a call that does nothing would be made for every task.
    if not isinstance(end.outcome, Succeeded) or run_logger.isEnabledFor(success_level):
        tell_end(job, end.outcome, end.effects, core.now(), success_level)
    return end


def conclude_well(core: Core, job: Job, value: Any) -> End:
    """Decide and encode a good end; nothing is logged. Raises what keeps it from being encoded."""
    rules = core.rules if job.spec.timetable is None else WITHOUT_RESULTS
    end = _conclude(core, job, job.task, Succeeded(value), rules)
    if job.task.attempt:
        _record(core, job, end)
    return end


def _record(core: Core, job: Job, end: End) -> None:
    if not core.storage.capabilities.keeps_history:
        return
    try:
        job.attempt_record = record_attempt(job, end.outcome, end.effects, core.now())
    except Exception as error:  # of a text that the user's build_error_result made
        _log_trouble(job, "this attempt cannot be remembered", error)


def _conclude_trouble(core: Core, job: Job, error: BaseException, rules: Rules) -> End:
    """End a run whose own end raised this when it was decided and encoded.

    What cannot be stored or passed on makes the task a failure that says so; what cannot be written even then, a
    failure without retry and error handler.
    """
    task, failure = job.task, error
    match error:
        case SerializationError() | TaskArgumentError():
            failure = SerializationError(f"what task {task.path} returned: {error}")
        case KeyboardInterrupt():  # raised by a value that is pickled: as if its body had
            cut = Interrupted("raised KeyboardInterrupt where its end was written")
            return _conclude(core, job, task, cut, rules)
        case _:
            _log_trouble(job, "deciding what its end means", error)
    try:
        return _conclude(core, job, task, Failed(failure), rules)
    except BaseException as again:  # the same, of the retry or the error handler this time
        _log_trouble(job, "neither retry nor error handler can be written", again)
    plain = dataclasses.replace(rules, build_error_result=Rules().build_error_result)
    return _conclude(core, job, task.replaced(retries=0, on_error=None), Failed(failure), plain)


def _not_yet(core: Core, job: Job, misfit: TypeError) -> Outcome:
    """Treat a call that does not fit this deploy's function as one of a function that is not there yet."""
    header = job.delivery.header
    first_seen = core.now() if header.first_seen is None else header.first_seen
    return UnknownTask(first_seen, header.defers, misfit=str(misfit))


def _conclude(core: Core, job: Job, task: Task, outcome: Outcome, rules: Rules) -> End:
    now = core.now()
    if job.spec.types is not None and isinstance(outcome, Succeeded) and _is_wanted(task, rules):
        job.spec.types.check_result(outcome.value)
    effects = decide(task, outcome, now, rules)
    settlement = make_settlement(
        effects,
        job.delivery,
        name=task.path,
        registry=core.registry,
        serializer=core.serializer,
        result_ttl=core.result_ttl,
        now=now,
        cut_from=core.cut_from,
    )
    return End(outcome, effects, settlement)


def _is_wanted(task: Task, rules: Rules) -> bool:
    """Say whether what the task returned goes anywhere."""
    return rules.results or task.on_complete is not None or task.chord is not None


def _log_trouble(job: Job, what: str, error: BaseException) -> None:
    name, fields = (job.task.path, job.task.id), job.log_fields()
    log_about(logger, logging.ERROR, "task %s %s: %s", *name, what, fields=fields, error=error)


async def finish(core: Core, job: Job, end: End, hooks: AttemptHooks | None, write: Write) -> Answer:
    """Tell of the end and write it; return the storage's answer."""
    outcome = end.outcome
    error = (outcome.error,) if isinstance(outcome, Failed | RetryAsked) else ()
    tell = core.signals.send if hooks is None else hooks.tell
    try:
        for signal in end.effects.before:
            await tell(signal, job.task, *error)
    except asyncio.CancelledError:
        write(end.settlement)  # the body has ended: receivers do not change its outcome
        raise
    answer = await write(end.settlement)
    if answer in ACCEPTED:
        if hooks is not None and hooks.body_began and not isinstance(outcome, Interrupted | UnknownTask | WorkerLost):
            value = outcome.value if isinstance(outcome, Succeeded) else None
            await hooks.after(value, error_seen(job.task, outcome))
        await _tell_after(core, job, end, answer, tell)
    return answer


async def _tell_after(core: Core, job: Job, end: End, answer: Answer, tell: Tell) -> None:
    if not core.signals:
        return
    for signal in end.effects.after:
        await tell(signal, job.task)
    if isinstance(end.settlement, Finish | Bury):
        # What a caller added to the follow-ups stands last, and is told of by that caller.
        for task, entry in zip(end.effects.enqueue, end.settlement.follow_ups, strict=False):
            await tell(enqueue_signal(entry), task)
    if answer == "fired" and job.task.chord is not None:
        await _tell_fired(core, job.task.chord, tell)


async def _tell_fired(core: Core, chord: Membership, tell: Tell) -> None:
    """Tell that the callback of a chord is enqueued; of one that is over already, receivers get the name and the id."""
    (found,) = await (await core.session()).locate([chord.latch])
    if found.data is not None and found.state in ("queued", "scheduled", "running"):
        callback = read_task(found.data, core.serializer, chord.latch)
    else:
        callback = Task(chord.callback, id=chord.latch)
    await tell(SIGNAL_SCHEDULED if found.state == "scheduled" else SIGNAL_ENQUEUED, callback)
