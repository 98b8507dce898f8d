"""One program prints the same in immediate mode and on every storage that there is a class for."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import hueyio
from hueyio import Error, Huey, PostgresHuey, RetryTask, Task, TaskException, chord, crontab, group
from tests.conftest import POSTGRES_KINDS, SERVER_KINDS, ServerOf
from tests.support.shared_postgres import own_database

_DISCARDS = {"Huey", "BlackHoleHuey"}
_CLASSES = [name for name in hueyio.__all__ if name.endswith("Huey") and name not in _DISCARDS]


async def run_program(huey: Huey) -> list[str]:
    """Declare tasks, use them in every way, and return the lines that this prints."""
    lines: list[str] = []

    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    @huey.task
    def divide(a: int, b: int = 1) -> float:
        return a / b

    @huey.task
    async def split(text: str) -> tuple[int, int]:
        first, second = text.split()
        return int(first), int(second)

    @huey.task
    async def name_them(*args: int) -> dict[str, int]:
        return dict(zip("ab", args, strict=True))

    @huey.task(context=True, retries=2)
    async def third_time(task: Task) -> str:
        if task.attempt < 2:
            raise ValueError(f"attempt {task.attempt}")
        return f"attempt {task.attempt}"

    @huey.task(context=True)
    def ask_again(task: Task, limit: int) -> int:
        if task.attempt < limit:
            raise RetryTask
        return task.attempt

    @huey.task
    async def nothing() -> None: ...

    @huey.task
    async def tell(who: str, error: Exception) -> str:
        return f"{who}: {error!r}"

    @huey.task
    async def report(values: list[Any]) -> str:
        return " ".join(value.metadata["error"] if isinstance(value, Error) else str(value) for value in values)

    @huey.task(context=True)
    async def walk(task: Task, steps: int) -> int:
        for step in range(1, steps + 1):
            await task.progress(step / steps, f"step {step}")
        return steps

    @huey.task
    def exclusive() -> str:
        with huey.lock_task("one") as lock:
            return lock.name

    @huey.task
    @huey.lock_task("two")
    async def reenter() -> None:
        async with huey.lock_task("two"):
            raise AssertionError("a lock is not reentrant")

    ticks: list[str] = []

    @huey.periodic_task(crontab(minute="30"))
    async def tick() -> str:
        ticks.append("tick")
        return "is not stored"

    async def show(title: str, result: Any) -> None:
        try:
            value = await result
        except TaskException as error:
            value = f"{type(error).__name__}({error})"
        status = f" {await result.status()}" if hasattr(result, "status") else ""
        lines.append(f"{title}: {value}{status}")

    await show("async", await add(1, 2))
    await show("sync", await divide(1, b=2))
    await show("none", await nothing())
    await show("map", await add.map([(1, 1), (2, 2), (3, 3)]))
    await show("many", await huey.enqueue_many([add.s(1, 1), divide.s(3), add.s(1, 2).then(add, 3)]))
    await show("pipeline", await huey.enqueue(split.s("6 4").then(add).then(add, 10)))
    await show("dict", await huey.enqueue(split.s("6 4").then(name_them).then(divide)))
    await show("retry", await third_time())
    await show("asked", await ask_again(3))
    await show("failure", await divide(1, 0))
    broken = await huey.enqueue(add.s(1, 2).then(divide, 1).then(divide, b=0).then(add, 1))
    for position, result in enumerate(broken):
        await show(f"broken {position}", result)
    await show("expired", await add.options(expires=0)(1, 2))
    handled = await huey.enqueue(divide.s(1, 0).error(tell, "handler"))
    await show("handled", handled)
    await show("handler", huey.result_of(f"{handled.id}:e0"))
    await add.revoke(revoke_once=True)
    await show("revoked", await add(1, 2))
    await show("restored", await add(1, 2))
    await huey.put("key", [1])
    lines.append(f"values: {await huey.get('key', peek=True)} {await huey.get('key')} {await huey.get('key')}")
    later = await add.schedule((1, 2), delay=600)
    lines.append(f"later: {await later.get()} {await later.status()} {[task.args for task in await huey.scheduled()]}")
    ready = await add(2, 2)
    await ready.get(blocking=True, preserve=True)
    lines.append(f"ready: {await ready.is_ready()} {await ready.get()} {await later.is_ready()}")
    total = 0
    async for value in (await add.map([(n, n) for n in range(10)])).as_completed():
        total += value
    lines.append(f"completed: {total}")
    await show("group", await huey.enqueue(group([add.s(1, 1), divide.s(1), nothing.s()])))
    revoked = add.s(1, 1)
    await huey.revoke(revoked)
    members = [add.s(1, 1).then(add, 10), third_time.s(), nothing.s(), divide.s(1, 0), revoked]
    await show("chord", await huey.enqueue(chord(members, report)))
    inner = chord([add.s(1, 1), add.s(2, 2)], report)
    await show("nested", await huey.enqueue(chord([inner, add.s(3, 3)], report).then(tell, "then")))
    await show("empty", await huey.enqueue(chord([], report)))
    lines.append(f"latches: {(await huey.counts()).latches}")
    await show("lock", await exclusive())
    await show("reentered", await reenter())
    lines.append(f"locked: {await huey.is_locked('one')} {await huey.is_locked('two')}")
    due = [datetime(2030, 1, 1, 12, minute, tzinfo=UTC) for minute in (29, 30)]
    for task in [task for moment in due for task in huey.read_periodic(moment)]:
        await show("periodic", await huey.enqueue(task))
    lines.append(f"ticks: {ticks}")
    walked = await walk(3)
    await show("progress", walked)
    lines.append(f"updates: {[update async for update in walked.updates()]}")
    return lines


EXPECTED = [
    "async: 3 done",
    "sync: 0.5 done",
    "none: None done",
    "map: [2, 4, 6]",
    "many: [2, 3.0, 6]",
    "pipeline: [(6, 4), 10, 20]",
    "dict: [(6, 4), {'a': 6, 'b': 4}, 1.5]",
    "retry: attempt 2 done",
    "asked: 3 done",
    "failure: TaskException(ZeroDivisionError('division by zero')) failed",
    "broken 0: 3 done",
    "broken 1: 0.3333333333333333 done",
    "broken 2: TaskException(ZeroDivisionError('float division by zero')) failed",
    "broken 3: TaskException(ZeroDivisionError('float division by zero')) failed",
    "expired: TaskExpired(TaskExpired) expired",
    "handled: TaskException(ZeroDivisionError('division by zero')) failed",
    "handler: handler: ZeroDivisionError('division by zero') done",
    "revoked: TaskRevoked(TaskRevoked) cancelled",
    "restored: 3 done",
    "values: [1] [1] None",
    "later: None scheduled [(1, 2)]",
    "ready: True 4 False",
    "completed: 90",
    "group: [2, 1.0, None]",
    "chord: 12 attempt 2 None ZeroDivisionError('division by zero') SKIPPED",
    "nested: 2 4 6",
    "empty: ",
    "latches: 0",
    "lock: one done",
    "reentered: TaskException(TaskLockedException('unable to acquire lock two')) failed",
    "locked: False False",
    "periodic: None done",
    "ticks: ['tick']",
    "progress: 3 done",
    "updates: []",
]


def make(kind: str, folder: Path, url: str, **options: Any) -> Huey:
    name = uuid.uuid4().hex
    if "Redis" in kind:
        return getattr(hueyio, kind)(name, url=url, **options)  # type: ignore[no-any-return]
    if kind == "PostgresHuey":
        return PostgresHuey(name, own_database(POSTGRES_KINDS[0]), **options)
    where = {"SqliteHuey": {"filename": str(folder / "app.db")}, "FileHuey": {"path": str(folder / "files")}}
    return getattr(hueyio, kind)(name, **where.get(kind, {}), **options)  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", ["MemoryHuey", "SqliteHuey", "RedisHuey"])
async def test_program_prints_what_it_should_in_immediate_mode(kind: str, tmp_path: Path, server_of: ServerOf) -> None:
    """Those that are no memory use their own storage."""
    url = server_of(SERVER_KINDS[0]).url if "Redis" in kind else ""
    async with make(kind, tmp_path, url, immediate=True, immediate_use_memory=kind == "MemoryHuey") as huey:
        assert await run_program(huey) == expected(kind)


def expected(kind: str) -> list[str]:
    """Reading leaves values where results stay for a time."""
    return [line.replace("[1] None", "[1] [1]") if "Expire" in kind else line for line in EXPECTED]


@pytest.mark.parametrize("kind", _CLASSES)
async def test_program_prints_the_same_on_every_storage(kind: str, tmp_path: Path, server_of: ServerOf) -> None:
    for server in SERVER_KINDS if "Redis" in kind else ["none"]:
        huey = make(kind, tmp_path, server_of(server).url if "Redis" in kind else "")
        async with huey, huey.create_consumer():
            assert await run_program(huey) == expected(kind)
