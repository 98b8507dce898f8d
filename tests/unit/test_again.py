"""What a task that ended without success is when it runs once more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hueyio import TaskExpired
from hueyio.core import Rules
from hueyio.execution import outcome as ways
from hueyio.execution.again import LONGEST_REASON, count_times_anew, renew, text_of, write_again
from hueyio.execution.policy import decide
from hueyio.messages.message import read_task, write_task
from hueyio.serializer import Serializer
from hueyio.storage.records import EndKind
from hueyio.tasks.task import Granted, PutBack, Task

NOW = 1_700_000_000.0
SERIALIZER = Serializer()


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(NOW + seconds, UTC)


def make(**fields: Any) -> Task:
    return Task("app.add", (1, 2), id="a", **fields)


def fail(task: Task) -> Task | None:
    """Let an attempt fail; return the next one, as a consumer reads it, or None."""
    effects = decide(task, ways.Failed(ValueError("no")), NOW, Rules())
    assert effects.settle == ("finish" if effects.enqueue else "bury")
    return read_task(write_task(effects.enqueue[-1], SERIALIZER), SERIALIZER) if effects.enqueue else None


def test_task_gets_its_retries_and_its_first_delay_back_when_all_were_used() -> None:
    task: Task | None = make(retries=3, retry_delay=2.0, retry_backoff=10.0)
    last = task
    while task is not None:
        last, task = task, fail(task)
    assert last is not None
    assert (last.attempt, last.retries, last.retry_delay) == (3, 0, 2000.0)
    again = renew(last, "failed", NOW)
    assert (again.attempt, again.retries, again.retry_delay, again.granted) == (4, 3, 2.0, None)
    assert again.eta is None


@pytest.mark.parametrize(("kind", "attempt"), [("failed", 3), ("expired", 2), ("cancelled", 2), ("lost", 2)])
def test_attempt_counts_on_when_the_body_ran(kind: EndKind, attempt: int) -> None:
    assert renew(make(attempt=2), kind, NOW).attempt == attempt


def test_what_was_put_back_begins_anew_when_it_is_renewed() -> None:
    again = renew(make(put_back=PutBack(3, NOW), eta=moment(5)), "cancelled", NOW)
    assert (again.put_back, again.eta) == (None, None)


def test_relative_times_are_not_resolved_before_the_requeue() -> None:
    task = make(expires=10, expires_resolved=moment(-5), deadline=20, deadline_resolved=moment(-1))
    again = renew(task, "expired", NOW)
    assert (again.expires, again.expires_resolved, again.deadline, again.deadline_resolved) == (10, None, 20, None)
    counted = count_times_anew(again, NOW + 100)
    assert (counted.expires_resolved, counted.deadline_resolved) == (moment(110), moment(120))


@pytest.mark.parametrize(("seconds", "is_kept"), [(-1, False), (0, False), (1, True)])
def test_moment_is_dropped_when_it_is_over(seconds: float, is_kept: bool) -> None:
    task = make(expires=moment(seconds), deadline=moment(seconds))
    again = count_times_anew(task, NOW)
    assert (again.expires is not None, again.deadline is not None) == (is_kept, is_kept)
    assert (again.expires_resolved is not None) is is_kept


def test_message_stays_when_nothing_changes() -> None:
    data = write_task(make(retries=2), SERIALIZER)
    assert write_again(data, "cancelled", SERIALIZER, NOW) is None
    assert write_again(b"no message", "failed", SERIALIZER, NOW) is None


def test_pipeline_and_handlers_go_along_when_a_task_is_renewed() -> None:
    task = make(granted=Granted(5, 1.5)).then(Task("b", id="b")).error(Task("alarm", id="alarm"))
    data = write_again(write_task(task, SERIALIZER), "failed", SERIALIZER, NOW)
    assert data is not None
    again = read_task(data, SERIALIZER)
    assert [stage.id for stage in again.stages()] == ["a", "b"]
    assert again.on_error is not None
    assert (again.retries, again.retry_delay, again.attempt) == (5, 1.5, 1)


@pytest.mark.parametrize("text", ["\ud800", "“ä”", "x" * 10_000, 12], ids=["surrogate", "umlaut", "long", "number"])
def test_reason_is_a_text_that_every_storage_holds_when_it_is_any_object(text: object) -> None:
    assert len(text_of(text).encode()) <= 4 * LONGEST_REASON


@pytest.mark.parametrize(
    ("outcome", "kind", "reason"),
    [
        (ways.Failed(ValueError("no")), "failed", "ValueError('no')"),
        (ways.TimedOut(TimeoutError("late")), "failed", "TimeoutError('late')"),
        (ways.Cancelled(), "cancelled", "somebody cancelled it"),
        (ways.Expired(), "expired", "it was not started in time"),
    ],
)
def test_end_is_a_burial_when_it_is_no_success(outcome: Any, kind: str, reason: str) -> None:
    effects = decide(make(), outcome, NOW, Rules())
    assert (effects.settle, effects.into, effects.kind, effects.reason) == ("bury", "failed", kind, reason)


def test_end_is_no_burial_when_the_task_was_revoked() -> None:
    effects = decide(make(), ways.Revoked(None), NOW, Rules())
    assert (effects.settle, effects.kind) == ("finish", "revoked")


def test_failure_of_one_that_expired_is_raised_as_such() -> None:
    effects = decide(make(), ways.Expired(), NOW, Rules())
    assert effects.ending is not None
    assert isinstance(effects.ending.to_exception(), TaskExpired)  # type: ignore[union-attr]
