"""Immediate mode, beside what the flow tests say of it; the live storage is each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hueyio import Huey, TaskException
from tests.conftest import EACH_STORAGE
from tests.facts.steps import later, run_all

pytestmark = pytest.mark.parametrize("make_huey", ["memory", *EACH_STORAGE], indirect=True)


def declare_add(huey: Huey) -> Any:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    return add


@pytest.mark.parametrize(("memory", "stored"), [(True, 0), (False, 1)])
async def test_immediate_mode_touches_the_live_storage_only_where_asked(
    make_huey: Callable[..., Huey], memory: bool, stored: int
) -> None:
    huey = make_huey(immediate=True, immediate_use_memory=memory)
    result = await declare_add(huey)(1, 2)
    assert await huey.result_count() == 1
    huey.immediate = False
    assert await huey.result_count() == stored
    assert await result.get() == (3 if stored else None)
    await huey.close()


async def test_each_switch_begins_with_an_empty_memory(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey(immediate=True)
    await declare_add(huey)(1, 2)
    huey.immediate = False
    huey.immediate = True
    assert await huey.result_count() == 0


async def test_what_is_due_later_waits_until_it_is_driven(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey(immediate=True)

    @huey.task(retries=1, retry_delay=60)
    async def fail() -> None:
        raise ValueError("no")

    result = await declare_add(huey).schedule((1, 2), delay=60)
    failed = await fail()
    assert (await huey.count(), await huey.scheduled_count()) == (0, 2)
    assert await result.get() is None
    await huey.read_schedule(later(61))
    assert sorted(map(str, await run_all(huey, later(61)))) == ["3", "None"]
    assert await result == 3
    with pytest.raises(TaskException):
        await failed


async def test_storage_can_be_chosen_by_overriding(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    live = huey.storage
    built: list[str] = []

    class Chosen(Huey):
        def get_storage(self, **storage_kwargs: Any) -> Any:
            built.append(f"live {storage_kwargs}")
            return live

        def get_immediate_storage(self) -> Any:
            built.append("immediate")
            return super().get_immediate_storage()

    chosen = Chosen(huey.name, extra=1)
    assert chosen.storage is live
    await declare_add(chosen)(1, 2)
    assert await huey.count() == 1
    chosen.immediate = True
    assert await chosen.count() == 0
    assert built == ["live {'extra': 1}", "immediate"]
    chosen.immediate = False
    await chosen.close()
    await huey.close()
