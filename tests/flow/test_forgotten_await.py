"""A call that nobody awaits enqueues nothing, and says so at its own line."""

from __future__ import annotations

import asyncio
import inspect
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

import hueyio
from hueyio import HueyException, MemoryHuey, NotEnqueuedWarning, Result, SqliteHuey, TaskArgumentError

huey = MemoryHuey("forgotten")


@huey.task
async def add(a: int, b: int) -> int:
    return a + b


VIEW = """
def view(add, on_commit):
    on_commit(
        lambda: add(1, 2)
    )
"""


def told(forget: Callable[[], object], action: Any = "always") -> list[warnings.WarningMessage]:
    """Return the warnings that come when a call is made and dropped."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter(action)
        forget()
    return caught


def test_warning_is_at_the_line_of_the_call_and_not_where_it_is_dropped() -> None:
    def on_commit(function: Callable[[], object]) -> None:
        function()

    for name in ("shop.py", "bill.py"):
        made: dict[str, Any] = {}
        exec(compile(VIEW, name, "exec"), made)
        (warning,) = told(lambda made=made: made["view"](add, on_commit))  # type: ignore[misc]
        assert (warning.filename, warning.lineno, warning.category) == (name, 4, NotEnqueuedWarning)
        assert str(warning.message) == f"{add.path} was called and not awaited: await it, or use add.sync(...)"


def test_warning_comes_once_for_each_place() -> None:
    def here() -> None:
        add(1, 2)  # type: ignore[unused-coroutine]

    def there() -> None:
        add(1, 2)  # type: ignore[unused-coroutine]

    caught = told(lambda: [forget() for forget in (here, there, here, there)], "default")
    assert [it.lineno for it in caught] == [here.__code__.co_firstlineno + 1, there.__code__.co_firstlineno + 1]


@pytest.mark.parametrize(
    ("call", "cure"),
    [
        (lambda: add(1, 2), "add.sync(...)"),
        (lambda: add.options(priority=None)(1, 2), "add.options(...).sync(...)"),
        (lambda: add.schedule((1, 2), delay=5), "add.sync.schedule(...)"),
        (lambda: add.map([(1, 2)]), "add.sync.map(...)"),
        (lambda: add.enqueue_in(None, 1, 2), "add.sync.enqueue_in(...)"),
        (lambda: add.options(delay=1).enqueue_in(None, 1, 2), "add.options(...).sync.enqueue_in(...)"),
        (lambda: huey.enqueue(add.s(1, 2)), "huey.sync.enqueue(...)"),
        (lambda: huey.enqueue_many([add.s(1, 2)]), "huey.sync.enqueue_many(...)"),
        (lambda: huey.enqueue_in(None, add.s(1, 2)), "huey.sync.enqueue_in(...)"),
        (lambda: huey.by_name("shop.mail.send")("ada"), "huey.sync.by_name(...)(...)"),
        (lambda: huey.enqueue_by_name(add.path, 1, 2), "huey.sync.by_name(...)(...)"),
        (lambda: huey.revoke(add.s(1, 2)), "huey.sync.revoke(...)"),
        (lambda: huey.put("key", 1), "huey.sync.put(...)"),
        (lambda: huey.result_of("id").cancel(), "huey.sync.result_of(id).cancel(...)"),
        (lambda: huey.lock_task("x").clear(), "lock.sync.clear(...)"),
        (lambda: huey.rate_limit("x", 1, per=1).reset(), "limit.sync.reset(...)"),
        (lambda: huey.schedules().remove("x"), "huey.sync.schedules().remove(...)"),
        (lambda: huey.create_consumer().start(), "huey.sync.create_consumer().start(...)"),
        (lambda: add.revoke(), "task.sync.revoke(...)"),
    ],
)
async def test_each_form_of_a_call_names_its_cure(call: Callable[[], Coroutine[Any, Any, Any]], cure: str) -> None:
    (warning,) = told(lambda: [call()].clear())
    assert str(warning.message).endswith(f"was called and not awaited: await it, or use {cure}")
    assert (warning.filename, warning.lineno) == (__file__, call.__code__.co_firstlineno)
    count = await huey.count()
    made = call()
    for use in USES:
        with pytest.raises((AttributeError, TypeError), match="no Result yet: ") as raised:
            use(made)
        assert str(raised.value).endswith(f"await it, or use {cure}")
    assert await huey.count() == count
    made.close()


USES: list[Callable[[Any], object]] = [
    lambda call: call.get(blocking=True),
    lambda call: call.id,
    lambda call: call(),
    lambda call: bool(call),
    lambda call: len(call),
    lambda call: list(call),
    lambda call: call[0],
    lambda call: pickle.dumps(call),
]


def test_call_that_is_awaited_later_or_given_up_warns_of_nothing() -> None:
    async def use() -> None:
        call = add(1, 2)
        await asyncio.sleep(0)
        assert isinstance(await call, Result)
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            await call
        add(1, 2).close()
        unstarted = asyncio.create_task(add(1, 2))
        unstarted.cancel()
        await asyncio.wait([unstarted])
        await huey.flush()

    assert told(lambda: asyncio.run(use())) == []


async def test_call_is_a_coroutine_for_whoever_takes_one() -> None:
    call = add(1, 2)
    assert isinstance(call, Coroutine)
    assert isinstance(call, Awaitable)
    assert inspect.iscoroutine(call)
    assert inspect.getcoroutinestate(call) == inspect.CORO_CREATED
    assert asyncio.iscoroutine(call)
    assert not hasattr(call, "get")
    assert repr(call) == f"<call of {add.path}: it does nothing until it is awaited>"
    task = asyncio.create_task(call)
    assert f"coro=<{add.path}() running at" in repr(task)
    made = [await task, *await asyncio.gather(add(1, 2), add(3, 4)), await asyncio.wait_for(add(5, 6), 30)]
    async with anyio.create_task_group() as group:
        group.start_soon(add, 7, 8)
    assert len({result.id for result in made}) == await huey.count() - 1 == 4
    await huey.flush()


async def test_cancelled_wait_is_cancelled_inside_of_the_call() -> None:
    held = MemoryHuey("held")
    seen: list[str] = []

    @held.around_enqueue
    @asynccontextmanager
    async def hold(calls: hueyio.Enqueue) -> AsyncIterator[None]:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("left")
        yield

    @held.task
    async def task() -> None: ...

    waiting = asyncio.create_task(task())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert seen == ["left"]


async def test_call_as_an_argument_or_a_stage_is_refused_with_the_cure() -> None:
    call = add(1, 2)
    with pytest.raises(TaskArgumentError, match="await it, and give the value"):
        add(call, 3)  # type: ignore[arg-type, unused-coroutine]
    call.close()
    with pytest.raises(HueyException, match=r"not enqueued yet: add\.s\(1\), not add\(1\)"):
        add.s(1, 2).then(add(3, 4))  # type: ignore[arg-type]


TEST = """
import hueyio

huey = hueyio.MemoryHuey()

@huey.task
def add(a, b):
    return a + b

def test_view():
    add(1, 2)
"""


def test_test_can_turn_the_warning_into_an_error(tmp_path: Path) -> None:
    (tmp_path / "test_view.py").write_text(TEST)
    filters = ["-W", "error::hueyio.NotEnqueuedWarning", "-W", "error::pytest.PytestUnraisableExceptionWarning"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *filters, "test_view.py"]
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "NotEnqueuedWarning: test_view.add was called and not awaited" in done.stdout


def test_consumer_that_is_started_without_a_loop_says_what_to_write(tmp_path: Path) -> None:
    consumer = SqliteHuey("app", filename=tmp_path / "app.db").create_consumer()
    with pytest.raises(HueyException, match=r"awaited on a running event loop; in code that blocks use huey\.sync\."):
        consumer.start()  # type: ignore[unused-coroutine]
    assert inspect.iscoroutinefunction(hueyio.Consumer.start) == inspect.iscoroutinefunction(add)
