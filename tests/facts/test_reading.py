"""Reading results, one step at a time, on every storage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hueyio import Error, Huey, HueyException, ResultTimeout, TaskException, TaskRevoked
from tests.facts.steps import listen, put_in_queue, run_all, run_next


def declare_add(huey: Huey) -> Any:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    return add


async def test_value_is_read_once_and_kept_in_its_handle(huey: Huey) -> None:
    add = declare_add(huey)
    assert await (await add.schedule((1, 2), delay=60)).get() is None
    result = await add(1, 2)
    await run_next(huey)
    assert await huey.result_count() == 1
    assert await result.get() == 3
    assert await huey.result_count() == 0
    assert await result.get() == 3
    assert await huey.result(result.id) is None


async def test_preserved_value_stays_until_a_plain_read(huey: Huey) -> None:
    result = await declare_add(huey)(1, 2)
    await run_next(huey)
    assert [await huey.result(result.id, preserve=True) for _ in range(2)] == [3, 3]
    assert [await huey.result(result.id) for _ in range(2)] == [3, None]


async def test_timeout_of_zero_looks_once_and_the_task_can_still_be_run_and_read(huey: Huey) -> None:
    result = await put_in_queue(huey, declare_add(huey).s(1, 2))
    with pytest.raises(HueyException) as caught:
        await result.get(blocking=True, timeout=0)
    assert isinstance(caught.value, ResultTimeout)
    assert await run_next(huey) == 3
    assert await result.get(blocking=True, timeout=0) == 3


async def test_wait_that_runs_out_raises_and_the_task_can_still_be_run_and_read(huey: Huey) -> None:
    """The timeout includes the round trip."""
    result = await put_in_queue(huey, declare_add(huey).s(1, 2))
    with pytest.raises(ResultTimeout):
        await result.get(blocking=True, timeout=0.01)
    assert await run_next(huey) == 3
    assert await result.get(blocking=True, timeout=60) == 3


async def test_wait_that_runs_out_can_revoke(huey: Huey) -> None:
    result = await put_in_queue(huey, declare_add(huey).s(1, 2))
    with pytest.raises(ResultTimeout):
        await result.get(blocking=True, timeout=0, revoke_on_timeout=True)
    heard = listen(huey)
    assert await run_next(huey) is None
    assert heard == ["revoked"]
    with pytest.raises(TaskRevoked):
        await result


async def test_nothing_is_stored_without_results(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey(results=False)
    add = declare_add(huey)
    assert await add(1, 2) is None
    assert await add.map([(1, 2)]) is None
    assert await huey.enqueue(add.s(1, 2).then(add, 3)) is None
    assert await run_all(huey) == [3, 3, 3, 6]
    assert await huey.result_count() == 0
    await huey.close()


async def test_failure_tells_what_where_and_how_many_retries_were_left(huey: Huey) -> None:
    @huey.task
    async def fail() -> None:
        raise ValueError("no")

    result = await fail()
    await run_next(huey)
    for _ in range(2):
        with pytest.raises(TaskException) as caught:
            await result.get()
        metadata = caught.value.metadata
        assert sorted(metadata) == ["error", "retries", "task_id", "traceback"]
        assert (metadata["error"], metadata["retries"], metadata["task_id"]) == ("ValueError('no')", 0, result.id)
        assert 'raise ValueError("no")' in metadata["traceback"]


async def test_value_that_cannot_be_serialised_is_a_failure_that_is_retried(huey: Huey) -> None:
    """It is an error like any other: nothing disappears silently."""
    heard = listen(huey)

    @huey.task(retries=1)
    async def odd() -> Any:
        return lambda: None

    result = await odd()
    await run_all(huey)
    with pytest.raises(TaskException, match="serialised"):
        await result
    assert heard == ["enqueued", "executing", "error", "retrying", "enqueued", "executing", "error"]


async def test_exception_that_cannot_be_serialised_costs_neither_handler_nor_retry(huey: Huey) -> None:
    seen: list[str] = []

    @huey.task(retries=1)
    async def odd() -> None:
        error = ValueError("odd")
        error.args = (lambda: None,)
        raise error

    @huey.task
    async def alert(error: Exception) -> None:
        seen.append(type(error).__name__)

    result = await huey.enqueue(odd.s().error(alert))
    assert await run_all(huey) == [None] * 4
    assert seen == ["TaskException"] * 2
    error = await result.get_raw_result()
    assert isinstance(error, Error)
    assert error.metadata["error"].startswith("ValueError(<function")


async def test_interrupted_body_leaves_nothing_and_comes_back(huey: Huey) -> None:
    """Huey loses the task; here it comes back with its attempts unharmed, and the delivery counts."""
    heard = listen(huey)
    interrupts = [KeyboardInterrupt]

    @huey.task
    async def work() -> str:
        if interrupts:
            raise interrupts.pop()
        return "done"

    if huey.immediate:  # whoever presses Ctrl-C there means the program that runs the body
        with pytest.raises(KeyboardInterrupt):
            await work()
        result = huey.result_of((await huey.pending())[0].id)
    else:
        result = await work()
    assert await run_next(huey) is None
    assert heard == ["enqueued", "executing", "interrupted"]
    assert (await huey.result_count(), await result.status()) == (0, "ready")
    assert [task.attempt for task in await huey.pending()] == [0]
    assert await run_next(huey) == "done"
