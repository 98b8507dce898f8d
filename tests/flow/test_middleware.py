"""Middleware around attempts: on the loop and in threads, in a consumer and in immediate mode."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import pytest

from hueyio import (
    CancelExecution,
    Huey,
    HueyException,
    MemoryHuey,
    RetryTask,
    Task,
    TaskCancelled,
    TaskException,
    current_task,
)
from hueyio.core import core_of
from tests.flow.test_hooks import add_hook, both_kinds, declare
from tests.support.patience import until

VALUE: ContextVar[str] = ContextVar("value", default="unset")

AMPLE = 0.8
"""Seconds in which a body that does nothing ends on a busy machine too."""


@pytest.fixture(params=["consumer", "immediate"])
async def huey(request: pytest.FixtureRequest) -> AsyncIterator[Huey]:
    """A Huey whose tasks are run somehow; middleware does not touch the storage."""
    made = MemoryHuey("middleware", immediate=request.param == "immediate")
    if made.immediate:
        yield made
        return
    async with made.create_consumer(threads=2):
        yield made
    await made.close()


both_lanes = pytest.mark.parametrize("lane", ["loop", "thread"])


def around(huey: Huey, is_async: bool, before: Callable[[Task], None], after: Callable[[Any], None]) -> Any:
    """Register middleware of one kind; ``after`` gets what was raised inside, swallowed as far as it can be."""

    @contextmanager
    def sync(task: Task) -> Iterator[None]:
        before(task)
        try:
            yield
        except BaseException as error:
            after(error)
        else:
            after(None)

    @asynccontextmanager
    async def on_loop(task: Task) -> AsyncIterator[None]:
        await asyncio.sleep(0)
        with sync(task):
            yield
        await asyncio.sleep(0)

    return huey.around_attempt(on_loop if is_async else sync)


def nothing(*_: object) -> None: ...


def noting(order: list[str], what: str) -> Callable[[Any], None]:
    return lambda _: order.append(what)


@both_lanes
@both_kinds
@pytest.mark.parametrize("hook_is_async", [False, True], ids=["sync hook", "async hook"])
async def test_middleware_hooks_and_body_share_one_context(
    huey: Huey, lane: str, is_async: bool, hook_is_async: bool
) -> None:
    seen: dict[str, str] = {}
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    tokens: list[Any] = []

    def look(name: str) -> None:
        seen[name] = VALUE.get()
        VALUE.set(f"{VALUE.get()}, {name}")

    def enter(task: Task) -> None:
        tokens.append(VALUE.set("middleware"))

    def leave(error: Any) -> None:
        seen["leave"] = VALUE.get()
        VALUE.reset(tokens.pop())

    def after(*_: object) -> None:
        look("post")
        loop.call_soon_threadsafe(over.set)

    around(huey, is_async, enter, leave)
    add_hook(huey, "pre_execute", hook_is_async, lambda task: look("pre"))
    add_hook(huey, "post_execute", hook_is_async, after)
    await (await declare(huey, lane, lambda: look("body"))()).get(blocking=True, timeout=30)
    await asyncio.wait_for(over.wait(), 30)
    assert seen == {
        "pre": "middleware",
        "body": "middleware, pre",
        "leave": "middleware, pre, body",
        "post": "middleware, pre, body",
    }
    assert VALUE.get() == "unset"


@both_lanes
async def test_middleware_is_entered_in_the_order_of_its_registration(huey: Huey, lane: str) -> None:
    order: list[str] = []
    for name, is_async in (("first", True), ("second", False), ("third", True)):
        around(huey, is_async, noting(order, f"enter {name}"), noting(order, f"leave {name}"))

    def body() -> None:
        order.append(current_task().name)

    await (await declare(huey, lane, body)()).get(blocking=True, timeout=30)
    enter = ["enter first", "enter second", "enter third"]
    assert order == [*enter, "on_loop" if lane == "loop" else "in_thread", "leave third", "leave second", "leave first"]


async def test_sync_middleware_of_a_thread_task_is_in_its_thread(huey: Huey) -> None:
    threads: list[int] = []
    around(
        huey,
        False,
        lambda task: threads.append(threading.get_ident()),
        lambda error: threads.append(threading.get_ident()),
    )

    def body() -> None:
        threads.append(threading.get_ident())

    await (await declare(huey, "thread", body)()).get(blocking=True, timeout=30)
    assert len(threads) == 3
    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()


@both_lanes
@both_kinds
@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), CancelExecution("enough")], ids=repr)
async def test_middleware_sees_what_the_body_raises_and_cannot_swallow_it(
    huey: Huey, lane: str, is_async: bool, error: BaseException
) -> None:
    seen: list[Any] = []
    around(huey, is_async, nothing, seen.append)

    def fail() -> None:
        raise error

    with pytest.raises(TaskException) as caught:
        await (await declare(huey, lane, fail)())
    assert type(error).__name__ in str(caught.value)
    assert seen == [error]
    assert "contextlib" not in caught.value.metadata["traceback"]


@both_lanes
@both_kinds
async def test_error_before_the_body_is_the_attempts(huey: Huey, lane: str, is_async: bool) -> None:
    ran: list[Any] = []
    around(huey, True, nothing, ran.append)

    def refuse(task: Task) -> None:
        raise ValueError("refused")

    around(huey, is_async, refuse, nothing)
    with pytest.raises(TaskException, match="refused") as caught:
        await (await declare(huey, lane, lambda: ran.append("body"))())
    assert [repr(it) for it in ran] == ["ValueError('refused')"]
    assert "raised by middleware around.<locals>." in caught.value.metadata["traceback"]


async def test_middleware_may_ask_for_a_retry_before_the_body(huey: Huey) -> None:
    attempts: list[int] = []

    @huey.around_attempt
    @asynccontextmanager
    async def twice(task: Task) -> AsyncIterator[None]:
        attempts.append(task.attempt)
        if task.attempt == 0:
            raise RetryTask
        yield

    assert await (await declare(huey, "loop", lambda: 7)()) == 7
    assert attempts == [0, 1]


@both_lanes
@both_kinds
async def test_error_after_a_good_body_is_the_attempts(huey: Huey, lane: str, is_async: bool) -> None:
    outer: list[Any] = []
    around(huey, True, nothing, outer.append)

    def fail(error: Any) -> None:
        raise ValueError("the commit failed")

    around(huey, is_async, nothing, fail)
    with pytest.raises(TaskException, match="the commit failed"):
        await (await declare(huey, lane, lambda: 7)())
    assert [repr(it) for it in outer] == ["ValueError('the commit failed')"]


@both_lanes
@both_kinds
async def test_error_after_a_body_that_failed_is_logged_and_the_bodys_stands(
    huey: Huey, lane: str, is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def fail_again(error: Any) -> None:
        raise ValueError("the rollback failed")

    around(huey, is_async, nothing, fail_again)

    def fail() -> None:
        raise ValueError("the body failed")

    with pytest.raises(TaskException, match="the body failed"):
        await (await declare(huey, lane, fail)())
    (record,) = [record for record in caplog.records if record.name == "hueyio.execution.entered"]
    assert record.getMessage() == "middleware failed while it was left with ValueError('the body failed')"
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "the rollback failed"


@pytest.mark.parametrize(("times", "reason"), [(0, "generator didn't yield"), (2, "generator didn't stop")])
async def test_middleware_that_does_not_yield_once_fails_the_attempt(huey: Huey, times: int, reason: str) -> None:
    ran: list[str] = []

    @huey.around_attempt
    @asynccontextmanager
    async def odd(task: Task) -> AsyncIterator[None]:
        for _ in range(times):
            yield

    def body() -> None:
        ran.append("body")

    with pytest.raises(TaskException, match=reason):
        await (await declare(huey, "loop", body)())
    assert ran == ["body"] * (times > 0)


async def test_middleware_that_makes_no_context_manager_fails_the_attempt(huey: Huey) -> None:
    make_nothing: Any = nothing
    huey.around_attempt(make_nothing)
    with pytest.raises(TaskException, match="made no context manager, but None"):
        await (await declare(huey, "loop", lambda: 7)())


@pytest.mark.parametrize("where", ["enter", "body", "leave"])
@pytest.mark.parametrize("lane", ["loop", "thread"])
async def test_task_that_is_cancelled_anywhere_leaves_what_was_entered(where: str, lane: str) -> None:
    huey = MemoryHuey("cancelled")
    outer: asyncio.Queue[Any] = asyncio.Queue()
    reached, never = asyncio.Event(), asyncio.Event()
    release = threading.Event()
    loop = asyncio.get_running_loop()
    around(huey, True, nothing, outer.put_nowait)

    async def reach(place: str) -> None:
        if place == where:
            reached.set()
            await never.wait()

    @huey.around_attempt
    @asynccontextmanager
    async def inner(task: Task) -> AsyncIterator[None]:
        await reach("enter")
        yield
        await reach("leave")

    @huey.task(name="on_loop")
    async def on_loop() -> None:
        await reach("body")

    @huey.task(name="in_thread")
    def in_thread() -> None:
        if where == "body":
            loop.call_soon_threadsafe(reached.set)
            release.wait(30)

    async with huey.create_consumer(workers=1, threads=1):
        result = await (on_loop if lane == "loop" else in_thread)()
        await reached.wait()
        assert await result.cancel()
        with pytest.raises(TaskCancelled):
            await result
        assert isinstance(await asyncio.wait_for(outer.get(), 30), asyncio.CancelledError)
        release.set()
    await huey.close()


@both_kinds
async def test_pre_hook_that_cancels_is_seen_as_a_cancellation(huey: Huey, is_async: bool) -> None:
    seen: list[Any] = []
    around(huey, is_async, nothing, seen.append)

    @huey.pre_execute()
    async def cancel(task: Task) -> None:
        raise CancelExecution

    with pytest.raises(TaskCancelled):
        await (await declare(huey, "loop", lambda: 7)())
    assert [type(error) for error in seen] == [TaskCancelled]


async def test_time_out_is_seen_as_the_attempts_error(huey: Huey) -> None:
    seen: list[Any] = []
    around(huey, True, nothing, seen.append)

    @huey.task(name="slow", timeout=0.05)
    async def slow() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TaskException, match="ran longer than"):
        await (await slow())
    assert [type(error).__name__ for error in seen] == ["TaskTimeout"]


async def test_sync_middleware_of_a_thread_that_is_left_behind_is_left_at_its_end() -> None:
    huey = MemoryHuey("left behind")
    release = threading.Event()
    told: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def tell(what: str) -> None:
        loop.call_soon_threadsafe(told.put_nowait, (what, threading.get_ident()))

    around(huey, False, nothing, lambda error: tell(type(error).__name__))

    @huey.task(timeout=0.05)
    def work() -> None:
        release.wait(30)
        tell("body")

    async with huey.create_consumer(threads=1):
        with pytest.raises(TaskException, match="ran longer than"):
            await (await work())
        assert told.empty()
        release.set()
        body, left = await told.get(), await told.get()
    assert (body[0], left[0]) == ("body", "TaskTimeout")
    assert body[1] == left[1]
    await huey.close()


async def test_stop_leaves_the_middleware_and_the_task_goes_back() -> None:
    huey = MemoryHuey("stopped")
    seen: list[Any] = []
    began = asyncio.Event()
    around(huey, True, nothing, seen.append)

    @huey.task
    async def endless() -> None:
        began.set()
        await asyncio.Event().wait()

    async with huey:
        consumer = huey.create_consumer(shutdown_timeout=0)
        await consumer.start()
        await endless()
        await began.wait()
        consumer.stop()
        await consumer.wait_stopped()
        assert [type(error) for error in seen] == [asyncio.CancelledError]
        assert await huey.count() == 1


async def test_class_with_both_protocols_is_entered_as_an_async_one(huey: Huey) -> None:
    entered: list[str] = []

    class Both:
        def __init__(self, task: Task) -> None:
            self.task = task

        async def __aenter__(self) -> None:
            entered.append(f"async {self.task.name}")

        async def __aexit__(self, *_: object) -> None: ...

        def __enter__(self) -> None:
            entered.append("sync")

        def __exit__(self, *_: object) -> None: ...

    huey.around_attempt(Both)
    assert await (await declare(huey, "loop", lambda: 7)()) == 7
    assert entered == ["async on_loop"]


async def test_middleware_is_unregistered(huey: Huey) -> None:
    entered: list[Task] = []
    middleware = around(huey, True, entered.append, nothing)
    huey.around_attempt(middleware)  # a second time changes nothing
    work = declare(huey, "loop", lambda: 7)
    await (await work())
    assert len(entered) == 1
    assert [huey.unregister_around_attempt(middleware), huey.unregister_around_attempt(middleware)] == [True, False]
    assert not core_of(huey).hooks.surround_tasks
    await (await work())
    assert len(entered) == 1


async def generate(task: Task) -> AsyncIterator[None]:
    yield


def generate_sync(task: Task) -> Iterator[None]:
    yield


async def make_none(task: Task) -> None: ...


@pytest.mark.parametrize(
    ("middleware", "reason"),
    [
        (generate, "put @asynccontextmanager of contextlib below"),
        (generate_sync, "put @contextmanager of contextlib below"),
        (make_none, "middleware is a function that makes a context manager, not"),
        (5, "middleware is a function that makes a context manager, not 5"),
    ],
)
def test_what_can_be_no_middleware_is_refused(middleware: Any, reason: str) -> None:
    huey = MemoryHuey("middleware")
    with pytest.raises(HueyException, match=reason):
        huey.around_attempt(middleware)
    with pytest.raises(HueyException, match=reason):
        huey.around_enqueue(middleware)


def test_blocking_call_in_immediate_mode_runs_the_middleware() -> None:
    huey = MemoryHuey("middleware", immediate=True)
    threads: list[int] = []
    around(huey, False, lambda task: threads.append(threading.get_ident()), nothing)

    def enter(task: Task) -> None:
        VALUE.set("entered")

    around(huey, True, enter, nothing)

    @huey.task
    def work() -> tuple[str, int]:
        return VALUE.get(), threading.get_ident()

    assert work.sync().get() == ("entered", threading.get_ident())
    assert threads == [threading.get_ident()]
    huey.sync.close()


class Hanging:
    """Middleware that does not return, before the body or after it; ``seen`` is how the next one outside was left."""

    def __init__(self, huey: Huey, where: str) -> None:
        self.seen: list[str] = []
        self.where = where
        around(huey, True, nothing, lambda error: self.seen.append(type(error).__name__))
        huey.around_attempt(self.hang)

    @asynccontextmanager
    async def hang(self, task: Task) -> AsyncIterator[None]:
        if self.where == "before":
            await asyncio.Event().wait()
        try:
            yield
        finally:
            if self.where == "after":
                await asyncio.Event().wait()


@both_lanes
@pytest.mark.parametrize("where", ["before", "after"])
async def test_middleware_that_does_not_return_ends_with_the_timeout_of_the_task(
    huey: Huey, lane: str, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []
    work = declare(huey, lane, lambda: ran.append("body"))
    hanging = Hanging(huey, where)
    name = "middleware Hanging.hang"
    told = f"before its body: {name} had" if where == "before" else f"{name} was left, and had"
    with pytest.raises(TaskException, match=f"TaskTimeout.*{told} not returned"):
        await (await work.options(timeout=0.05 if where == "before" else AMPLE)())
    assert hanging.seen == ["TaskTimeout"]
    assert ran == ["body"] * (where == "after")
    (line,) = [it for it in caplog.records if it.name == "hueyio.execution.run_log" and it.levelname == "ERROR"]
    assert "timed out" in line.getMessage()
    assert told in line.getMessage()
    hanging.where = "nowhere"
    await asyncio.wait_for(await work.options(timeout=30)(), 30)  # the slot is free


async def test_error_of_the_body_stands_where_middleware_does_not_return(
    huey: Huey, caplog: pytest.LogCaptureFixture
) -> None:
    hanging = Hanging(huey, "after")

    def fail() -> None:
        raise ValueError("the body failed")

    with pytest.raises(TaskException, match="the body failed"):
        await (await declare(huey, "loop", fail).options(timeout=AMPLE)())
    assert hanging.seen == ["ValueError"]
    (record,) = [record for record in caplog.records if record.name == "hueyio.execution.entered"]
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "middleware Hanging.hang was left, and had not returned after 0.8 s"


@both_lanes
@pytest.mark.parametrize("kind", ["pre_execute", "post_execute"])
async def test_hook_that_does_not_return_ends_with_the_timeout_of_the_task(
    huey: Huey, lane: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    getattr(huey, kind)()(hang)
    work = declare(huey, lane, lambda: 7)
    result = await work.options(timeout=AMPLE)()
    if kind == "pre_execute":
        with pytest.raises(TaskException, match="before its body: pre_execute hook hang had not returned"):
            await result
    else:
        assert await result == 7
        await until(lambda: _is_named(caplog, "post_execute hook hang failed"))
    getattr(huey, f"unregister_{kind}")(hang)
    assert await asyncio.wait_for(await work(), 30) == 7
    if kind == "post_execute":
        (record,) = [record for record in caplog.records if record.name == "hueyio.execution.attempt_hooks"]
        assert record.exc_info is not None
        assert str(record.exc_info[1]) == "it had not returned after 0.8 s"


@both_lanes
@pytest.mark.parametrize("signal", ["executing", "error", "complete"])
async def test_receiver_that_does_not_return_ends_with_the_timeout_of_the_task(
    huey: Huey, lane: str, signal: str, caplog: pytest.LogCaptureFixture
) -> None:
    @huey.signal(signal)
    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    failures = [ValueError("once")]

    def body() -> int:
        if failures:
            raise failures.pop()
        return 7

    task = declare(huey, lane, body).s(retries=1, timeout=AMPLE)
    assert await asyncio.wait_for(await huey.enqueue(task), 30) == 7
    await until(lambda: _is_named(caplog, f"receivers of signal {signal} had not returned after 0.8 s"))


async def test_body_gets_what_the_middleware_leaves_of_the_time(huey: Huey) -> None:
    left: list[float] = []

    @huey.around_attempt
    @contextmanager
    def spend(task: Task) -> Iterator[None]:
        end = time.monotonic() + 0.02
        while time.monotonic() < end:
            pass
        yield

    work = declare(huey, "loop", lambda: left.append(current_task().time_remaining))
    await (await work.options(timeout=30)())
    assert left[0] < 29.98


async def test_task_that_hangs_in_middleware_is_named_with_it(caplog: pytest.LogCaptureFixture) -> None:
    huey = MemoryHuey("stuck")
    reached, release = asyncio.Event(), asyncio.Event()

    @huey.around_attempt
    @asynccontextmanager
    async def stubborn(task: Task) -> AsyncIterator[None]:
        reached.set()
        while not release.is_set():
            with suppress(asyncio.CancelledError):
                await release.wait()
        yield

    work = declare(huey, "loop", lambda: 7)
    async with huey.create_consumer(workers=1) as consumer:
        consumer._stuck._patience = 0.0
        result = await work()
        await reached.wait()
        await result.cancel()
        await until(lambda: _is_named(caplog, "still runs, in middleware"))
        release.set()
        assert await result == 7
    await huey.close()


async def _is_named(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return any(text in record.getMessage() for record in caplog.records)
