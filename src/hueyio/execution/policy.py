"""Task + outcome + now → effects: the one place that decides what the end of a task means.

Pure: no I/O, no clock of its own. Where a rule comes from: ``docs/explanation/execution.md``.
"""

from __future__ import annotations

import logging
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, assert_never

from hueyio.core import Rules
from hueyio.exceptions import PutBackTooLong, RetryTask, TaskCancelled, TaskExpired, TaskRevoked
from hueyio.exceptions import WorkerLost as WorkerLostError
from hueyio.execution import outcome as ways
from hueyio.execution.effects import Effects
from hueyio.execution.outcome import Outcome
from hueyio.messages.member_result import SKIPPED
from hueyio.messages.revocation import instance_key
from hueyio.messages.stored_result import Error, Returned, error_of, portable
from hueyio.signals import (
    SIGNAL_CANCELED,
    SIGNAL_COMPLETE,
    SIGNAL_ERROR,
    SIGNAL_EXPIRED,
    SIGNAL_INTERRUPTED,
    SIGNAL_LOCKED,
    SIGNAL_RATE_LIMITED,
    SIGNAL_RETRYING,
    SIGNAL_REVOKED,
    SIGNAL_TIMEOUT,
)
from hueyio.storage.records import Area, EndKind
from hueyio.tasks.task import Granted, PutBack, Task, eta_from

__all__ = ["UNKNOWN_TASK_PATIENCE", "WITHOUT_RESULTS", "decide", "fails_for_good"]

UNKNOWN_TASK_PATIENCE: Final = 24 * 3600.0
"""Seconds for which a message whose task nobody knows goes back; a rolling deploy must lose nothing."""

_UNKNOWN_TASK_LEAST_DELAY: Final = 1.0
_UNKNOWN_TASK_MOST_DELAY: Final = 60.0

_LEFT_TO_OTHERS: Final = 0.2
"""Seconds after which a task comes back that a consumer does not know and another one does."""

_LONGEST_RETRY_DELAY: Final = 366 * 86400.0
"""Seconds up to which a back-off grows."""


_UNRUN: Final[dict[EndKind, str]] = {
    "revoked": "",
    "expired": "it was not started in time",
    "cancelled": "somebody cancelled it",
}
"""Why a letter is kept of a task whose body never came to its end; of a revoked one none is."""

WITHOUT_RESULTS: Final = Rules(results=False)
"""For periodic tasks: nobody could know the id of what a consumer enqueued."""


def decide(task: Task, outcome: Outcome, now: float, rules: Rules) -> Effects:
    """Say what this end of this task changes; ``now`` is epoch seconds."""
    match outcome:
        case ways.Succeeded(value):
            return _succeed(task, value, rules)
        case ways.Failed(error):
            return _fail(task, error, now, rules, SIGNAL_ERROR, task.retries)
        case ways.TimedOut(error):
            return _fail(task, error, now, rules, SIGNAL_TIMEOUT, task.retries)
        case ways.CancelAsked(error):
            if error.retry and task.retries <= 0:
                return _grant_retry(task, error, now, rules)
            return _fail(task, error, now, rules, SIGNAL_CANCELED, 0 if error.retry is False else task.retries)
        case ways.RetryAsked(error):
            again = _retry_as_asked(task, error, now)
            effects = Effects(enqueue=(again,), deletes=_revocation(task), after=(SIGNAL_RETRYING,))
            return _put_back(task, error, effects, now, rules, "asks to be retried")
        case ways.Snoozed(error):
            later = task.replaced(eta=datetime.fromtimestamp(now + error.delay, UTC))
            effects = Effects(enqueue=(later,), deletes=_revocation(task))
            return _put_back(task, error, effects, now, rules, "snoozes")
        case ways.Locked(error):
            return _refuse(task, error, error.delay, now, rules, SIGNAL_LOCKED)
        case ways.RateLimited(error):
            delay = error.delay if error.retry else None
            return _refuse(task, error, delay, now, rules, SIGNAL_RATE_LIMITED, room_in=error.delay)
        case ways.Cancelled():
            return _end_unrun(task, rules, "cancelled", SIGNAL_CANCELED)
        case ways.Expired():
            return _end_unrun(task, rules, "expired", SIGNAL_EXPIRED)
        case ways.Revoked(take):
            return _end_unrun(task, rules, "revoked", SIGNAL_REVOKED, take)
        case ways.Interrupted(cause):
            if cause is None:
                return Effects(settle="release", before=(SIGNAL_INTERRUPTED,))
            log = f"it {cause}; this counts as a delivery whose consumer died"
            return Effects(settle="release", counted=True, before=(SIGNAL_INTERRUPTED,), log=log)
        case ways.Misfit(error):
            return _fail(task, error, now, rules, SIGNAL_ERROR, task.retries)
        case ways.UnknownTask():
            return _put_off_unknown(task, outcome, now, rules)
        case ways.WorkerLost(deliveries, started):
            return _bury_lost(task, deliveries, started, rules)
        case ways.Unreadable(reason, expects):
            return _bury_unreadable(task, reason, expects, rules)
        case _:
            assert_never(outcome)


