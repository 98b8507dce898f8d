"""What is not there is not success: every answer says which way a task ended, on every storage."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hueyio import (
    FileHuey,
    Huey,
    HueyException,
    MemoryHuey,
    Result,
    ResultExpired,
    ResultTimeout,
    TaskCancelled,
    TaskException,
    TaskExpired,
    TaskLost,
    TaskRevoked,
    chord,
)
from hueyio.core import core_of
from hueyio.handles.status import absence_of
from tests.conftest import EACH_STORAGE, ServerOf
from tests.flow.conftest import maker
from tests.support.patience import until

Make = Callable[..., Huey]


@pytest.fixture(params=["memory", "file", *EACH_STORAGE])
def make_huey(request: pytest.FixtureRequest, tmp_path: Path, server_of: ServerOf) -> Make:
    if request.param == "file":
        return partial(FileHuey, "flow", str(tmp_path / "queue"))
    return maker(request.param, tmp_path, server_of)


@asynccontextmanager
async def serving(huey: Huey) -> AsyncIterator[Any]:
    """Have a consumer run the one task that these tests call; close the Huey at the end."""

    @huey.task
    async def give(value: Any = None, fails: bool = False) -> Any:
        if fails:
            raise ValueError("no such address")
        return value

    try:
        async with huey.create_consumer():
            yield give
    finally:
        await huey.close()


async def ended(huey: Huey, id: str) -> None:
    """Wait for the end of a task and read nothing."""
    await until(huey.result_of(id).is_ready)


async def test_task_that_returned_none_is_done_and_ready_and_awaited_it_is_none(make_huey: Make) -> None:
    huey = make_huey()
    async with serving(huey) as give:
        id = (await give()).id
        await ended(huey, id)
        assert await huey.result_of(id).status() == "done"
        assert await huey.result_of(id).is_ready()
        assert await huey.result_of(id) is None
        assert await huey.result(id, blocking=True, timeout=10) is None
        assert await huey.result(id, blocking=True, timeout=0) is None
        assert await huey.result(id) is None


async def test_status_stays_when_value_and_error_were_read(make_huey: Make) -> None:
    huey = make_huey()
    async with serving(huey) as give:
        good, bad = (await give("sent")).id, (await give(fails=True)).id
        await ended(huey, good)
        await ended(huey, bad)
        assert [await huey.result_of(id).status() for id in (good, bad)] == ["done", "failed"]
        assert await huey.result(good) == "sent"
        with pytest.raises(TaskException, match="no such address"):
            await huey.result(bad)
        assert [await huey.result_of(id).status() for id in (good, bad)] == ["done", "failed"]
        assert [await huey.result_of(id).is_ready() for id in (good, bad)] == [True, True]
        assert await huey.result(good, blocking=True) is None
        for timeout in (None, 10, 0):
            with pytest.raises(TaskException, match="its error is not stored") as caught:
                await huey.result(bad, blocking=True, timeout=timeout)
            assert type(caught.value) is TaskException
            assert caught.value.metadata["task_id"] == bad


async def test_status_stays_when_the_value_has_expired(make_huey: Make) -> None:
    huey = make_huey(result_ttl=0.05)
    async with serving(huey) as give:
        good, bad = (await give("sent")).id, (await give(fails=True)).id

        async def are_over() -> bool:
            return all([await huey.result_of(id).is_ready() for id in (good, bad)]) and not await huey.result_count()

        await until(are_over)
        assert [await huey.result_of(id).status() for id in (good, bad)] == ["done", "failed"]
        assert await huey.result(good, blocking=True) is None
        with pytest.raises(TaskException):
            await huey.result(bad, blocking=True)


async def test_failure_is_a_failure_also_when_results_are_switched_off(make_huey: Make) -> None:
    huey = make_huey(results=False)
    async with serving(huey) as give:
        task = give.s(fails=True)
        await huey.enqueue(task)
        await ended(huey, task.id)
        assert await huey.result_of(task.id).status() == "failed"
        with pytest.raises(TaskException, match="it failed"):
            await huey.result(task.id, blocking=True)


@pytest.mark.parametrize(
    ("way", "status", "error"),
    [
        ("expired", "expired", TaskExpired),
        ("cancelled", "cancelled", TaskCancelled),
        ("revoked", "cancelled", TaskRevoked),
    ],
)
async def test_way_of_an_end_without_a_run_is_known_before_and_after_it_was_read(
    make_huey: Make, way: str, status: str, error: type[TaskException]
) -> None:
    huey = make_huey()

    @huey.task
    async def give(value: int) -> int:
        return value

    result = await give.options(expires=0 if way == "expired" else None)(1)
    if way == "cancelled":
        assert await result.cancel()
    elif way == "revoked":
        await result.revoke()
    async with huey.create_consumer():
        await ended(huey, result.id)
        assert await huey.result_of(result.id).status() == status
        with pytest.raises(error):
            await huey.result(result.id)
        assert await huey.result_of(result.id).status() == status
        with pytest.raises(error, match="its error is not stored"):
            await huey.result(result.id, blocking=True)
    await huey.close()


async def test_unknown_id_is_unknown_and_never_success(make_huey: Make) -> None:
    huey = make_huey()
    async with serving(huey):
        result = huey.result_of("no-such-id")
        assert await result.status() == "unknown"
        assert await result.is_ready() is False
        assert await result.get() is None
        for wait in (result, result.get(blocking=True), result.get_raw_result(blocking=True)):
            with pytest.raises(HueyException, match="nothing is known of task no-such-id") as caught:
                await wait
            assert not isinstance(caught.value, ResultTimeout)
        for timeout in (0, 0.05):
            with pytest.raises(ResultTimeout):
                await result.get(blocking=True, timeout=timeout)


async def test_wait_with_a_timeout_gets_what_is_enqueued_only_later(make_huey: Make) -> None:
    huey = make_huey()
    async with serving(huey) as give:
        waiting = asyncio.create_task(huey.result("soon", blocking=True, timeout=60))
        await asyncio.sleep(0)
        await give.options(id="soon")("here")
        assert await waiting == "here"


def test_blocking_forms_say_the_same(make_huey: Make) -> None:
    huey = make_huey()
    result = huey.sync.result_of("no-such-id")
    assert (result.status(), result.is_ready(), result.get()) == ("unknown", False, None)
    with pytest.raises(HueyException, match="nothing is known"):
        result.get(blocking=True)
    with pytest.raises(HueyException, match="nothing is known"):
        huey.sync.result("no-such-id", blocking=True)
    with pytest.raises(ResultTimeout):
        result.get(timeout=0.01)
    huey.sync.close()


@pytest.mark.parametrize("options", [{}, {"immediate_use_memory": False}])
async def test_immediate_mode_says_the_same(make_huey: Make, options: dict[str, Any]) -> None:
    huey = make_huey(immediate=True, **options)

    @huey.task
    async def give(value: Any = None, fails: bool = False) -> Any:
        if fails:
            raise ValueError("no such address")
        return value

    good, bad, none = (await give(1)).id, (await give(fails=True)).id, (await give()).id
    for _ in range(2):
        assert [await huey.result_of(id).status() for id in (good, bad, none)] == ["done", "failed", "done"]
        assert await huey.result(none, blocking=True) is None
        with pytest.raises(TaskException):
            await huey.result(bad, blocking=True)
        await huey.result(good)
    assert await huey.result_of("no-such-id").status() == "unknown"
    with pytest.raises(HueyException, match="nothing is known"):
        await huey.result_of("no-such-id")
    with pytest.raises(ResultTimeout):
        await huey.result("no-such-id", blocking=True, timeout=0.01)
    await huey.close()


async def test_unique_holder_and_later_stages_are_no_bare_ids(make_huey: Make) -> None:
    """The storage had them when it answered, so they are awaited."""
    huey = make_huey()

    @huey.task(unique="skip", name="only")
    async def only() -> int:
        return 1

    first, second = await only(), await only()
    assert first.id == second.id
    async with serving(huey) as give:
        stages = await huey.enqueue(give.s(1).then(give).then(give))
        assert await stages[2].status() in ("waiting", "ready", "running", "done")
        assert await stages == [1, 1, 1]
        assert await second == 1
        made = await huey.enqueue(chord([give.s(1), give.s(2)], give.s()))
        assert await made == [1, 2]


# --- a storage that has lost a task


READS: list[Callable[[Any], Any]] = [
    lambda result: result.get(blocking=True),
    lambda result: result.get(blocking=True, timeout=60),
    lambda result: result.get(blocking=True, timeout=0),
    lambda result: result.get_raw_result(blocking=True),
]


async def test_acknowledged_task_that_is_unknown_is_lost(make_huey: Make) -> None:
    huey, empty = make_huey(), MemoryHuey()
    give = huey.task(name="give")(lambda value: value)
    async with joined(huey, empty):
        results = [await give(1), *(await huey.enqueue(give.s(1).then(give))), (await give.map([1]))[0]]
        core_of(huey).use_storage(empty.storage)  # as if it had been exchanged
        for result in results:
            for read in READS:
                with pytest.raises(TaskLost, match=result.id) as caught:
                    await read(result)
                assert isinstance(caught.value, TaskException)
                assert caught.value.metadata["task_id"] == result.id
            assert (await result.status(), await result.is_ready(), await result.get()) == ("unknown", False, None)
        core_of(huey).use_storage(None)


async def test_bare_id_that_was_seen_alive_and_is_unknown_is_lost(make_huey: Make) -> None:
    huey, empty = make_huey(), MemoryHuey()
    give = huey.task(name="give")(lambda value: value)
    async with joined(huey, empty):
        result = huey.result_of((await give(1)).id)
        assert await result.status() == "ready"
        core_of(huey).use_storage(empty.storage)
        for read in READS:
            with pytest.raises(TaskLost):
                await read(result)
        core_of(huey).use_storage(None)


def test_blocking_read_of_a_lost_task_raises_the_same(make_huey: Make) -> None:
    huey, empty = make_huey(), MemoryHuey()
    give = huey.task(name="give")(lambda value: value)
    result = give.sync(1)
    core_of(huey).use_storage(empty.storage)
    with pytest.raises(TaskLost):
        result.get(blocking=True)
    with pytest.raises(TaskLost):
        result.get(timeout=60)
    core_of(huey).use_storage(None)
    huey.sync.close()


async def test_parent_that_awaits_a_lost_child_fails_by_it() -> None:
    huey, empty = MemoryHuey(), MemoryHuey()
    child = huey.task(name="child")(lambda: 1)

    @huey.task
    async def parent() -> Any:
        lost = Result[Any](huey._producer, "never-was", time.time())
        return await lost

    async with joined(huey, empty), huey.create_consumer():
        with pytest.raises(TaskException, match="is lost"):
            await (await parent())
        assert await (await child()) == 1


@pytest.mark.parametrize(
    ("id", "seen_at", "since", "error"),
    [
        ("x", 100.0, None, TaskLost),
        ("x", 100.0, 99.0, TaskLost),
        ("x", 100.0, 100.0, ResultExpired),
        ("x", None, None, HueyException),
        ("x", None, 1.0, HueyException),
        ("00000000-03e8-7000-8000-000000000000", None, 2.0, ResultExpired),
        ("00000000-03e8-7000-8000-000000000000", None, 0.5, HueyException),
        ("00000000-03e8-7000-8000-000000000000", None, None, HueyException),
        ("00000000-03e8-4000-8000-000000000000", None, 2.0, HueyException),
        ("00000000-03e8-7000-8000-000000000000", 3.0, 2.0, TaskLost),
    ],
)
def test_what_is_older_than_what_is_remembered_is_expired_and_never_lost(
    id: str, seen_at: float | None, since: float | None, error: type[Exception]
) -> None:
    assert type(absence_of(id, "here", seen_at, since)) is error


async def test_task_of_which_nothing_is_remembered_has_expired(make_huey: Make) -> None:
    """Without tombstones a value that was read leaves nothing: whether it ever was cannot be said."""
    huey = make_huey(keep_ended=0, keep_history=0)
    async with serving(huey) as give:
        result = await give(1)
        assert await result == 1
        assert await huey.result_of(result.id).status() == "unknown"
        with pytest.raises(ResultExpired):
            await huey.result_of(result.id)


@asynccontextmanager
async def joined(*hueys: Huey) -> AsyncIterator[None]:
    """Close them at the end."""
    try:
        yield
    finally:
        for huey in hueys:
            await huey.close()
