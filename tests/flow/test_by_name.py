"""Calls of tasks that another program declares, by their full names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hueyio import (
    ConfigurationError,
    Enqueue,
    HueyException,
    MemoryHuey,
    SqliteHuey,
    TaskArgumentError,
    UnknownTaskError,
)

NAME = f"{__name__}.keep"


class Programs:
    """Two Hueys on one file: one that has no tasks, and one with those of the worker."""

    def __init__(self, file: str) -> None:
        self.caller = SqliteHuey("names", filename=file, propagate=("trace",))
        self.worker = SqliteHuey("names", filename=file)

        @self.worker.task(name="keep", retries=0)
        def keep(*args: Any, **_given: Any) -> list[Any]:
            return [list(args), _given]


@pytest.fixture
async def programs(tmp_path: Any) -> AsyncIterator[Programs]:
    made = Programs(str(tmp_path / "names.db"))
    async with made.caller, made.worker:
        yield made


async def test_call_by_name_passes_on_all_that_it_is_given(programs: Programs) -> None:
    huey = programs.caller
    given = {"id": "7", "timeout": 3, "name": "ada", "self": 1, "delay": 5, "args": (), "huey": None}
    async with programs.worker.create_consumer():
        assert await (await huey.enqueue_by_name(NAME, 1, [2], **given)) == [[1, [2]], given]
        assert await (await huey.by_name(NAME)(**given)) == [[], given]
        assert await asyncio.to_thread(call_blocking, huey) == [[[1], {"id": "7"}], [[2], {}]]


def call_blocking(huey: SqliteHuey) -> list[Any]:
    calls = huey.sync.enqueue_by_name(NAME, 1, id="7"), huey.by_name(NAME).options(retries=1).sync(2)
    values = [call.get(timeout=30) for call in calls]
    huey.sync.close()
    return values


async def test_options_of_a_call_by_name_travel_with_it(programs: Programs) -> None:
    huey = programs.caller
    later = datetime.now(UTC) + timedelta(hours=1)
    task = huey.by_name(NAME).options(id="7", retries=2, priority=3).options(timeout=5, headers={"trace": "1"})
    result = await task.options(eta=later)("x", id="8")
    (scheduled,) = await programs.worker.scheduled()
    assert (scheduled.id, scheduled.args, scheduled.kwargs, scheduled.eta) == ("7", ("x",), {"id": "8"}, later)
    assert (scheduled.retries, scheduled.priority, scheduled.timeout) == (2, 3, 5)
    assert scheduled.headers == {"trace": "1"}
    assert await result.status() == "scheduled"
    delayed = await huey.by_name(NAME).options(delay=3600)()
    assert await delayed.status() == "scheduled"
    mistakes: list[dict[str, Any]] = [{"dealy": 5}, {"retries": "3"}, {"id": ""}]
    for wrong in mistakes:
        with pytest.raises(ConfigurationError):
            await huey.by_name(NAME).options(**wrong)()


async def test_call_by_name_is_unique_by_a_key_that_is_given(programs: Programs) -> None:
    task = programs.caller.by_name(NAME)
    first = await task.options(unique="skip", unique_key="one")(1)
    assert (await task.options(unique_key=lambda x: "one")(2)).id == first.id
    with pytest.raises(ConfigurationError, match="unique_key="):
        await task.options(unique="skip")(3)


async def test_call_by_name_goes_through_middleware(programs: Programs) -> None:
    seen = []

    @programs.caller.around_enqueue
    @asynccontextmanager
    async def stamp(calls: Enqueue) -> AsyncIterator[None]:
        for task in calls.tasks:
            seen.append(task.path)
            task.headers["trace"] = "2"
        yield

    await programs.caller.enqueue_by_name(NAME, 1)
    (pending,) = await programs.worker.pending()
    assert (seen, pending.headers) == ([NAME], {"trace": "2"})


async def test_call_by_name_is_checked_where_the_task_is_declared(programs: Programs) -> None:
    huey = programs.caller

    @huey.task(name="keep", retries=4)
    def stub(number: int) -> None: ...

    with pytest.raises(TaskArgumentError, match="missing a required argument: 'number'"):
        await huey.enqueue_by_name(NAME, numbr=1)
    await huey.enqueue_by_name(NAME, number=1)
    (pending,) = await programs.worker.pending()
    assert (pending.kwargs, pending.retries) == ({"number": 1}, 4)


async def test_what_cannot_be_called_by_name_is_refused() -> None:
    memory: Any = MemoryHuey("names")
    for wrong in ("", None, 5, "a\ud800"):
        with pytest.raises(ConfigurationError, match="name"):
            memory.by_name(wrong)
    with pytest.raises(TaskArgumentError, match="argument 'lock' cannot be serialised"):
        await memory.enqueue_by_name(NAME, lock=lambda: 1)
    assert repr(memory.by_name(NAME)) == f"<NamedTask {NAME}>"


async def test_immediate_mode_says_that_nothing_runs_what_is_not_declared() -> None:
    memory = MemoryHuey("names", immediate=True)
    with pytest.raises(UnknownTaskError, match="immediate mode"):
        await memory.enqueue_by_name(NAME)

    @memory.task(name="keep")
    def keep() -> int:
        return 1

    assert await (await memory.enqueue_by_name(NAME)) == 1
    with pytest.raises(HueyException, match="by_name"):
        memory.sync.enqueue_by_name(NAME)