def fails_for_good(task: Task, now: float) -> bool:
    """Say whether an error that the body of this attempt raised now would be the task's end."""
    return task.retries <= 0 or _is_too_late(_retry(task, now), now)


def _succeed(task: Task, value: object, rules: Rules) -> Effects:
    store = rules.results and (value is not None or rules.store_none)
    returned = Returned(value)
    following = task.on_complete
    # By position: keywords would cost half as much again, for every task.
    return Effects(
        "finish",
        returned if store else None,
        returned if following is None else None,
        () if following is None else (following.extended(value).inherit(task),),
        _revocation(task),
        (SIGNAL_COMPLETE,),
    )


def _fail(
    task: Task, error: BaseException, now: float, rules: Rules, signal: str, retries: int, room_in: float = 0.0
) -> Effects:
    metadata = rules.build_error_result(task, error)
    described = error_of(error, metadata, rules.serializer, is_passed_on=task.on_error is not None)
    granted = task.granted or Granted(task.retries, task.retry_delay)
    again = _retry(task.replaced(retries=max(retries, 1) - 1, granted=granted), now, room_in)
    final = retries <= 0 or _is_too_late(again, now)
    handler = _error_handler(task, error, described) if final or rules.store_intermediate_errors else ()
    if final:
        return Effects(
            settle="bury",
            into="failed",
            reason=described.metadata.get("error") or repr(error),
            ending=described if rules.results else None,
            downstream=_downstream(task),
            enqueue=handler,
            deletes=_revocation(task),
            member_result=described,
            before=(signal,),
            kind="failed",
            error=described,
        )
    return Effects(
        ending=described if rules.results and rules.store_intermediate_errors else None,
        enqueue=(*handler, again),
        deletes=_revocation(task),
        before=(signal,),
        after=(SIGNAL_RETRYING,),
        error=described,
    )


def _refuse(
    task: Task,
    error: BaseException,
    delay: float | None,
    now: float,
    rules: Rules,
    signal: str,
    *,
    room_in: float = 0.0,
) -> Effects:
    """End an attempt that a limit refused: come back after a while at no cost (``delay``), or as any failure.

    Only the last refusal is an error to be stored and handled: what will be tried again has not been tried. A retry
    without a delay of its own waits until there is ``room_in`` the limit: all retries would be refused at once.
    """
    if delay is not None:
        later = task.replaced(eta=datetime.fromtimestamp(now + (task.retry_delay or delay), UTC))
        effects = Effects(enqueue=(later,), deletes=_revocation(task), before=(signal,), after=(SIGNAL_RETRYING,))
        return _put_back(task, error, effects, now, rules, f"waits: {error}")
    effects = _fail(task, error, now, replace(rules, store_intermediate_errors=False), signal, task.retries, room_in)
    return effects._replace(log=str(error))


