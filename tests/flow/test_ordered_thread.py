"""Hooks and receivers call hueyio from the thread that they share: what they call may need that thread too."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import anyio.from_thread
import pytest

from hueyio import Huey, MemoryHuey
from hueyio.exceptions import HueyException, TaskCancelled, TaskException
from hueyio.loops.ordered import OrderedThread, is_in_ordered_thread
from hueyio.testing.storage.conformance.worker import soon

CALLS: Final[dict[str, Callable[[Any], Any]]] = {
    "call": lambda it: it.work.sync("inner"),
    "call in a loop of its own": lambda it: asyncio.run(_call(it)),
    "call on the consumer's loop": lambda it: anyio.from_thread.run(_call, it),
    "map": lambda it: it.work.sync.map(["inner"]),
    "schedule": lambda it: it.work.sync.schedule(("inner",), delay=60),
    "pipeline": lambda it: it.huey.sync.enqueue(it.work.s("inner").then(it.work)),
    "revoke": lambda it: it.work.sync("inner").revoke(),
    "cancel": lambda it: it.work.sync.schedule(("inner",), delay=60).cancel(),
    "reschedule": lambda it: it.work.sync.schedule(("inner",), delay=60).reschedule(delay=60),
    "replace": lambda it: [it.only.sync.schedule(("inner",), delay=60) for _ in range(2)],
    "lock": lambda it: _lock(it),
    "wait for what is over": lambda it: _wait_for_over(it),
}


HANGING: Final[dict[str, Callable[[Any], Any]]] = {
    "wait for ever": lambda it: it.work.sync.schedule(("inner",), delay=60).get(blocking=True),
}


async def _call(it: Any) -> None:
    await it.work("inner")


def _lock(it: Any) -> None:
    with it.huey.lock_task("lock"):
        it.work.sync("inner")


def _wait_for_over(it: Any) -> None:
    result = it.work.sync.schedule(("inner",), delay=60)
    result.cancel()
    with pytest.raises(TaskCancelled):
        result.get(blocking=True)


class Declared:
    """Tasks of each lane, a receiver of everything, and what a hook or receiver does that makes the calls, once."""

    def __init__(self, huey: Huey, calls: list[str]) -> None:
        self.huey = huey
        self.called = threading.Event()
        self.errors: dict[str, BaseException] = {}
        self.signals: list[str] = []
        self.in_thread: set[str] = set()
        self._calls = calls
        self._is_acting = False

        @huey.task
        async def work(x: str) -> str:
            return x

        @huey.task
        def work_in_thread(x: str) -> str:
            return x

        @huey.task(unique="replace", unique_key="only")
        async def only(x: str) -> str:
            return x

        @huey.signal()
        def listen(signal: str, task: Any, *args: Any) -> None:
            self.signals.append(signal)
            self.in_thread.add(threading.current_thread().name)

        self.work, self.work_in_thread, self.only = work, work_in_thread, only

    def act(self, *args: Any) -> None:
        """Make the calls, the first time."""
        if self._is_acting:
            return
        self._is_acting = True
        for name in self._calls:
            try:
                {**CALLS, **HANGING}[name](self)
            except BaseException as error:
                self.errors[name] = error
        self.called.set()


@pytest.fixture
async def huey(make_huey: Callable[..., Huey]) -> AsyncIterator[Huey]:
    made = make_huey()
    yield made
    await asyncio.to_thread(made.sync.close)
    await made.close()


def register(it: Declared, where: str) -> None:
    """Let a hook or a receiver of this kind make the call."""
    match where.split():
        case ["on_startup"]:
            it.huey.on_startup()(it.act)
        case ["on_shutdown"]:
            it.huey.on_shutdown()(it.act)
        case ["pre_execute"]:
            it.huey.pre_execute()(it.act)
        case ["post_execute"]:
            it.huey.post_execute()(it.act)
        case ["receiver", "of", signal]:
            it.huey.signal(signal)(it.act)


WHERE: Final = (
    "on_startup",
    "on_shutdown",
    "pre_execute",
    "post_execute",
    "receiver of enqueued",
    "receiver of executing",
    "receiver of complete",
)


@pytest.mark.parametrize("lane", ["loop", "thread"])
@pytest.mark.parametrize("where", WHERE)
async def test_calls_end_when_a_hook_or_receiver_makes_them(lane: str, where: str, huey: Huey) -> None:
    it = Declared(huey, list(CALLS))
    register(it, where)
    async with huey.create_consumer():
        task = it.work if lane == "loop" else it.work_in_thread
        assert await soon((await task("outer")).get(blocking=True)) == "outer"
    assert await asyncio.to_thread(it.called.wait, 60)
    if where == "receiver of enqueued":  # this test's own loop waits for it, and has no consumer's thread
        it.errors.pop("call on the consumer's loop", None)
    assert it.errors == {}


@pytest.mark.parametrize("lane", ["loop", "thread"])
async def test_call_ends_when_a_context_manager_makes_it(lane: str, huey: Huey) -> None:
    it = Declared(huey, ["call"])
    register(it, "receiver of complete")

    @contextmanager
    def around() -> Iterator[None]:
        it.work.sync("around")
        yield

    @asynccontextmanager
    async def around_coroutine() -> AsyncIterator[None]:
        await it.work("around")
        yield

    @huey.context_task(around)
    def guarded() -> str:
        return "done"

    @huey.context_task(around_coroutine)
    async def guarded_coroutine() -> str:
        return "done"

    async with huey.create_consumer():
        task = guarded_coroutine if lane == "loop" else guarded
        assert await soon((await task()).get(blocking=True)) == "done"
    assert it.errors == {}


async def test_blocking_call_is_refused_when_a_callback_makes_it_on_the_loop() -> None:
    class Own(MemoryHuey):
        def build_error_result(self, task: Any, exception: BaseException) -> dict[str, Any]:
            inner.sync("inner")
            return {}

    huey = Own()

    @huey.task
    async def inner(x: str) -> str:
        return x

    @huey.task
    async def fail() -> None:
        raise ValueError

    async with huey, huey.create_consumer():
        with pytest.raises(TaskException, match="a blocking call on the thread of a running event loop"):
            await soon((await fail()).get(blocking=True))


@pytest.mark.parametrize("where", ["on_startup", "pre_execute", "receiver of complete"])
async def test_wait_for_a_task_is_refused_when_it_could_hang(where: str, huey: Huey) -> None:
    it = Declared(huey, ["wait for ever"])
    register(it, where)
    async with huey.create_consumer():
        assert await soon((await it.work("outer")).get(blocking=True)) == "outer"
        assert await asyncio.to_thread(it.called.wait, 60)
    (error,) = it.errors.values()
    assert isinstance(error, HueyException)
    assert "make it `async def`, or wait with a timeout" in str(error)


async def test_receivers_run_in_the_same_thread_when_one_of_them_enqueues(huey: Huey) -> None:
    it = Declared(huey, ["call"])
    register(it, "receiver of complete")
    async with huey.create_consumer():
        assert await soon((await it.work("outer")).get(blocking=True)) == "outer"
        assert await asyncio.to_thread(it.called.wait, 60)
    assert it.in_thread == {"hueyio-receivers-1"}


async def test_call_comes_before_others_in_line_when_it_is_made_in_the_thread() -> None:
    thread, order, loop = OrderedThread("test"), list[str](), asyncio.get_running_loop()
    began = asyncio.Event()
    goes_on = threading.Event()

    async def inner() -> None:
        assert is_in_ordered_thread()
        await thread.run(order.append, "inner")

    def outer() -> None:
        loop.call_soon_threadsafe(began.set)
        goes_on.wait(60)
        order.append("begin")
        asyncio.run_coroutine_threadsafe(inner(), loop).result()
        order.append("end")

    running = asyncio.ensure_future(thread.run(outer))
    await soon(began.wait())
    behind = asyncio.ensure_future(thread.run(order.append, "behind"))
    await asyncio.sleep(0)
    goes_on.set()
    await soon(asyncio.gather(running, behind))
    assert order == ["begin", "inner", "end", "behind"]
    assert not is_in_ordered_thread()


async def test_function_that_keeps_the_thread_is_named_when_others_wait(caplog: pytest.LogCaptureFixture) -> None:
    thread, told = OrderedThread("test", patience=0.05), threading.Event()

    class Tell(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.set()

    handler = Tell()
    logging.getLogger("hueyio.loops.ordered").addHandler(handler)

    def dawdle() -> None:
        told.wait(60)

    await soon(asyncio.gather(thread.run(dawdle), thread.run(lambda: None)))
    logging.getLogger("hueyio.loops.ordered").removeHandler(handler)
    (record,) = [it for it in caplog.records if it.name == "hueyio.loops.ordered"]
    assert "dawdle" in record.getMessage()
