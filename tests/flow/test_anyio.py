"""anyio in tasks: its task groups on the loop, its ``from_thread`` in all threads that run code of tasks."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
import threading
from typing import Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
import pytest

from hueyio import Huey, MemoryHuey, Task, TaskException


@pytest.fixture
def huey() -> Huey:
    return MemoryHuey("anyio")


@pytest.fixture
def at_once() -> Huey:
    return MemoryHuey("at once", immediate=True)


async def running_loop() -> int:
    await anyio.lowlevel.checkpoint()
    return id(asyncio.get_running_loop())


def running_loop_sync() -> int:
    return id(asyncio.get_running_loop())


def look() -> tuple[int, int]:
    """Ask the loop from a thread."""
    anyio.from_thread.check_cancelled()
    return anyio.from_thread.run(running_loop), anyio.from_thread.run_sync(running_loop_sync)


async def test_body_in_a_thread_runs_functions_on_the_loop(huey: Huey) -> None:
    @huey.task
    def ask() -> list[int]:
        return list(look())

    async with huey, huey.create_consumer(lease=5.0):
        assert await (await ask()) == [running_loop_sync()] * 2


async def test_task_of_coroutines_uses_task_groups_scopes_and_threads(huey: Huey) -> None:
    @huey.task
    async def gather() -> list[Any]:
        found: list[Any] = []

        async def add(value: int) -> None:
            await anyio.lowlevel.checkpoint()
            found.append(value)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(add, 1)
            tasks.start_soon(add, 2)
        with anyio.move_on_after(0.01) as scope:
            await anyio.sleep_forever()
        # A worker thread of anyio's own, in which ours are unknown.
        same = await anyio.to_thread.run_sync(look) == (running_loop_sync(),) * 2
        return [*sorted(found), scope.cancelled_caught, same]

    async with huey, huey.create_consumer(lease=5.0):
        assert await (await gather()) == [1, 2, True, True]


async def test_timeout_of_a_task_ends_its_task_group(huey: Huey) -> None:
    ended: list[str] = []

    @huey.task(timeout=0.2)
    async def stay() -> None:
        async def child() -> None:
            try:
                await anyio.sleep_forever()
            finally:
                ended.append("child")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(child)
            await anyio.sleep_forever()

    async with huey, huey.create_consumer(lease=5.0):
        with pytest.raises(TaskException, match="ran longer"):
            await (await stay())
    assert ended == ["child"]


async def test_function_on_the_loop_enqueues_another_task_and_waits_for_it(huey: Huey) -> None:
    @huey.task
    def inner() -> list[int]:
        return list(look())

    @huey.task
    def outer() -> list[int]:
        async def ask() -> list[int]:
            return await (await inner())

        return anyio.from_thread.run(ask)

    async with huey, huey.create_consumer(lease=5.0):
        assert await (await outer()) == [running_loop_sync()] * 2


@pytest.mark.parametrize("in_thread", [True, False])
async def test_hook_in_a_thread_runs_functions_on_the_loop(huey: Huey, in_thread: bool) -> None:
    seen: list[tuple[int, int]] = []

    def body() -> None: ...

    async def coroutine_body() -> None: ...

    work = huey.task(name="work")(body if in_thread else coroutine_body)

    @huey.pre_execute()
    def before(task: Task) -> None:
        seen.append(look())

    @huey.post_execute()
    def after(task: Task, value: Any, error: Any) -> None:
        seen.append(look())

    @huey.on_startup()
    def start() -> None:
        seen.append(look())

    @huey.signal("complete")
    def receive(signal: str, task: Task) -> None:
        seen.append(look())

    async with huey, huey.create_consumer(lease=5.0):
        await (await work())
    assert seen == [(running_loop_sync(),) * 2] * 4


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(3), asyncio.CancelledError()])
async def test_error_on_the_loop_is_the_failure_of_the_task_alone(huey: Huey, error: BaseException) -> None:

    async def fail() -> None:
        raise error

    def fail_sync() -> None:
        raise error

    @huey.task
    def ask(sync: bool) -> None:
        if sync:
            anyio.from_thread.run_sync(fail_sync)
        anyio.from_thread.run(fail)

    async with huey, huey.create_consumer(lease=5.0):
        for sync in (False, True):
            with pytest.raises(TaskException, match=r"broken|SystemExit|CancelledError"):
                await (await ask(sync))


async def test_body_that_ran_out_of_time_is_told_when_it_checks(huey: Huey) -> None:
    over, told = threading.Event(), threading.Event()

    @huey.task(timeout=0.2)
    def work() -> None:
        anyio.from_thread.check_cancelled()
        assert over.wait(30)
        try:
            anyio.from_thread.check_cancelled()
        except asyncio.CancelledError:
            told.set()
            raise

    async with huey, huey.create_consumer(lease=5.0):
        with pytest.raises(TaskException, match="ran longer"):
            await (await work())
        over.set()
        assert await asyncio.to_thread(told.wait, 30)


async def test_body_in_a_process_runs_functions_on_the_loop_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUEYIO_TEST_HUEY", "hueyio.MemoryHuey('processes')")
    app = importlib.reload(importlib.import_module("tests.flow.process_app"))
    async with app.huey, app.huey.create_consumer(pool=1):
        assert await (await app.threads_of_anyio()) == ["hueyio-loop", "hueyio-loop"]


async def test_body_in_immediate_mode_runs_functions_on_the_loop_of_its_caller(at_once: Huey) -> None:
    @at_once.task
    def ask() -> list[int]:
        return list(look())

    assert await (await ask()) == [running_loop_sync()] * 2


def test_body_in_immediate_mode_without_a_loop_has_that_of_blocking_calls(at_once: Huey) -> None:
    @at_once.task
    def ask() -> str:
        return anyio.from_thread.run_sync(lambda: threading.current_thread().name)

    assert ask.sync().get() == "hueyio-sync"


async def test_worker_thread_of_anyio_is_given_back_to_it(at_once: Huey) -> None:
    """A view of a web framework that calls a task in immediate mode, in a thread of anyio's."""

    @at_once.task
    def ask() -> str:
        return anyio.from_thread.run_sync(lambda: threading.current_thread().name)

    def view() -> tuple[Any, tuple[int, int]]:
        return ask.sync().get(), look()

    assert await anyio.to_thread.run_sync(view) == ("hueyio-sync", (running_loop_sync(),) * 2)


WITHOUT = """
import anyio.from_thread, anyio._core._eventloop
del anyio._core._eventloop.threadlocals
from hueyio import MemoryHuey

huey = MemoryHuey("without", immediate=True)

@huey.task
def ask(by_anyio):
    return anyio.from_thread.run_sync(len, "abc") if by_anyio else "as ever"

print(ask.sync(False).get())
try:
    ask.sync(True).get()
except Exception as error:
    print(isinstance(error.__cause__, RuntimeError))  # as in any foreign thread
"""


def test_tasks_run_as_ever_where_the_thread_local_of_anyio_is_gone() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "as ever\nTrue\n"), done.stderr