def _grant_retry(task: Task, error: BaseException, now: float, rules: Rules) -> Effects:
    """Let a task that has no retries left run once more, because it asks for that."""
    granted = task.granted or Granted(task.retries, task.retry_delay)
    effects = _fail(task.replaced(retries=1, granted=granted), error, now, rules, SIGNAL_CANCELED, 1)
    if not effects.after:
        return effects  # its deadline is over
    return _put_back(task, error, effects, now, rules, "is cancelled by itself and asks for another run")


def _put_back(task: Task, error: BaseException, effects: Effects, now: float, rules: Rules, why: str) -> Effects:
    """Count one more way back in the task that ``effects`` enqueue last; one that is too much is a failure."""
    before = task.put_back or PutBack(0, now)
    if rules.max_put_back_age is not None and now - before.since >= rules.max_put_back_age:
        too_long = PutBackTooLong(task.path, before.times, now - before.since)
        too_long.__cause__ = error
        return _fail(task, too_long, now, rules, SIGNAL_ERROR, 0)._replace(log=str(too_long))
    count = before.times + 1
    *others, again = effects.enqueue
    return effects._replace(
        enqueue=(*others, again.replaced(put_back=PutBack(count, before.since))),
        is_put_back=True,
        log=why,
        log_level=_level_of(count, logging.INFO),
    )


def _level_of(count: int, level: int) -> int:
    """Return at which level this count is told: at 1, 2, 4, 8 and so on, so that a loop shows and fills no log."""
    return level if count & (count - 1) == 0 else logging.DEBUG


def _end_unrun(
    task: Task, rules: Rules, kind: Literal["revoked", "expired", "cancelled"], signal: str, take: str | None = None
) -> Effects:
    """End a task whose body never came to its end: its waiters learn which way."""
    exceptions = {"revoked": TaskRevoked, "expired": TaskExpired, "cancelled": TaskCancelled}
    return Effects(
        settle="finish" if kind == "revoked" else "bury",
        into="failed",
        reason=_UNRUN[kind],
        ending=_ending_without_traceback(task, exceptions[kind].__name__, kind) if rules.results else None,
        downstream=_downstream(task),
        take=None if take is None else ("revocations", take),
        deletes=() if kind == "revoked" else _revocation(task),
        member_result=SKIPPED,
        before=(signal,),
        kind=kind,
    )


def _put_off_unknown(task: Task, unknown: ways.UnknownTask, now: float, rules: Rules) -> Effects:
    first_seen, count = unknown.first_seen, unknown.defers + 1
    what = f"no task named {task.path!r}" if unknown.misfit is None else f"{task.path!r} here does not take its call"
    if unknown.elsewhere:
        # Soon, because the others may be idle; the time for which nobody knows it has not begun.
        return Effects(
            settle="defer",
            defer_until=now + _LEFT_TO_OTHERS,
            first_seen=now,
            defers=count,
            log=f"{what} here, left to a consumer that knows it; {count} times",
            log_level=_level_of(count, logging.INFO),
        )
    detail = "" if unknown.misfit is None else f" ({unknown.misfit})"
    if now - first_seen >= UNKNOWN_TASK_PATIENCE:
        reason = f"{what}{detail} for {UNKNOWN_TASK_PATIENCE / 3600:.0f} h"
        text = f"UnknownTask({task.path!r})" if unknown.misfit is None else f"TaskArgumentError({unknown.misfit!r})"
        error = _ending_without_traceback(task, text, "failed")
        return Effects(
            settle="bury",
            reason=reason,
            ending=error if rules.results else None,
            member_result=error,
            downstream=_downstream(task),
            kind="undeclared",
        )
    # As long as it has waited already: the waits double, and begin anew when a consumer that knew it has gone.
    delay = min(max(now - first_seen, _UNKNOWN_TASK_LEAST_DELAY), _UNKNOWN_TASK_MOST_DELAY)
    hint = "is its module imported by the consumer?" if unknown.misfit is None else "is another version deployed?"
    return Effects(
        settle="defer",
        defer_until=now + delay,
        first_seen=first_seen,
        defers=count,
        log=f"{what}{detail}; {hint} Tried again in {delay:.0f} s, {count} times so far",
        log_level=_level_of(count, logging.WARNING),
    )


