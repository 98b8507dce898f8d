"""The policy is a pure table: each row is one test."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from hueyio import (
    CancelExecution,
    PutBackTooLong,
    RateLimitExceeded,
    RetryTask,
    Snooze,
    TaskException,
    TaskLockedException,
    WorkerLost,
)
from hueyio.core import Rules
from hueyio.execution import outcome as ways
from hueyio.execution.policy import UNKNOWN_TASK_PATIENCE, decide
from hueyio.messages.stored_result import Error, Returned
from hueyio.tasks.task import PutBack, Task

NOW = 1_000_000.0
RULES = Rules()


def make_task(**fields: Any) -> Task:
    return Task("app.add", (1, 2), id="t", **fields)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_success_stores_the_value() -> None:
    effects = decide(make_task(), ways.Succeeded(3), NOW, RULES)
    assert effects.ending == Returned(3)
    assert (effects.settle, effects.enqueue, effects.after) == ("finish", (), ("complete",))


@pytest.mark.parametrize(
    ("rules", "ending"),
    [
        (Rules(), None),
        (Rules(store_none=True), Returned(None)),
        (Rules(results=False, store_none=True), None),
    ],
)
def test_success_stores_none_only_where_asked(rules: Rules, ending: object) -> None:
    assert decide(make_task(), ways.Succeeded(None), NOW, rules).ending == ending


def test_success_enqueues_the_next_stage_with_the_value() -> None:
    effects = decide(make_task().then(Task("app.add", (3,), id="next")), ways.Succeeded(9), NOW, RULES)
    assert [(task.id, task.args) for task in effects.enqueue] == [("next", (3, 9))]


def test_failure_without_retries_ends_the_task_and_all_stages_after_it() -> None:
    task = make_task().then(Task("b", id="b")).then(Task("c", id="c"))
    effects = decide(task, ways.Failed(ValueError("no")), NOW, RULES)
    assert isinstance(effects.ending, Error)
    assert effects.ending.metadata["error"] == "ValueError('no')"
    assert effects.ending.metadata.keys() == {"error", "retries", "task_id", "traceback"}
    assert effects.downstream == ("b", "c")
    assert effects.enqueue == ()
    assert effects.before == ("error",)


def test_failure_with_retries_runs_again_after_a_delay_that_grows() -> None:
    task = make_task(retries=2, retry_delay=4.0, retry_backoff=2.0)
    (again,) = decide(task, ways.Failed(ValueError()), NOW, RULES).enqueue
    assert (again.id, again.retries, again.attempt) == ("t", 1, 1)
    assert again.eta == moment(NOW + 4)
    assert again.retry_delay == 8.0


def test_failure_with_retries_and_no_delay_runs_again_at_once() -> None:
    (again,) = decide(make_task(retries=1, retry_backoff=3.0), ways.Failed(ValueError()), NOW, RULES).enqueue
    assert again.eta is None


def test_failure_calls_the_error_handler_once_per_attempt() -> None:
    task = make_task(retries=1, attempt=4).error(Task("app.alert", ("who",)))
    error = ValueError("no")
    handler, again = decide(task, ways.Failed(error), NOW, RULES).enqueue
    assert (handler.id, handler.args) == ("t:e4", ("who", error))
    assert again.id == "t"


def test_failure_hides_intermediate_errors_where_asked() -> None:
    task = make_task(retries=1).error(Task("app.alert"))
    effects = decide(task, ways.Failed(ValueError()), NOW, Rules(store_intermediate_errors=False))
    assert effects.ending is None
    assert [again.id for again in effects.enqueue] == ["t"]


def test_error_that_does_not_pickle_reaches_the_handler_by_its_text() -> None:
    class Local(Exception):
        pass

    task = make_task().error(Task("app.alert"))
    (handler,) = decide(task, ways.Failed(Local("x")), NOW, RULES).enqueue
    assert isinstance(handler.args[-1], TaskException)
    assert str(handler.args[-1]) == "Local('x')"


@pytest.mark.parametrize(
    ("asked", "eta", "retry_delay"),
    [
        (RetryTask(), moment(NOW + 4), 8.0),
        (RetryTask(delay=60), moment(NOW + 60), 4.0),
        (RetryTask(delay=0), moment(NOW), 4.0),
        (RetryTask(eta=moment(NOW + 9)), moment(NOW + 9), 4.0),
    ],
)
def test_retry_that_was_asked_for_uses_up_no_retry(asked: RetryTask, eta: datetime, retry_delay: float) -> None:
    task = make_task(retries=1, retry_delay=4.0, retry_backoff=2.0)
    effects = decide(task, ways.RetryAsked(asked), NOW, RULES)
    (again,) = effects.enqueue
    assert (again.retries, again.attempt, again.eta, again.retry_delay) == (1, 1, eta, retry_delay)
    assert (effects.ending, effects.before, effects.after) == (None, (), ("retrying",))


@pytest.mark.parametrize(("retry", "runs_again"), [(None, True), (True, True), (False, False)])
def test_cancel_execution_with_retries_left(retry: bool | None, runs_again: bool) -> None:
    effects = decide(make_task(retries=1), ways.CancelAsked(CancelExecution(retry=retry)), NOW, RULES)
    assert bool(effects.enqueue) is runs_again
    assert effects.before == ("canceled",)


@pytest.mark.parametrize(("retry", "runs_again"), [(None, False), (True, True), (False, False)])
def test_cancel_execution_without_retries(retry: bool | None, runs_again: bool) -> None:
    effects = decide(make_task(), ways.CancelAsked(CancelExecution(retry=retry)), NOW, RULES)
    assert bool(effects.enqueue) is runs_again


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [(ways.Expired(), "expired"), (ways.Revoked(), "revoked"), (ways.Cancelled(), "cancelled")],
)
def test_task_that_was_not_run_tells_its_waiters_why(outcome: Any, kind: str) -> None:
    effects = decide(make_task(retries=5).then(Task("b", id="b")), outcome, NOW, RULES)
    assert isinstance(effects.ending, Error)
    assert effects.ending.kind == kind
    assert effects.downstream == ("b",)
    assert effects.enqueue == ()


def test_revocation_for_once_is_taken_by_the_settlement() -> None:
    effects = decide(make_task(), ways.Revoked("rt:app.add"), NOW, RULES)
    assert effects.take == ("revocations", "rt:app.add")


def test_interruption_releases_and_changes_nothing() -> None:
    effects = decide(make_task(retries=1), ways.Interrupted(), NOW, RULES)
    assert (effects.settle, effects.ending, effects.enqueue, effects.deletes) == ("release", None, (), ())


@pytest.mark.parametrize("cause", ["raised KeyboardInterrupt", "was cut short: its loop was stopped"])
def test_interruption_that_nobody_asked_for_counts_and_is_told(cause: str) -> None:
    effects = decide(make_task(retries=1), ways.Interrupted(cause), NOW, RULES)
    assert (effects.settle, effects.counted, effects.before) == ("release", True, ("interrupted",))
    assert effects.log is not None
    assert cause in effects.log
    assert not decide(make_task(), ways.Interrupted(), NOW, RULES).counted


@pytest.mark.parametrize(("age", "delay"), [(0, 1), (1.5, 1.5), (30, 30), (61, 60), (50_000, 60)])
@pytest.mark.parametrize("misfit", [None, "missing a required argument: 'b'"])
def test_unknown_task_is_put_off_for_as_long_as_it_has_waited(age: float, delay: float, misfit: str | None) -> None:
    effects = decide(make_task(), ways.UnknownTask(NOW - age, 3, misfit=misfit), NOW, RULES)
    assert effects.settle == "defer"
    assert (effects.defer_until, effects.first_seen, effects.defers) == (NOW + delay, NOW - age, 4)
    assert effects.log is not None
    assert "app.add" in effects.log
    assert misfit is None or misfit in effects.log


@pytest.mark.parametrize("age", [0, 2 * UNKNOWN_TASK_PATIENCE])
def test_unknown_task_that_another_consumer_knows_is_left_to_it_and_its_time_does_not_run(age: float) -> None:
    effects = decide(make_task(), ways.UnknownTask(NOW - age, 99, elsewhere=True), NOW, RULES)
    assert (effects.settle, effects.first_seen, effects.defers) == ("defer", NOW, 100)
    assert effects.defer_until is not None
    assert NOW < effects.defer_until < NOW + 1


@pytest.mark.parametrize("elsewhere", [True, False])
def test_way_back_is_told_at_counts_that_double(elsewhere: bool) -> None:
    told = [
        defers + 1
        for defers in range(40)
        if decide(make_task(), ways.UnknownTask(NOW, defers, elsewhere), NOW, RULES).log_level > logging.DEBUG
    ]
    assert told == [1, 2, 4, 8, 16, 32]


def test_call_that_never_fits_is_buried_with_what_is_wrong() -> None:
    unknown = ways.UnknownTask(NOW - UNKNOWN_TASK_PATIENCE, 9, misfit="missing a required argument: 'b'")
    effects = decide(make_task(), unknown, NOW, RULES)
    assert effects.settle == "bury"
    assert "missing a required argument: 'b'" in effects.reason


PUT_BACKS = [
    ways.Snoozed(Snooze(5)),
    ways.Locked(TaskLockedException("l", delay=5)),
    ways.RateLimited(RateLimitExceeded("k", 5)),
    ways.RetryAsked(RetryTask(delay=5)),
    ways.RetryAsked(RetryTask()),
    ways.CancelAsked(CancelExecution(retry=True)),
]


@pytest.mark.parametrize("outcome", PUT_BACKS, ids=str)
def test_way_back_is_counted_in_the_task_and_told_at_counts_that_double(outcome: ways.Outcome) -> None:
    task, told = make_task(), []
    for count in range(1, 20):
        effects = decide(task, outcome, NOW + count, RULES)
        assert effects.is_put_back
        (task,) = effects.enqueue
        assert task.put_back == (count, NOW + 1)
        assert effects.log is not None
        if effects.log_level > logging.DEBUG:
            told.append(count)
    assert told == [1, 2, 4, 8, 16]


@pytest.mark.parametrize("outcome", PUT_BACKS, ids=str)
def test_task_that_is_put_back_for_too_long_has_failed(outcome: ways.Outcome) -> None:
    task = make_task(retries=0, put_back=PutBack(40, NOW - 60)).then(Task("b", id="b")).error(Task("app.alert"))
    assert decide(task, outcome, NOW, Rules(max_put_back_age=61)).is_put_back
    assert decide(task, outcome, NOW, Rules(max_put_back_age=None)).is_put_back
    effects = decide(task, outcome, NOW, Rules(max_put_back_age=60))
    assert isinstance(effects.ending, Error)
    assert effects.ending.metadata["error"] == "PutBackTooLong('app.add', 40, 60.0)"
    assert (effects.settle, effects.downstream, effects.before) == ("bury", ("b",), ("error",))
    (handler,) = effects.enqueue
    assert isinstance(handler.args[0], PutBackTooLong)


@pytest.mark.parametrize("outcome", [ways.Failed(ValueError()), ways.CancelAsked(CancelExecution(retry=True))], ids=str)
def test_attempt_that_uses_up_a_retry_begins_the_count_anew(outcome: ways.Outcome) -> None:
    task = make_task(retries=1, put_back=PutBack(40, NOW - 1e9))
    (again,) = decide(task, outcome, NOW, RULES).enqueue
    assert (again.retries, again.put_back) == (0, None)


def test_unknown_task_is_buried_when_its_time_is_over() -> None:
    task = make_task().then(Task("b", id="b"))
    effects = decide(task, ways.UnknownTask(NOW - UNKNOWN_TASK_PATIENCE, 9), NOW, RULES)
    assert effects.settle == "bury"
    assert "app.add" in effects.reason
    assert effects.downstream == ("b",)


def test_lost_task_is_buried_and_its_handler_called() -> None:
    effects = decide(make_task(retries=3).error(Task("app.alert")), ways.WorkerLost(3), NOW, RULES)
    assert effects.settle == "bury"
    assert isinstance(effects.ending, Error)
    assert effects.ending.kind == "lost"
    (handler,) = effects.enqueue
    assert handler.id == "t:e0"
    assert isinstance(handler.args[0], WorkerLost)


def test_unreadable_message_is_buried_with_its_reason() -> None:
    effects = decide(make_task(), ways.Unreadable("bits", ("b",)), NOW, RULES)
    assert (effects.settle, effects.reason, effects.downstream) == ("bury", "bits", ("b",))
    assert isinstance(effects.ending, Error)
