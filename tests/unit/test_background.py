"""Tasks of hueyio begin in the next turn of the loop, whatever task factory the loop has."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest

from hueyio.storage.shared.background import begin_later, is_cancelled, make_task
from hueyio.storage.shared.batching import Batcher

EAGER: Final[Any] = getattr(asyncio, "eager_task_factory", None)


@pytest.fixture(params=["lazy", pytest.param("eager", marks=pytest.mark.skipif(EAGER is None, reason="Python 3.12"))])
async def begun(request: pytest.FixtureRequest) -> list[str]:
    if request.param == "eager":
        asyncio.get_running_loop().set_task_factory(EAGER)
    return []


async def test_task_has_not_begun_when_it_is_made(begun: list[str]) -> None:
    async def begin() -> int:
        begun.append("task")
        return 1

    task = make_task(begin(), name="mine")
    assert (begun, task.get_name()) == ([], "mine")
    assert await task == 1


async def test_task_of_a_group_has_not_begun_when_it_is_made(begun: list[str]) -> None:
    async def begin() -> int:
        begun.append("task")
        return 1

    async with asyncio.TaskGroup() as group:
        task = group.create_task(begin_later(begin()))
        assert begun == []
    assert task.result() == 1


async def test_task_of_a_group_that_is_cancelled_before_it_began_leaves_no_warning(begun: list[str]) -> None:
    async def begin() -> None:
        begun.append("task")

    async with asyncio.TaskGroup() as group:
        group.create_task(begin_later(begin())).cancel()
    assert begun == []


async def test_calls_of_one_turn_are_one_batch(begun: list[str]) -> None:
    batches: list[list[int]] = []

    async def act(items: list[int]) -> list[int]:
        batches.append(items)
        return items

    batcher: Batcher[int, int] = Batcher(act, 10, make_task)
    assert list(await asyncio.gather(batcher.submit([1]), batcher.submit([2, 3]))) == [[1], [2, 3]]
    assert batches == [[1, 2, 3]]


async def test_cancellation_that_nobody_asked_for_is_told_from_one_that_was() -> None:
    """As of a library that lets out the end of a future of its own."""
    gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    told: list[bool] = []

    async def wait() -> None:
        try:
            await gone
        except asyncio.CancelledError:
            told.append(is_cancelled())

    waiting = make_task(wait())
    await asyncio.sleep(0)
    gone.cancel()
    await waiting
    gone = asyncio.get_running_loop().create_future()
    waiting = make_task(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await waiting
    assert told == [False, True]