def _bury_unreadable(task: Task, reason: str, expects: tuple[str, ...], rules: Rules) -> Effects:
    error = _ending_without_traceback(task, f"the message cannot be read: {reason}", "failed")
    return Effects(
        settle="bury",
        reason=reason,
        ending=error if rules.results else None,
        member_result=error,
        downstream=expects,
        kind="unreadable",
    )


def _bury_lost(task: Task, deliveries: int, started: bool, rules: Rules) -> Effects:
    reason = f"its consumer died with it {deliveries} times, or its run was interrupted"
    if started:
        reason = "its run was cut short, and at_most_once forbids another"
    described = _ending_without_traceback(task, f"WorkerLost({reason!r})", "lost")
    lost = WorkerLostError(described.metadata)  # all of it is metadata: every serializer can carry it
    return Effects(
        settle="bury",
        reason=reason,
        ending=described if rules.results else None,
        member_result=described,
        downstream=_downstream(task),
        enqueue=_error_handler(task, lost, described._replace(cause=lost)),
        deletes=_revocation(task),
        before=(SIGNAL_ERROR,),
        kind="lost",
    )


def _ending_without_traceback(task: Task, text: str, kind: str) -> Error:
    metadata = {"error": text, "retries": task.retries, "traceback": "", "task_id": task.id}
    return Error(metadata, kind)  # type: ignore[arg-type]


def _downstream(task: Task) -> tuple[str, ...]:
    """List the ids that will never run because this stage did not succeed."""
    return tuple(stage.id for stage in task.stages())[1:]


def _revocation(task: Task) -> tuple[tuple[Area, str], ...]:
    """Name what a revocation that arrived while the task ran would leave behind."""
    return (("revocations", instance_key(task.id)),)


def _error_handler(task: Task, error: BaseException, described: Error) -> tuple[Task, ...]:
    """Build the call of the error handler: one id for each attempt, so that a repeat makes no second one."""
    if task.on_error is None:
        return ()
    handler = task.on_error
    arguments = (*handler.args, portable(error, described))
    return (handler.replaced(id=f"{task.id}:e{task.attempt}", args=arguments).inherit(task),)


def _retry(task: Task, now: float, otherwise: float = 0.0) -> Task:
    """Build the next attempt after the task's own delay, which grows by its back-off; without one after another."""
    most = _LONGEST_RETRY_DELAY if task.retry_max_delay is None else task.retry_max_delay
    delay = min(task.retry_delay, most)
    wait = delay * _jitter(task) if delay else otherwise
    return task.replaced(
        attempt=task.attempt + 1,
        granted=task.granted or (Granted(task.retries, task.retry_delay) if task.retry_backoff else None),
        put_back=None,
        eta=datetime.fromtimestamp(now + wait, UTC) if wait else None,
        retry_delay=min(delay * task.retry_backoff, most) if task.retry_backoff else delay,
    )


def _jitter(task: Task) -> float:
    """Return what a delay is multiplied by: chance from the id and the attempt, so that the policy stays pure."""
    if not task.retry_jitter:
        return 1.0
    chance = zlib.crc32(f"{task.id}:{task.attempt}".encode()) / 2**32
    return 1.0 + task.retry_jitter * (2 * chance - 1)


def _is_too_late(again: Task, now: float) -> bool:
    """Say whether the next attempt would start when the deadline of all attempts is over."""
    if again.deadline_resolved is None:
        return False
    return again.deadline_resolved.timestamp() <= (now if again.eta is None else again.eta.timestamp())


def _retry_as_asked(task: Task, asked: RetryTask, now: float) -> Task:
    """Build the next attempt as RetryTask says; only a bare one follows the task's own delay."""
    if asked.eta is None and asked.delay is None:
        return _retry(task, now)
    delay = asked.delay.total_seconds() if isinstance(asked.delay, timedelta) else asked.delay
    return task.replaced(attempt=task.attempt + 1, eta=eta_from(asked.eta, delay, now))
