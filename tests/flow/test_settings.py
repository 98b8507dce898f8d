"""Settings of a Huey that are changed later, and options of a call that take back what was declared."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from pathlib import Path
from typing import Any

import pytest

from hueyio import (
    ConfigurationError,
    Huey,
    HueyException,
    JSONSerializer,
    MemoryHuey,
    RedisExpireHuey,
    SqliteHuey,
    Task,
    TaskException,
)
from tests.conftest import SERVER_KINDS, ServerOf


async def test_setting_that_is_changed_later_is_heeded() -> None:
    huey = MemoryHuey("settings", immediate=True, results=False, store_none=True)
    assert (huey.results, huey.store_none, huey.raise_errors) == (False, True, False)

    @huey.task
    async def nothing(value: Any = None) -> Any:
        return value

    @huey.task
    async def fail() -> None:
        raise ValueError("no")

    assert await nothing() is None
    huey.results = True
    assert await (await nothing(5)) == 5
    await nothing()
    assert await huey.result_count() == 1
    huey.store_none = False
    await nothing()
    assert await huey.result_count() == 1
    huey.raise_errors = True
    with pytest.raises(ValueError, match="no"):
        await fail()
    huey.serializer = JSONSerializer()
    await huey.put("key", [1])
    assert await huey.get_raw("key", peek=True) == b"[1]"
    assert await (await nothing([1])) == [1]
    huey.result_ttl, huey.max_put_back_age, huey.store_intermediate_errors = 60, 5.0, False
    assert (huey.result_ttl, huey.max_put_back_age, huey.store_intermediate_errors) == (60, 5.0, False)


async def test_memory_of_immediate_mode_can_be_switched_before_and_in_it(tmp_path: Path) -> None:
    huey = SqliteHuey("settings", filename=tmp_path / "q.db")
    await huey.put("key", 1)
    huey.immediate_use_memory = False
    huey.immediate = True
    assert await huey.get("key", peek=True) == 1
    huey.immediate_use_memory = True
    assert (huey.immediate, await huey.get("key", peek=True)) == (True, None)
    huey.immediate = False
    assert await huey.get("key", peek=True) == 1
    await huey.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("results", "no"),
        ("store_none", 1),
        ("store_intermediate_errors", None),
        ("raise_errors", "x"),
        ("immediate_use_memory", "x"),
        ("immediate", "x"),
        ("result_ttl", 0),
        ("max_put_back_age", -1),
        ("serializer", "json"),
        ("name", "other"),
        ("utc", False),
        ("storage", None),
        ("propagate", ()),
    ],
)
def test_setting_that_cannot_be_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises((ConfigurationError, AttributeError), match=name):
        setattr(MemoryHuey(), name, value)


async def test_settings_of_a_task_belong_to_its_declaration() -> None:
    huey = MemoryHuey("settings", immediate=True)

    @huey.task(context=True, settings={"team": "billing"})
    async def work(task: Task) -> dict[str, Any]:
        return dict(task.settings)

    task: Any = work.s()
    assert (task.settings, task.team) == ({"team": "billing"}, "billing")
    with pytest.raises(AttributeError, match="settings"):
        task.settings = {"team": "other"}
    assert await (await huey.enqueue(task)) == {"team": "billing"}


@pytest.mark.parametrize("kind", ["async", "def"])
async def test_call_takes_back_what_was_declared(kind: str) -> None:
    huey = MemoryHuey("settings")
    go_on = threading.Event()

    async def wait_async() -> str:
        await asyncio.to_thread(go_on.wait)
        return "done"

    def wait_sync() -> str:
        go_on.wait()
        return "done"

    wait: Any = huey.task(name="wait", timeout=0.01, expires=1, deadline=5, priority=3, retries=2)(
        wait_async if kind == "async" else wait_sync
    )
    taken_back: dict[str, Any] = {
        "timeout": 0,
        "expires": math.inf,
        "deadline": math.inf,
        "priority": 0,
        "retries": 0,
    }
    task = wait.options(**taken_back).s()
    assert (task.timeout, task.expires, task.deadline, task.priority, task.retries) == (None, None, None, 0, 0)
    assert wait.s(timeout=0, expires=math.inf).timeout is None
    async with huey, huey.create_consumer(threads=1):
        fails = await wait.options(retries=0)()
        with pytest.raises(TaskException, match="longer than"):
            await fails
        result = await huey.enqueue(task)
        go_on.set()
        assert await result == "done"


async def test_timeout_of_zero_is_no_limit_at_the_declaration() -> None:
    huey = MemoryHuey("settings", immediate=True)

    @huey.task(timeout=0)
    async def work() -> str:
        await asyncio.sleep(0)
        return "done"

    assert work.s().timeout is None
    assert await (await work()) == "done"


async def test_hook_runs_in_each_thread_before_its_first_body(caplog: pytest.LogCaptureFixture) -> None:
    for huey in (MemoryHuey("threads"), MemoryHuey("threads", immediate=True)):
        local = threading.local()
        both = threading.Barrier(2)

        @huey.on_thread_startup()
        def connect(local: threading.local = local) -> None:
            local.connection = threading.get_ident()

        @huey.on_thread_startup()
        def fail() -> None:
            raise ValueError("no connection")

        @huey.task
        def read(local: threading.local = local, both: threading.Barrier = both) -> bool:
            both.wait()
            return bool(local.connection == threading.get_ident())

        with caplog.at_level(logging.CRITICAL, "hueyio.hooks"):
            if huey.immediate:
                first, second = await asyncio.gather(read(), read())
                assert [await first, await second] == [True, True]
            else:
                async with huey, huey.create_consumer():
                    assert await (await read.map([(), ()])) == [True, True]
        assert [huey.unregister_on_thread_startup(connect), huey.unregister_on_thread_startup("x")] == [True, False]
        with pytest.raises(HueyException, match="must be plain"):
            huey.on_thread_startup("late")(test_timeout_of_zero_is_no_limit_at_the_declaration)


async def test_value_stays_where_results_stay(server_of: ServerOf) -> None:
    huey: Huey = RedisExpireHuey("expiring", url=server_of(SERVER_KINDS[0]).url)
    await huey.put("key", 1)
    assert [await huey.get("key"), await huey.get("key")] == [1, 1]
    assert await huey.delete("key")
    await huey.close()
