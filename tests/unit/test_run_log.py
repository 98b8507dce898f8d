"""What the log says of a run: each row of the table is one way to end, at the first attempt and at the last."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from hueyio import (
    CancelExecution,
    RateLimitExceeded,
    RetryTask,
    Snooze,
    TaskLockedException,
    TaskTimeout,
)
from hueyio.core import Rules
from hueyio.execution import outcome as ways
from hueyio.execution.policy import UNKNOWN_TASK_PATIENCE, decide
from hueyio.execution.run_log import Line, line_of
from hueyio.tasks.log_fields import log_fields
from hueyio.tasks.task import PutBack, Task

NOW = 1_000_000.0
RULES = Rules()
NO_MONEY = ValueError("no money")
TOO_LONG = TaskTimeout("task app.add ran longer than 3 s")


def line(outcome: ways.Outcome, *, seconds: float | None = 0.25, rules: Rules = RULES, **fields: Any) -> Line:
    task = Task("app.add", (1, 2), id="t", **fields)
    return line_of(task, outcome, decide(task, outcome, NOW, rules), NOW, seconds)


def test_good_end_is_a_debug_line_or_an_info_line_where_runs_are_logged() -> None:
    assert line(ways.Succeeded(3)) == Line(logging.DEBUG, "is done after 0.250 s, attempt 1 of 1")
    assert line(ways.Succeeded(3), attempt=1, retries=1).text == "is done after 0.250 s, attempt 2 of 3"
    task = Task("app.add")
    effects = decide(task, ways.Succeeded(3), NOW, RULES)
    assert line_of(task, ways.Succeeded(3), effects, NOW, 1, logging.INFO).level == logging.INFO


FAILURES = [
    (ways.Failed(NO_MONEY), "failed", "ValueError('no money')", True),
    (ways.TimedOut(TOO_LONG), "timed out", "ran longer than 3 s", True),
    (ways.Locked(TaskLockedException("a lock is held")), "was refused", "a lock is held", False),
    (ways.RateLimited(RateLimitExceeded("k", 5, retry=False)), "was refused", "k", False),
]


@pytest.mark.parametrize(("outcome", "verb", "reason", "has_traceback"), FAILURES)
@pytest.mark.parametrize(
    ("delay", "when"), [(0, "at once"), (2.5, "in 2.5 s"), (90, "in 90 s, at 1970-01-12 13:48:10")]
)
def test_failure_that_is_retried_is_a_warning_that_says_when(
    outcome: ways.Outcome, verb: str, reason: str, has_traceback: bool, delay: float, when: str
) -> None:
    said = line(outcome, attempt=1, retries=2, retry_delay=delay)
    if isinstance(outcome, ways.RateLimited) and not delay:
        when = "in 5 s"  # without a delay of its own it waits for the next window
    assert said.level == logging.WARNING
    assert said.text.startswith(f"{verb} after 0.250 s, attempt 2 of 4; tried again {when}")
    assert reason in said.text


@pytest.mark.parametrize(("outcome", "verb", "reason", "has_traceback"), FAILURES)
@pytest.mark.parametrize("attempt", [0, 3])
def test_last_failure_is_an_error_with_the_traceback_of_the_body(
    outcome: ways.Outcome, verb: str, reason: str, has_traceback: bool, attempt: int
) -> None:
    said = line(outcome, attempt=attempt)
    assert said.level == logging.ERROR
    assert said.text.startswith(f"{verb} after 0.250 s, attempt {attempt + 1} of {attempt + 1}, for good: ")
    assert reason in said.text
    assert (said.error is not None) == has_traceback


def test_failure_whose_next_attempt_would_be_too_late_is_the_last() -> None:
    deadline = datetime.fromtimestamp(NOW + 5, UTC)
    said = line(ways.Failed(NO_MONEY), retries=3, retry_delay=60, deadline_resolved=deadline)
    assert (said.level, said.error) == (logging.ERROR, NO_MONEY)


PUT_BACKS = [
    (ways.RetryAsked(RetryTask(delay=5)), "asks to be retried"),
    (ways.Snoozed(Snooze(5)), "snoozes"),
    (ways.Locked(TaskLockedException("it is held", delay=5)), "waits: it is held"),
    (ways.RateLimited(RateLimitExceeded("k", 5)), "waits: "),
    (ways.CancelAsked(CancelExecution(retry=True)), "is cancelled by itself and asks for another run"),
]


@pytest.mark.parametrize(("outcome", "why"), PUT_BACKS)
def test_way_back_is_told_at_counts_that_double_and_else_a_debug_line(outcome: ways.Outcome, why: str) -> None:
    said = [line(outcome, put_back=PutBack(times, NOW)) for times in range(9)]
    info = [1 + times for times, it in enumerate(said) if it.level == logging.INFO]
    assert info == [1, 2, 4, 8]
    assert {it.level for it in said} == {logging.INFO, logging.DEBUG}
    assert said[2].text.startswith(why)
    assert "put back 3 times, runs again " in said[2].text
    assert said[2].text.endswith("(after 0.250 s, attempt 1 of 1)")
    assert said[2].error is None


@pytest.mark.parametrize(("outcome", "why"), PUT_BACKS)
def test_way_back_that_was_too_much_is_an_error_that_says_so(outcome: ways.Outcome, why: str) -> None:
    said = line(outcome, put_back=PutBack(7, NOW - 100), rules=Rules(max_put_back_age=50))
    assert (said.level, said.error) == (logging.ERROR, None)
    assert "after 0.250 s, attempt 1 of 1, for good: " in said.text
    assert "7 times" in said.text


@pytest.mark.parametrize("retries", [0, 2])
def test_task_that_cancels_itself_is_a_warning_without_a_traceback(retries: int) -> None:
    said = line(ways.CancelAsked(CancelExecution("no need", retry=False)), retries=retries)
    assert (said.level, said.error) == (logging.WARNING, None)
    assert said.text.startswith(f"has cancelled itself after 0.250 s, attempt 1 of {retries + 1}: ")
    assert "no need" in said.text


def test_what_somebody_asked_for_is_an_info_line() -> None:
    assert line(ways.Cancelled()) == Line(logging.INFO, "is cancelled after 0.250 s, attempt 1 of 1")
    assert line(ways.Cancelled(), seconds=None) == Line(logging.INFO, "is cancelled, it is not run")
    assert line(ways.Revoked(), seconds=None) == Line(logging.INFO, "is revoked, it is not run")
    stopped = line(ways.Interrupted())
    assert stopped == Line(logging.INFO, "is interrupted by the stop after 0.250 s, attempt 1 of 1, it goes back")
    assert line(ways.Interrupted(), seconds=None).level == logging.DEBUG


def test_expiry_is_a_warning_that_says_since_when() -> None:
    said = line(ways.Expired(), seconds=None, expires_resolved=datetime.fromtimestamp(NOW - 5, UTC))
    text = "has expired, it is not run: it was to begin before 1970-01-12 13:46:35 UTC"
    assert said == Line(logging.WARNING, text)


def test_run_that_nobody_stopped_is_a_warning_with_its_cause() -> None:
    said = line(ways.Interrupted("raised KeyboardInterrupt"))
    assert said.level == logging.WARNING
    assert said.text.startswith("is put back after 0.250 s, attempt 1 of 1: it raised KeyboardInterrupt")


@pytest.mark.parametrize(("elsewhere", "level"), [(False, logging.WARNING), (True, logging.INFO)])
def test_name_that_nobody_knows_is_told_at_counts_that_double(elsewhere: bool, level: int) -> None:
    said = [line(ways.UnknownTask(NOW, defers, elsewhere), seconds=None) for defers in range(9)]
    assert [1 + defers for defers, it in enumerate(said) if it.level == level] == [1, 2, 4, 8]
    assert "no task named 'app.add'" in said[2].text
    assert "3 times" in said[2].text


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (ways.WorkerLost(3), "its consumer died with it 3 times"),
        (ways.WorkerLost(1, started=True), "at_most_once"),
        (ways.Unreadable("not a pickle"), "not a pickle"),
        (ways.UnknownTask(NOW - UNKNOWN_TASK_PATIENCE, 9), "no task named 'app.add' for 24 h"),
    ],
)
def test_dead_letter_is_an_error_that_says_why(outcome: ways.Outcome, why: str) -> None:
    said = line(outcome, seconds=None)
    assert (said.level, said.error) == (logging.ERROR, None)
    assert said.text.startswith("is a dead letter: ")
    assert why in said.text


class _Odd(Exception):
    def __repr__(self) -> str:
        return "a\nb" + "x" * 10_000


class _Mute(Exception):
    def __repr__(self) -> str:
        raise RuntimeError("no description")


def test_error_is_one_line_of_bounded_length_whatever_its_repr_is() -> None:
    odd, mute = line(ways.Failed(_Odd())).text, line(ways.Failed(_Mute())).text
    assert "\n" not in odd
    assert len(odd) < 1000
    assert "_Mute whose repr raises RuntimeError" in mute


def test_fields_say_task_id_and_attempt_and_what_else_is_known() -> None:
    task = Task("app.add", id="t", attempt=2)
    assert log_fields(task) == {"task": "app.add", "task_id": "t", "attempt": 3}
    assert log_fields(task, "shop", 0.25) == {**log_fields(task), "queue": "shop", "duration": 0.25}


@pytest.mark.parametrize("moment", [datetime.min, datetime.max])
def test_moment_that_no_other_zone_has_is_told_all_the_same(moment: datetime) -> None:
    for hours in (-5, 5):
        zoned = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
        assert str(moment.year) in line(ways.Expired(), seconds=None, expires_resolved=zoned).text
