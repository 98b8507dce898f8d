"""Settings, questions and names of a Huey that no other page of facts has."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable
from typing import Any

import pytest

import hueyio
from hueyio import (
    CancelExecution,
    ConfigurationError,
    Huey,
    HueyException,
    MemoryHuey,
    RetryTask,
    Task,
    TaskCancelled,
    TaskException,
    TaskWrapper,
)
from hueyio.storage.memory import MemoryStorage
from tests.facts.steps import consuming, put_in_queue, run_next
from tests.support.patience import until


def declare_add(huey: Huey) -> Any:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    return add


def test_huey_needs_a_storage() -> None:
    with pytest.raises(ConfigurationError, match="needs a storage"):
        Huey("app")


@pytest.mark.parametrize("name", ["", 5, None])
def test_name_must_be_a_text(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="name must be a text that is not empty"):
        MemoryHuey(name)


@pytest.mark.parametrize("ttl", [0, -1, float("nan"), "long", True])
def test_time_to_live_of_results_is_seconds(ttl: Any) -> None:
    with pytest.raises(ConfigurationError, match="result_ttl must be seconds > 0 or None"):
        MemoryHuey("app", result_ttl=ttl)


@pytest.mark.parametrize("ttl", [0.01, None])
async def test_result_that_nobody_reads_ends_by_itself_on_every_storage(
    make_huey: Callable[..., Huey], ttl: float | None
) -> None:
    huey = make_huey(result_ttl=ttl)
    result = await declare_add(huey)(1, 2)
    assert await run_next(huey) == 3

    async def is_gone() -> bool:
        return await huey.result_count() == 0

    if ttl is None:
        assert not await is_gone()
        assert await result == 3
    else:
        await until(is_gone)
        assert await result is None
    await huey.close()


async def test_storage_class_can_be_given() -> None:
    huey = Huey("app", storage_class=MemoryStorage)
    await declare_add(huey)(1, 2)
    assert await run_next(huey) == 3


@pytest.mark.parametrize(("use_zlib", "decompress"), [(False, gzip.decompress), (True, zlib.decompress)])
async def test_compression_is_set_on_the_huey(use_zlib: bool, decompress: Callable[[bytes], bytes]) -> None:
    huey = MemoryHuey("app", compression=True, use_zlib=use_zlib)
    await huey.put("key", "value")
    data = await huey.get_raw("key", peek=True)
    assert data is not None
    assert decompress(data) == MemoryHuey().serializer.serialize("value")
    assert await huey.get("key") == "value"


async def test_wrapper_class_can_be_overridden() -> None:
    class Loud(TaskWrapper[..., Any]):
        def __repr__(self) -> str:
            return "LOUD"

    class LoudHuey(MemoryHuey):
        def get_task_wrapper_class(self) -> type[TaskWrapper[..., Any]]:
            return Loud

    huey = LoudHuey("loud")
    add = declare_add(huey)
    assert repr(add) == "LOUD"
    await add(1, 2)
    assert await run_next(huey) == 3
    assert await add.call_local(1, 2) == 3


async def test_counts_and_lists_have_their_limits(huey: Huey) -> None:
    add = declare_add(huey)
    assert bool(huey)
    for number in range(3):
        await put_in_queue(huey, add.s(number, 0))
        await add.schedule((number, 1), delay=60 + number)
    assert (await huey.pending_count(), await huey.scheduled_count(), await huey.result_count()) == (3, 3, 0)
    assert [task.args for task in await huey.pending(limit=2)] == [(0, 0), (1, 0)]
    assert [task.args for task in await huey.scheduled(limit=2)] == [(0, 1), (1, 1)]
    assert await huey.pending(0) == []
    for limit in (-1, "2", True):
        with pytest.raises(HueyException, match="limit must be a whole number"):
            await huey.pending(limit)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"await huey\.count\(\)"):
        len(huey)


async def test_all_results_are_bytes_and_stay(huey: Huey) -> None:
    result = await declare_add(huey)(1, 2)
    await run_next(huey)
    await huey.put("key", "is no result")
    for _ in range(2):
        assert await huey.all_results() == {result.id: huey.serializer.serialize([3])}
    assert await result == 3


async def test_flush_leaves_only_what_is_running(huey: Huey) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    @huey.task
    async def slow() -> str:
        started.set()
        await go_on.wait()
        return "done"

    add = declare_add(huey)
    calling = asyncio.ensure_future(slow())
    async with consuming(huey):
        await started.wait()
        await add.schedule((1, 2), delay=60)
        await huey.put("key", 1)
        await add.revoke()
        await huey.put_result("old", 1)
        await huey.flush()
        assert (await huey.scheduled_count(), await huey.result_count(), await huey.get("key")) == (0, 0, None)
        assert not await add.is_revoked()
        go_on.set()
        assert await (await calling) == "done"


async def test_flush_tells_whoever_waits(huey: Huey) -> None:
    waiting = await declare_add(huey).schedule((1, 2), delay=60)
    waiter = asyncio.ensure_future(waiting.get(blocking=True))
    await asyncio.sleep(0)
    await huey.flush()
    with pytest.raises(TaskCancelled):
        await waiter


def test_declared_options_can_be_read() -> None:
    @MemoryHuey().task(retries=2, retry_delay=3, context=True, settings={"team": "a"})
    async def work(task: Task) -> None: ...

    assert (work.retries, work.retry_delay, work.context, work.settings) == (2, 3.0, True, {"team": "a"})


def test_task_shows_its_data_and_its_key() -> None:
    task = declare_add(MemoryHuey()).s(1, b=2, id="one")
    assert (task.data, task.revoke_id) == (((1,), {"b": 2}), "r:one")
    assert repr(task) == f"<Task {task.path} one>"


async def test_receiver_is_disconnected_from_one_signal_or_from_all(huey: Huey) -> None:
    heard: list[str] = []

    async def hear(signal: str, task: Task, *args: Any) -> None:
        heard.append(signal)

    huey.signal("executing", "complete")(hear)
    add = declare_add(huey)
    await add(1, 2)
    await run_next(huey)
    huey.disconnect_signal(hear, "executing")
    await add(1, 2)
    await run_next(huey)
    huey.disconnect_signal(hear)
    await add(1, 2)
    await run_next(huey)
    assert heard == ["executing", "complete", "complete"]


def test_signal_that_does_not_exist_is_refused() -> None:
    with pytest.raises(HueyException, match=r"there is no signal 'compelte'; signals: canceled, complete, "):

        @MemoryHuey().signal("compelte")
        def hear(signal: str, task: Task) -> None: ...


async def test_receivers_of_one_signal_come_before_those_of_all(huey: Huey) -> None:
    heard: list[str] = []

    @huey.signal()
    async def any_signal(signal: str, task: Task, *args: Any) -> None:
        if signal == "complete":
            heard.append("any")

    @huey.signal("complete")
    def one_signal(signal: str, task: Task) -> None:
        heard.append("one")

    await declare_add(huey)(1, 2)
    await run_next(huey)
    assert heard == ["one", "any"]


def test_exceptions_are_of_the_families_that_huey_has() -> None:
    for name in ("ConfigurationError", "TaskLockedException", "ResultTimeout", "TaskTimeout"):
        assert issubclass(getattr(hueyio, name), HueyException)
    for kind in (CancelExecution, RetryTask, TaskException):
        assert not issubclass(kind, HueyException)
    for name in ("TaskRevoked", "TaskExpired", "TaskCancelled", "WorkerLost"):
        assert issubclass(getattr(hueyio, name), TaskException)
    assert str(TaskException()) == "unknown error"
    assert repr(hueyio.TaskLost({"error": "it is gone"})) == "TaskLost('it is gone')"
    assert str(TaskException({"error": "ValueError('no')"})) == "ValueError('no')"


async def test_error_metadata_can_be_extended(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()

    class Detailed(Huey):
        def get_storage(self, **storage_kwargs: Any) -> Any:
            return huey.storage

        def build_error_result(self, task: Task, exception: BaseException) -> dict[str, Any]:
            return {**super().build_error_result(task, exception), "who": type(exception).__name__}

    detailed = Detailed(huey.name)

    @detailed.task
    async def fail() -> None:
        raise ValueError("no")

    result = await fail()
    await run_next(detailed)
    with pytest.raises(TaskException) as caught:
        await result
    assert caught.value.metadata["who"] == "ValueError"
    assert str(caught.value) == "ValueError('no')"
    await detailed.close()


async def test_memory_is_seen_by_its_process_only(huey: Huey) -> None:
    assert huey.storage.capabilities.across_processes is not isinstance(huey, MemoryHuey)
