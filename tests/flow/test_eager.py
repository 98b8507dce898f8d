"""Programs that set ``asyncio.eager_task_factory``: their tasks begin while they are made. Needs Python 3.12.

``nox -s eager`` runs the core flow of the suite under it; these are what each storage has to do.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest

import hueyio
from hueyio import Huey, TaskCancelled, chord
from tests.conftest import EACH_SERVER

EAGER: Final[Any] = getattr(asyncio, "eager_task_factory", None)

pytestmark = [
    pytest.mark.skipif(EAGER is None, reason="needs Python 3.12"),
    pytest.mark.parametrize("huey_source", ["sqlite", "file", "memory", *EACH_SERVER], indirect=True),
]


@pytest.fixture
def huey(huey_source: str) -> Huey:
    made: Huey = eval(huey_source, {"hueyio": hueyio})
    return made


async def run_everything(huey: Huey) -> None:
    """Enqueue, wait, schedule, cancel and follow, at the same time where that is possible."""

    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    @huey.task
    def total(values: list[int]) -> int:
        return sum(values)

    @huey.task(retries=1, retry_delay=0.01)
    async def fail_once(key: str) -> str:
        if await huey.put_if_empty(key, "failed"):
            raise ValueError(key)
        return key

    async def ask(number: int) -> int:
        return await (await add(number, 1))

    async with huey.create_consumer():
        assert await asyncio.gather(*[ask(number) for number in range(50)]) == list(range(1, 51))
        asked = [asyncio.create_task(ask(number)) for number in range(10)]
        assert [await it for it in asked] == list(range(1, 11))
        assert await (await add.options(delay=0.05)(1, 2)) == 3
        assert await (await huey.enqueue(chord([add.s(n, n) for n in range(3)], total.s()))) == 6
        assert await (await fail_once("key")) == "key"
        later = await add.options(delay=60)(1, 2)
        waiting = asyncio.create_task(later.get(blocking=True))
        assert await later.cancel()
        with pytest.raises(TaskCancelled):
            await waiting
        async with huey.lock_task("one"):
            pass
    await huey.close()


async def test_program_with_eager_tasks_does_all_that_another_does(huey: Huey) -> None:
    asyncio.get_running_loop().set_task_factory(EAGER)
    async with asyncio.timeout(60):
        await run_everything(huey)
