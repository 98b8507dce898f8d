"""Uses that are right, with the types that mypy and pyright must find."""

from __future__ import annotations

from typing import assert_type

from hueyio import Error, MemoryHuey, Result, ResultGroup, Task

huey = MemoryHuey()
other = MemoryHuey("other")


@huey.task
async def add(a: int, b: int) -> int:
    return a + b


@huey.task(retries=3)
def double(a: int) -> int:
    return 2 * a


@huey.task(context=True)
async def first(task: Task, a: int, *, b: str = "") -> str:
    return f"{task.id} {a} {b}"


@huey.task(context=True)
def last(a: object, task: Task | None = None) -> float:
    return 0.5 if task is None else 1.5


add_elsewhere = other.task(add)
double_elsewhere = other.task(name="double")(double)


async def use_context() -> None:
    assert_type(await first(1, b="x"), Result[str])
    assert_type(await last("a"), Result[float])
    assert_type(await (await first.map([1, 2])), list[str])


async def use_redeclared() -> None:
    assert_type(await add_elsewhere(1, 2), Result[int])
    assert_type(await add_elsewhere.call_local(1, 2), int)
    assert_type(await double_elsewhere(1), Result[int])
    assert_type(double_elsewhere.call_local(1), int)


async def use_results() -> None:
    result = await add(1, 2)
    assert_type(await result.is_ready(), bool)
    assert_type(await result.get_raw_result(), int | Error | None)
    group = await add.map([(1, 2)])
    assert_type(group[0], Result[int])
    assert_type([result async for result in group.as_completed()], list[int])
    assert_type(add.s(1, 2).then(double).error(last), Task)


async def use_values() -> None:
    assert_type(await huey.put_if_empty("key", 1, ttl=5), bool)
    assert_type(await huey.get_raw("key"), bytes | None)
    assert_type(await huey.delete("key"), bool)
    assert_type(await huey.all_results(), dict[str, bytes])
    assert_type(await huey.pending(limit=3), list[Task])


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
