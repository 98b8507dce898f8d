"""Hooks, context managers and current_task(): what users put around bodies, in threads and on the loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar, Token
from typing import Any

import pytest

from hueyio import (
    CancelExecution,
    ConfigurationError,
    Huey,
    HueyException,
    MemoryHuey,
    Task,
    TaskCancelled,
    TaskException,
    current_task,
)
from hueyio.core import core_of

VALUE: ContextVar[str] = ContextVar("value", default="unset")


@pytest.fixture(params=["consumer", "immediate"])
async def huey(request: pytest.FixtureRequest) -> AsyncIterator[Huey]:
    """A Huey whose tasks are run somehow; hooks do not touch the storage."""
    made = MemoryHuey("hooks", immediate=request.param == "immediate")
    if made.immediate:
        yield made
        return
    consumer = made.create_consumer(threads=2)
    await consumer.start()
    yield made
    consumer.stop()
    await consumer.wait_stopped()


def declare(huey: Huey, lane: str, body: Callable[[], Any]) -> Any:
    @huey.task(name="on_loop")
    async def on_loop() -> Any:
        return body()

    @huey.task(name="in_thread")
    def in_thread() -> Any:
        return body()

    return on_loop if lane == "loop" else in_thread


def add_hook(huey: Huey, kind: str, is_async: bool, act: Callable[..., None]) -> None:
    async def act_async(*args: Any) -> None:
        act(*args)

    def act_sync(*args: Any) -> None:
        act(*args)

    getattr(huey, kind)(f"{kind} {len(core_of(huey).hooks['pre_execute'])}")(act_async if is_async else act_sync)


both_lanes = pytest.mark.parametrize("lane", ["loop", "thread"])
both_kinds = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@both_lanes
@both_kinds
async def test_hook_that_cancels_keeps_the_body_and_later_hooks_from_running(
    huey: Huey, lane: str, is_async: bool
) -> None:
    ran: list[str] = []

    def cancel(task: Task) -> None:
        raise CancelExecution

    add_hook(huey, "pre_execute", is_async, cancel)
    add_hook(huey, "pre_execute", is_async, lambda task: ran.append("second hook"))
    add_hook(huey, "post_execute", is_async, lambda *args: ran.append("post hook"))
    work = declare(huey, lane, lambda: ran.append("body"))
    result = await work(retries=3)
    with pytest.raises(TaskCancelled):
        await result
    assert ran == []


@both_lanes
@both_kinds
@pytest.mark.parametrize("kind", [ValueError, SystemExit, asyncio.CancelledError])
async def test_hook_that_raises_is_logged_and_changes_nothing(
    huey: Huey, lane: str, is_async: bool, kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    after: asyncio.Queue[None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def fail(*args: Any) -> None:
        raise kind("no")

    add_hook(huey, "pre_execute", is_async, fail)
    add_hook(huey, "post_execute", is_async, fail)
    huey.post_execute("last")(lambda *args: loop.call_soon_threadsafe(after.put_nowait, None) and None)
    work = declare(huey, lane, lambda: 7)
    assert await (await work()) == 7
    await after.get()
    logged = [record.getMessage() for record in caplog.records if record.name == "hueyio.execution.attempt_hooks"]
    assert [text.split(" hook ")[0] for text in logged] == ["pre_execute", "post_execute"]


@both_lanes
@both_kinds
async def test_post_hook_gets_value_or_exception(huey: Huey, lane: str, is_async: bool) -> None:
    seen: asyncio.Queue[tuple[Any, Any]] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def tell(task: Task, value: Any, error: Any) -> None:
        loop.call_soon_threadsafe(seen.put_nowait, (value, error))

    add_hook(huey, "post_execute", is_async, tell)
    answers: list[Any] = [5, ValueError("no")]

    def body() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    work = declare(huey, lane, body)
    await work()
    assert await seen.get() == (5, None)
    await work()
    value, error = await seen.get()
    assert value is None
    assert repr(error) == "ValueError('no')"


async def test_thread_task_has_one_thread_and_one_context_for_all_of_its_attempt(huey: Huey) -> None:
    threads: list[int] = []
    values: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def look() -> None:
        threads.append(threading.get_ident())

    @huey.pre_execute()
    def before(task: Task) -> None:
        look()
        VALUE.set("set by the hook")

    @huey.post_execute()
    def after(task: Task, value: Any, error: Any) -> None:
        look()
        loop.call_soon_threadsafe(values.put_nowait, VALUE.get())

    @contextmanager
    def entered() -> Iterator[None]:
        look()
        yield
        look()

    @huey.context_task(entered)
    def work() -> str:
        look()
        return VALUE.get()

    assert await (await work()) == "set by the hook"
    assert await values.get() == "set by the hook"
    assert len(threads) == 5
    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()


async def test_async_hooks_and_coroutine_share_one_context(huey: Huey) -> None:
    @huey.pre_execute()
    async def before(task: Task) -> None:
        VALUE.set("set by the hook")

    @huey.task
    async def work() -> str:
        return VALUE.get()

    assert await (await work()) == "set by the hook"
    assert VALUE.get() == "unset"


async def test_hooks_are_unregistered_by_name_or_function(huey: Huey) -> None:
    @huey.pre_execute()
    def first(task: Task) -> None: ...

    @huey.post_execute(name="second")
    def other(task: Task, value: Any, error: Any) -> None: ...

    @huey.on_startup()
    def third() -> None: ...

    @huey.on_shutdown()
    def fourth() -> None: ...

    assert [huey.unregister_pre_execute("first"), huey.unregister_pre_execute("first")] == [True, False]
    assert [huey.unregister_post_execute(other), huey.unregister_post_execute(other)] == [True, False]
    assert [huey.unregister_on_startup(third), huey.unregister_on_startup("third")] == [True, False]
    assert [huey.unregister_on_shutdown("fourth"), huey.unregister_on_shutdown(fourth)] == [True, False]
    assert not core_of(huey).hooks.surround_tasks


def test_second_hook_of_one_name_takes_the_place_of_the_first() -> None:
    huey = MemoryHuey("hooks")
    huey.pre_execute("a")(print)
    huey.pre_execute("b")(print)
    huey.pre_execute("a")(repr)
    assert list(core_of(huey).hooks["pre_execute"].items()) == [("a", repr), ("b", print)]


def test_hook_without_parentheses_is_refused() -> None:
    def hook(task: Task) -> None: ...

    with pytest.raises(HueyException, match=r"@huey\.pre_execute\(\) with parentheses"):
        MemoryHuey("hooks").pre_execute(hook)  # type: ignore[arg-type]


@both_lanes
async def test_current_task_is_known_anywhere_in_the_body(huey: Huey, lane: str) -> None:
    hooked: list[str] = []

    def deep() -> str:
        return current_task().id

    work = declare(huey, lane, deep)
    result = await work()
    assert await result == result.id
    huey.pre_execute()(lambda task: hooked.append(current_task().id))
    again = await work()
    assert await again == again.id
    assert hooked == [again.id]
    with pytest.raises(HueyException, match="no task runs here"):
        current_task()


async def test_sync_function_can_run_on_the_loop(huey: Huey) -> None:
    @huey.task(run_in="loop")
    def where() -> tuple[int, str]:
        VALUE.set("inside")
        return threading.get_ident(), current_task().name

    assert await (await where()) == (threading.get_ident(), where.name)
    assert VALUE.get() == "unset"


class Both:
    """A context manager, sync and async, that can be entered many times; it says how it was entered."""

    def __init__(self) -> None:
        self.left: list[str] = []

    def __enter__(self) -> str:
        return "sync"

    def __exit__(self, *error: object) -> None:
        self.left.append("sync")

    async def __aenter__(self) -> str:
        return "async"

    async def __aexit__(self, *error: object) -> None:
        self.left.append("async")


async def test_context_task_enters_the_kind_that_fits_the_body(huey: Huey) -> None:
    manager = Both()

    @huey.context_task(manager, as_argument=True)
    async def on_loop(entered: str, number: int) -> str:
        return f"{entered} {number}"

    @huey.context_task(manager, as_argument=True)
    def in_thread(entered: str, number: int) -> str:
        return f"{entered} {number}"

    assert await (await on_loop(1)) == "async 1"
    assert await (await in_thread(2)) == "sync 2"
    assert manager.left == ["async", "sync"]


async def test_context_manager_is_left_when_the_body_fails(huey: Huey) -> None:
    manager = Both()

    @huey.context_task(manager, retries=1)
    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(TaskException, match="no"):
        await (await fail())
    assert manager.left == ["async", "async"]


async def test_async_context_manager_of_a_function_is_entered_on_the_loop(huey: Huey) -> None:
    threads: list[int] = []

    @asynccontextmanager
    async def entered() -> AsyncIterator[str]:
        threads.append(threading.get_ident())
        await asyncio.sleep(0)
        yield "value"
        threads.append(threading.get_ident())

    @huey.context_task(entered, as_argument=True)
    def work(value: str) -> tuple[str, int]:
        return value, threading.get_ident()

    value, thread = await (await work())
    assert value == "value"
    assert threads == [threading.get_ident()] * 2
    assert thread != threading.get_ident()


async def test_sync_context_manager_of_a_coroutine_is_entered_on_the_loop(huey: Huey) -> None:
    @contextmanager
    def entered() -> Iterator[None]:
        VALUE.set("entered")
        yield

    @huey.context_task(entered)
    async def work() -> str:
        return VALUE.get()

    assert await (await work()) == "entered"


@contextmanager
def used_up() -> Iterator[None]:
    yield


@pytest.mark.parametrize("manager", [3, used_up()])
def test_what_cannot_be_entered_again_and_again_is_refused(manager: Any) -> None:
    with pytest.raises(ConfigurationError, match="context_task"):
        MemoryHuey("hooks").context_task(manager)(lambda: None)


@both_kinds
async def test_life_hooks_run_once_per_consumer_around_its_tasks(is_async: bool) -> None:
    huey = MemoryHuey("life")
    order: list[str] = []
    add_hook(huey, "on_startup", is_async, lambda: order.append("startup"))
    add_hook(huey, "on_shutdown", is_async, lambda: order.append("shutdown"))

    @huey.task
    async def work() -> None:
        order.append("body")

    async with huey.create_consumer():
        await (await work())
        await (await work())
    assert order == ["startup", "body", "body", "shutdown"]
    await huey.close()


async def test_life_hook_that_raises_is_logged_and_the_consumer_runs(caplog: pytest.LogCaptureFixture) -> None:
    huey = MemoryHuey("life")

    @huey.on_startup()
    @huey.on_shutdown()
    def fail() -> None:
        raise SystemExit("no")

    @huey.task
    async def work() -> int:
        return 1

    async with huey.create_consumer():
        assert await (await work()) == 1
    logged = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert logged == ["on_startup hook fail failed", "on_shutdown hook fail failed"]
    await huey.close()


async def test_startup_hook_that_never_returns_does_not_hold_up_the_stop() -> None:
    huey = MemoryHuey("life")
    started = asyncio.Event()

    @huey.on_startup()
    async def hang() -> None:
        started.set()
        await asyncio.Event().wait()

    consumer = huey.create_consumer()
    running = asyncio.ensure_future(consumer.run())
    await started.wait()
    consumer.stop()
    await asyncio.wait_for(running, 10)
    await huey.close()


async def test_post_hook_of_a_thread_that_was_left_behind_runs_in_it_at_its_end() -> None:
    huey = MemoryHuey("left")
    release = threading.Event()
    threads: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def tell(what: str) -> None:
        loop.call_soon_threadsafe(threads.put_nowait, (what, threading.get_ident()))

    @huey.post_execute()
    def after(task: Task, value: Any, error: Any) -> None:
        tell(type(error).__name__)

    @huey.task(timeout=0.05)
    def work() -> None:
        tell("body")
        release.wait(30)

    consumer = huey.create_consumer(threads=1)
    async with consumer:
        with pytest.raises(TaskException, match="ran longer than"):
            await (await work())
        assert consumer.statistics().abandoned_threads == 1
        release.set()
        body, hook = await threads.get(), await threads.get()
    assert (body[0], hook[0]) == ("body", "TaskTimeout")
    assert body[1] == hook[1]
    assert consumer._executor.threads.abandoned == set()
    await huey.close()


@pytest.mark.parametrize("lane", ["loop", "thread", "hidden"])
@both_kinds
async def test_hooks_and_body_see_and_reset_what_the_others_set(huey: Huey, lane: str, is_async: bool) -> None:
    seen: asyncio.Queue[list[str]] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    tokens: list[Token[str]] = []

    def set_first(task: Task) -> None:
        tokens.append(VALUE.set("first"))

    def add_second(task: Task) -> None:
        VALUE.set(VALUE.get() + ", second")

    def reset(task: Task, value: Any, error: Any) -> None:
        before = VALUE.get()
        VALUE.reset(tokens.pop())
        loop.call_soon_threadsafe(seen.put_nowait, [before, VALUE.get()])

    def body() -> str:
        before = VALUE.get()
        VALUE.set(before + ", body")
        return before

    @huey.task(name="hidden")
    @hide
    async def hidden() -> str:
        return body()

    add_hook(huey, "pre_execute", is_async, set_first)
    add_hook(huey, "pre_execute", not is_async, add_second)
    add_hook(huey, "post_execute", is_async, reset)
    work = hidden if lane == "hidden" else declare(huey, lane, body)
    for _ in range(2):  # the second one sees nothing of the first
        assert await (await work()) == "first, second"
        assert await asyncio.wait_for(seen.get(), 30) == ["first, second, body", "unset"]
    assert VALUE.get() == "unset"


def hide(function: Callable[[], Any]) -> Callable[[], Any]:
    """Decorate as many do that know no coroutines; what is set here is for the body too."""

    def call() -> Any:
        VALUE.set(VALUE.get())
        return function()

    return call


async def test_decorator_and_the_coroutine_that_it_hides_share_one_context(huey: Huey) -> None:
    def bind(function: Callable[[], Any]) -> Callable[[], Any]:
        def call() -> Any:
            VALUE.set("bound")
            return function()

        return call

    @huey.task(name="bound")
    @bind
    async def bound() -> str:
        return VALUE.get()

    assert await (await bound()) == "bound"
    assert VALUE.get() == "unset"


async def test_async_context_manager_and_the_function_inside_see_what_the_other_sets(huey: Huey) -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def entered() -> AsyncIterator[None]:
        token = VALUE.set("entered")
        await asyncio.sleep(0)
        try:
            yield
        finally:
            seen.append(VALUE.get())
            VALUE.reset(token)

    @huey.context_task(entered)
    def work() -> str:
        before = VALUE.get()
        VALUE.set("body")
        return before

    assert await (await work()) == "entered"
    assert seen == ["body"]


@pytest.mark.parametrize("lane", ["loop", "thread"])
async def test_hook_that_is_left_behind_keeps_no_context_from_the_others(lane: str) -> None:
    huey = MemoryHuey("left behind")
    began, release = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    @huey.pre_execute()
    def slow(task: Task) -> None:
        loop.call_soon_threadsafe(began.set)
        release.wait(30)

    work = declare(huey, lane, lambda: 7)
    async with huey.create_consumer(workers=1, threads=1):
        result = await work()
        await began.wait()
        await result.cancel()
        with pytest.raises(TaskCancelled):
            await result
        release.set()
        assert await (await work()) == 7
    await huey.close()


def add_receiver(huey: Huey, is_async: bool, act: Callable[..., None], *signals: str) -> None:
    async def hear_async(*args: Any) -> None:
        act(*args)

    def hear(*args: Any) -> None:
        act(*args)

    huey.signal(*signals)(hear_async if is_async else hear)


@pytest.mark.parametrize("hooked", [False, True], ids=["alone", "beside hooks"])
@both_lanes
@both_kinds
async def test_receivers_see_and_set_the_context_of_their_attempt(
    huey: Huey, lane: str, is_async: bool, hooked: bool
) -> None:
    said: asyncio.Queue[tuple[int, str, str]] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    failures = [ValueError("once")]

    def say(what: str) -> None:
        loop.call_soon_threadsafe(said.put_nowait, (current_task().attempt, what, VALUE.get()))
        VALUE.set(what)

    def body() -> None:
        say("body")
        if failures:
            raise failures.pop()

    add_receiver(huey, is_async, lambda signal, *_: say(signal), "executing", "error", "retrying", "complete")
    if hooked:
        add_hook(huey, "pre_execute", not is_async, lambda task: say("pre"))
        add_hook(huey, "post_execute", not is_async, lambda *_: say("post"))
    task = declare(huey, lane, body).s(retries=1)
    await huey.enqueue(task)
    before, after = (["pre"], ["post"]) if hooked else ([], [])
    first = ["executing", *before, "body", "error", *after, "retrying"]
    second = ["executing", *before, "body", *after, "complete"]
    heard = [await asyncio.wait_for(said.get(), 30) for _ in (*first, *second)]
    for attempt, steps in enumerate((first, second)):  # the second may begin before the first one is told to the end
        told = [(what, value) for number, what, value in heard if number == attempt]
        assert told == list(zip(steps, ["unset", *steps], strict=False))


@both_kinds
async def test_receivers_of_what_is_no_attempt_leave_nothing_behind(huey: Huey, is_async: bool) -> None:
    heard: list[str] = []

    def hear(signal: str, task: Task, *_: object) -> None:
        heard.append(f"{signal}: {VALUE.get()}")
        VALUE.set(signal)

    add_receiver(huey, is_async, hear, "enqueued", "revoked", "expired")
    work = declare(huey, "loop", VALUE.get)
    VALUE.set("caller")
    await huey.revoke_by_id("revoked")
    for options in ({"id": "revoked"}, {"expires": 0}):
        result = await work.options(**options)()
        with pytest.raises(TaskException):
            await asyncio.wait_for(result, 30)
    assert VALUE.get() == "caller"
    VALUE.set("unset")
    assert await asyncio.wait_for(await work(), 30) == "unset"
    assert [told.partition(":")[0] for told in heard] == ["enqueued", "revoked", "enqueued", "expired", "enqueued"]
    assert {told.partition(": ")[2] for told in heard} <= {"caller", "unset"}
