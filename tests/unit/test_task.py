"""Calls as data: pipelines, copies, times."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import RFC_4122, UUID

import pytest

from hueyio import MemoryHuey
from hueyio.exceptions import ConfigurationError, TaskArgumentError
from hueyio.tasks.declared import TaskOptions, TaskSpec
from hueyio.tasks.task import Task, eta_from


class Pair(NamedTuple):
    a: int
    b: int


@pytest.mark.parametrize(
    ("value", "args", "kwargs"),
    [
        (None, (1,), {"k": 1}),
        ((), (1,), {"k": 1}),
        ((2, 3), (1, 2, 3), {"k": 1}),
        (Pair(2, 3), (1, 2, 3), {"k": 1}),
        ([2, 3], (1, [2, 3]), {"k": 1}),
        (0, (1, 0), {"k": 1}),
        ([], (1, []), {"k": 1}),
        ({"k": 2, "x": 3}, (1,), {"k": 1, "x": 3}),
    ],
)
def test_next_stage_is_extended_by_the_value(value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    extended = Task("t", (1,), {"k": 1}).extended(value)
    assert (extended.args, extended.kwargs) == (args, kwargs)


def test_then_appends_to_the_end_and_returns_the_head() -> None:
    head = Task("a")
    assert head.then(Task("b")).then(Task("c")) is head
    assert [stage.name for stage in head.stages()] == ["a", "b", "c"]


def test_error_appends_to_the_chain_of_handlers() -> None:
    head = Task("a").error(Task("b")).error(Task("c"))
    assert head.on_error is not None
    assert head.on_error.on_error is not None
    assert head.on_error.on_error.name == "c"


def test_then_takes_a_task_with_further_arguments() -> None:
    head = Task("a").then(Task("b", (1,), {"x": 1}), 2, y=2)
    assert head.on_complete is not None
    assert (head.on_complete.args, head.on_complete.kwargs) == ((1, 2), {"x": 1, "y": 2})


def test_tasks_are_equal_by_id_eta_and_name() -> None:
    assert Task("a", id="1") == Task("a", (9,), id="1")
    assert Task("a", id="1") != Task("b", id="1")
    assert Task("a", id="1") != "1"
    assert len({Task("a", id="1"), Task("a", id="1")}) == 1


def test_eta_is_aware_and_a_naive_one_is_local_time() -> None:
    naive = datetime(2030, 1, 1, 12)
    eta = eta_from(naive, None, 0.0)
    assert eta is not None
    assert eta.timestamp() == naive.timestamp()
    assert eta_from(None, timedelta(minutes=1), 100.0) == datetime.fromtimestamp(160, UTC)


@pytest.mark.parametrize(
    ("eta", "delay"), [(datetime(2030, 1, 1), 5), ("tomorrow", None), (None, "5"), (5, None), (None, True)]
)
def test_wrong_times_are_refused(eta: Any, delay: Any) -> None:
    with pytest.raises(ValueError, match=r"eta|delay"):
        eta_from(eta, delay, 0.0)


def call_spec(context: bool = False) -> TaskSpec:
    def add(a: int, b: int = 0, *, task: Any = None) -> int:
        return a + b

    return TaskSpec("app.add", add, TaskOptions(context=context))


@pytest.mark.parametrize(("args", "kwargs"), [((1,), {}), ((1, 2), {}), ((), {"a": 1}), ((1,), {"b": 2})])
def test_call_that_fits_passes(args: tuple[int, ...], kwargs: dict[str, int]) -> None:
    call_spec().check_call(args, kwargs)


@pytest.mark.parametrize(
    ("args", "kwargs", "says"),
    [
        ((), {}, "missing a required argument: 'a'"),
        ((1, 2, 3), {}, "too many positional arguments"),
        ((1,), {"c": 3}, "'c'"),
        ((1,), {"a": 1}, "multiple values for argument 'a'"),
    ],
)
def test_call_that_does_not_fit_names_task_and_argument(args: Any, kwargs: Any, says: str) -> None:
    with pytest.raises(TaskArgumentError, match=r"app\.add") as caught:
        call_spec().check_call(args, kwargs)
    assert says in str(caught.value)


def test_injected_context_is_no_argument_of_the_caller() -> None:
    with pytest.raises(TaskArgumentError, match="task"):
        call_spec(context=True).check_call((1,), {"task": 1})
    call_spec(context=False).check_call((1,), {"task": 1})


@pytest.mark.parametrize(
    "options",
    [
        {"retries": -1},
        {"retries": 1.5},
        {"retries": True},
        {"retry_delay": -1},
        {"retry_backoff": "2"},
        {"timeout": 0},
        {"priority": "high"},
        {"expires": "soon"},
        {"max_deliveries": 0},
    ],
)
def test_wrong_option_is_refused_by_its_name(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        TaskOptions(**options)


@pytest.mark.parametrize(
    "setting",
    [{"retry_delay": 1e12}, {"priority": float("nan")}, {"priority": 2**70}, {"timeout": -1}, {"retries": -1}],
)
def test_setting_of_a_call_that_cannot_be_used_is_refused_at_the_call(setting: dict[str, Any]) -> None:
    @MemoryHuey().task
    async def work() -> None: ...

    with pytest.raises((ConfigurationError, ValueError), match=next(iter(setting))):
        work.options(**setting).s()


def test_ids_are_uuids_in_order_of_time() -> None:
    before = time.time_ns() // 1_000_000
    ids = [Task("name").id for _ in range(1000)]
    after = time.time_ns() // 1_000_000
    made = [UUID(id) for id in ids]
    assert {(it.version, it.variant) for it in made} == {(7, RFC_4122)}
    assert [str(it) for it in made] == ids
    moments = [it.int >> 80 for it in made]
    assert moments == sorted(moments)
    assert before <= moments[0] <= moments[-1] <= after
    assert len(set(ids)) == 1000
