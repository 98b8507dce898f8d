"""What a failing task leaves behind, attempt by attempt; on every storage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hueyio import CancelExecution, Error, Huey, RetryTask, Task, TaskException
from hueyio.core import core_of
from tests.facts.steps import later, listen, moment_of_run, run_all, run_next


def declare_fail(huey: Huey, **options: Any) -> Any:
    async def fail() -> None:
        raise ValueError("no")

    return huey.task(**options)(fail)


async def metadata_of(handle: Any) -> dict[str, Any]:
    error = await handle.get_raw_result()
    assert isinstance(error, Error)
    return error.metadata


async def test_each_attempt_stores_its_error_and_a_handle_sees_the_next_after_reset(huey: Huey) -> None:
    result = await declare_fail(huey, retries=1, retry_delay=60)()
    await run_next(huey)
    assert (await metadata_of(result))["retries"] == 1
    await huey.read_schedule(later(61))
    await run_next(huey, later(61))
    assert (await metadata_of(result))["retries"] == 1
    result.reset()
    last = await metadata_of(result)
    assert (last["retries"], last["task_id"]) == (0, result.id)


async def test_error_that_nobody_read_gives_way_to_the_value(huey: Huey) -> None:
    @huey.task(retries=1, context=True)
    async def flaky(task: Task) -> str:
        if task.attempt == 0:
            raise ValueError
        return "value"

    result = await flaky()
    assert await run_all(huey) == [None, "value"]
    assert await huey.result_count() == 1
    assert await result.get() == "value"


async def test_signals_of_failing_attempts_come_in_order(huey: Huey) -> None:
    heard = listen(huey)
    await declare_fail(huey, retries=1)()
    await run_all(huey)
    attempt = ["executing", "error", "retrying", "enqueued"]
    assert heard == ["enqueued", *attempt, "executing", "error"]
    heard.clear()
    await declare_fail(huey, retries=1, retry_delay=60, name="later")()
    await run_all(huey)
    assert heard == ["enqueued", "executing", "error", "retrying", "scheduled"]


async def test_retry_after_a_delay_waits_in_the_schedule(huey: Huey) -> None:
    result = await declare_fail(huey, retries=3, retry_delay=60)()
    at = moment_of_run(huey, 5)
    await run_next(huey, at)
    (task,) = await huey.scheduled()
    assert (task.id, task.retries, task.attempt, await huey.count()) == (result.id, 2, 1, 0)
    assert task.eta is not None
    assert abs(task.eta - at - timedelta(seconds=60)) < timedelta(seconds=1)


async def test_delay_grows_by_the_back_off_and_travels_in_the_message(huey: Huey) -> None:
    at = moment_of_run(huey, 1)
    await declare_fail(huey, retries=3, retry_delay=2, retry_backoff=2)()
    waits, delays = [], []
    for _ in range(3):
        await run_next(huey, at)
        (task,) = await huey.scheduled()
        assert task.eta is not None
        waits.append(round((task.eta - at).total_seconds()))
        delays.append(task.retry_delay)
        at = task.eta
        await huey.read_schedule(at)
    assert (waits, delays) == ([2, 4, 8], [4.0, 8.0, 16.0])


async def test_back_off_without_a_delay_does_nothing(huey: Huey) -> None:
    await declare_fail(huey, retries=1, retry_backoff=5)()
    assert await run_all(huey) == [None, None]
    assert await huey.scheduled_count() == 0


@pytest.mark.parametrize(("asked", "delay"), [({"delay": 30}, 30), ({}, 4), ({"delay": timedelta(minutes=1)}, 60)])
async def test_retry_that_was_asked_for_is_no_failure(huey: Huey, asked: dict[str, Any], delay: float) -> None:
    heard = listen(huey)

    @huey.task(retries=2, retry_delay=4, retry_backoff=3)
    async def ask() -> None:
        raise RetryTask(**asked)

    at = moment_of_run(huey, 1)
    await huey.enqueue(ask.s().error(declare_fail(huey)))
    await run_next(huey, at)
    (task,) = await huey.scheduled()
    assert task.eta is not None
    assert round((task.eta - at).total_seconds()) == delay
    assert (task.retries, task.retry_delay) == (2, 4.0 if asked else 12.0)
    assert heard == ["enqueued", "executing", "retrying", "scheduled"]
    assert (await huey.result_count(), await huey.count()) == (0, 0)


async def test_retry_that_asks_for_nonsense_is_a_failure(huey: Huey) -> None:
    @huey.task
    async def odd() -> None:
        raise RetryTask(eta=60)  # type: ignore[arg-type]

    result = await odd()
    await run_all(huey)
    with pytest.raises(TaskException, match="takes a datetime as eta"):
        await result


@pytest.mark.parametrize(
    ("retry", "retries", "runs"), [(None, 0, 1), (None, 2, 3), (True, 2, 3), (False, 2, 1), (True, 0, 3)]
)
async def test_cancel_says_whether_it_is_retried(huey: Huey, retry: bool | None, retries: int, runs: int) -> None:
    """``retry=True`` grants one more run each time, so that its body has to end it."""
    heard = listen(huey)

    @huey.task(retries=retries, context=True)
    async def stop(task: Task) -> None:
        raise CancelExecution(retry=False if retry and task.attempt == 2 else retry)

    result = await stop()
    assert await run_all(huey) == [None] * runs
    assert heard.count("canceled") == runs
    assert "error" not in heard
    assert (await metadata_of(result))["error"] == "CancelExecution()"


async def test_cancel_that_grants_a_retry_says_so_in_its_error(huey: Huey) -> None:
    """The error of the attempt has the retry that it grants, as in Huey."""
    described: list[int] = []

    @huey.task(context=True)
    async def stop(task: Task) -> None:
        raise CancelExecution(retry=task.attempt == 0)

    huey_rules = core_of(huey).rules

    def describe(task: Task, error: BaseException) -> dict[str, Any]:
        described.append(task.retries)
        return huey_rules.build_error_result(task, error)

    core_of(huey).rules = replace(huey_rules, build_error_result=describe)
    await stop()
    await run_all(huey)
    assert described == [1, 0]


@pytest.mark.parametrize(("every", "calls"), [(True, 3), (False, 1)])
async def test_error_handler_runs_for_each_attempt_or_for_the_last(
    make_huey: Callable[..., Huey], every: bool, calls: int
) -> None:
    huey = make_huey(store_intermediate_errors=every)
    seen: list[tuple[str, str]] = []

    @huey.task
    async def alert(who: str, error: Exception) -> None:
        seen.append((who, repr(error)))
        raise KeyError(who)

    @huey.task
    async def alarm(error: Exception) -> None:
        seen.append(("alarm", repr(error)))

    stored: list[int] = []

    @huey.signal("retrying")
    async def count(signal: str, task: Task) -> None:
        stored.append(await huey.result_count())

    heard = listen(huey)
    task = declare_fail(huey, retries=2).s().error(alert, "me").error(alarm)
    result = await huey.enqueue(task)
    await run_all(huey)
    assert heard[:4] == ["enqueued", "executing", "error", "retrying"]
    assert stored[0] == (1 if every else 0)
    assert sorted(seen) == sorted([("me", "ValueError('no')"), ("alarm", "KeyError('me')")] * calls)
    with pytest.raises(TaskException, match="no"):
        await result
    await huey.close()


async def test_result_is_readable_in_a_receiver_of_complete(huey: Huey) -> None:
    seen: list[Any] = []

    @huey.signal("complete")
    async def read(signal: str, task: Task) -> None:
        seen.append(await huey.result(task.id, preserve=True))

    @huey.task
    async def work() -> int:
        return 1

    await work()
    await run_next(huey)
    assert seen == [1]
