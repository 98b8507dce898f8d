"""What a body may ask about its time, and how deadline and back-off are counted."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from hueyio import ConfigurationError, MemoryHuey, Serializer, Snooze, TaskCancelled, TaskTimeout
from hueyio.core import Rules
from hueyio.execution import outcome as ways
from hueyio.execution.policy import decide
from hueyio.messages.entry import make_entry
from hueyio.messages.message import read_task, write_task
from hueyio.tasks.task import Task

NOW = 1_000_000.0
FAILED = ways.Failed(ValueError("no"))


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def retry_of(task: Task) -> Task:
    (again,) = decide(task, FAILED, NOW, Rules()).enqueue
    return again


def test_time_is_endless_without_a_limit() -> None:
    task = Task("a")
    assert (task.time_remaining, task.is_timed_out, task.is_cancelled) == (math.inf, False, False)
    task.check_timeout()


def test_check_timeout_raises_when_the_time_is_over() -> None:
    task = Task("a")
    task.begin_run(0.0)
    assert (task.time_remaining, task.is_timed_out) == (0.0, True)
    with pytest.raises(TaskTimeout, match="task a ran out of its time"):
        task.check_timeout()


def test_check_timeout_raises_when_the_task_was_cancelled() -> None:
    task = Task("a")
    task.cancel_run()
    assert task.is_cancelled
    with pytest.raises(TaskCancelled):
        task.check_timeout()


def test_copy_of_a_task_has_a_clock_of_its_own() -> None:
    task = Task("a")
    task.begin_run(0.0)
    assert not task.replaced().is_timed_out


def test_relative_deadline_counts_once_from_the_first_enqueue() -> None:
    task = Task("a", deadline=60)
    make_entry(task, None, Serializer(), NOW)
    make_entry(task, None, Serializer(), NOW + 30)
    assert task.deadline_resolved == at(NOW + 60)


def test_relative_deadline_counts_from_the_eta() -> None:
    assert Task("a", deadline=60, eta=at(NOW + 100)).resolve_deadline(NOW) == at(NOW + 160)


@pytest.mark.parametrize("deadline", [60.0, at(NOW + 60)])
def test_deadline_survives_the_wire(deadline: Any) -> None:
    task = Task("a", deadline=deadline, deadline_resolved=at(NOW + 60), retry_max_delay=9.0, retry_jitter=0.5)
    read = read_task(write_task(task, Serializer()), Serializer())
    assert (read.deadline, read.deadline_resolved) == (deadline, at(NOW + 60))
    assert (read.retry_max_delay, read.retry_jitter) == (9.0, 0.5)


def test_retry_that_would_come_after_the_deadline_is_not_made() -> None:
    in_time = Task("a", retries=3, retry_delay=59.0, deadline_resolved=at(NOW + 60))
    assert retry_of(in_time).retries == 2
    too_late = in_time.replaced(retry_delay=60.0)
    effects = decide(too_late, FAILED, NOW, Rules())
    assert (effects.enqueue, effects.after) == ((), ())


def test_back_off_stops_at_its_cap() -> None:
    task = Task("a", retries=9, retry_delay=2.0, retry_backoff=3.0, retry_max_delay=10.0)
    waits = []
    for _ in range(4):
        task = retry_of(task)
        assert task.eta is not None
        waits.append(task.eta.timestamp() - NOW)
    assert waits == [2.0, 6.0, 10.0, 10.0]


def test_jitter_spreads_the_delays_within_its_part() -> None:
    tasks = [Task("a", retries=1, retry_delay=100.0, retry_jitter=0.2) for _ in range(200)]
    waits = [again.eta.timestamp() - NOW for task in tasks if (again := retry_of(task)).eta is not None]
    assert len(waits) == 200
    assert 80.0 <= min(waits) < 90.0 < 110.0 < max(waits) <= 120.0


def test_snooze_uses_neither_attempt_nor_retry() -> None:
    task = Task("a", id="t", attempt=2, retries=3)
    effects = decide(task, ways.Snoozed(Snooze(60)), NOW, Rules())
    (again,) = effects.enqueue
    assert (again.id, again.attempt, again.retries, again.eta) == ("t", 2, 3, at(NOW + 60))
    assert (effects.ending, effects.before, effects.after) == (None, (), ())


@pytest.mark.parametrize("delay", [-1, True, "soon", float("nan")])
def test_snooze_refuses_what_is_no_delay(delay: Any) -> None:
    with pytest.raises(ValueError, match="Snooze takes seconds"):
        Snooze(delay)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"run_in": "somewhere"}, "run_in must be 'loop', 'thread' or 'process'"),
        ({"at_most_once": 1}, "at_most_once must be True or False"),
        ({"retry_jitter": 2}, "retry_jitter must be a part from 0 to 1"),
        ({"retry_max_delay": 0}, "retry_max_delay must be a number of seconds > 0"),
        ({"deadline": "noon"}, "deadline must be seconds"),
    ],
)
def test_option_that_cannot_be_is_refused_at_the_decorator(option: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        MemoryHuey("options").task(**option)(lambda: None)


@pytest.mark.parametrize("lane", ["thread", "process"])
def test_coroutine_function_runs_nowhere_but_on_the_loop(lane: Any) -> None:
    with pytest.raises(ConfigurationError, match="coroutine function"):

        @MemoryHuey("options").task(run_in=lane)
        async def add() -> None: ...
