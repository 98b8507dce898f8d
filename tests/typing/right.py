"""Uses that are right, with the types that mypy and pyright must find."""

from __future__ import annotations

from typing import assert_type

from hueyio import MemoryHuey, Result, ResultGroup

huey = MemoryHuey()


@huey.task
async def add(a: int, b: int) -> int:
    return a + b


@huey.task(retries=3)
def double(a: int) -> int:
    return 2 * a


async def main() -> None:
    assert_type(await add(1, 2), Result[int])
    assert_type(await (await add(1, b=2)), int)
    assert_type(await double(1), Result[int])
    assert_type(await add.options(delay=1, priority=5)(1, 2), Result[int])
    assert_type(await add.map([(1, 2)]), ResultGroup[int])
    assert_type(await add.call_local(1, 2), int)
    assert_type(double.call_local(1), int)
    assert_type(await (await add(1, 2)).get(), int | None)
    assert_type(await (await add(1, 2))(blocking=True, timeout=5), int)
