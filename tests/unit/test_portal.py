"""Blocking calls: the loop that all of them share, and the thread that waits and runs functions meanwhile."""

from __future__ import annotations

import asyncio
import concurrent.futures
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pytest

from hueyio.exceptions import HueyException
from hueyio.loops.caller import Caller, current_caller
from hueyio.loops.portal import block_here, block_on
from hueyio.loops.serving import run_on_loop
from hueyio.loops.threads import ThreadPool

WHERE: ContextVar[str] = ContextVar("where", default="nowhere")


def caller() -> Caller:
    found = current_caller()
    assert found is not None
    return found


def test_context_is_seen_in_the_coroutine_and_what_it_sets_is_gone() -> None:
    async def look() -> str:
        seen = WHERE.get()
        WHERE.set("inside")
        return seen

    WHERE.set("outside")
    assert block_on(look()) == "outside"
    assert WHERE.get() == "outside"


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), KeyboardInterrupt(), StopAsyncIteration()])
def test_error_of_the_coroutine_is_raised_in_the_thread_and_the_loop_lives_on(error: BaseException) -> None:
    async def fail() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        block_on(fail())
    assert raised.value is error
    assert block_on(asyncio.sleep(0, "alive")) == "alive"


def test_coroutine_that_cancels_itself_raises_what_a_thread_may_catch() -> None:
    async def cancel() -> None:
        raise asyncio.CancelledError

    with pytest.raises(concurrent.futures.CancelledError):
        block_on(cancel())


def test_function_runs_in_the_waiting_thread_and_in_the_context_of_the_coroutine() -> None:
    def look(a: int, b: int) -> tuple[int, str, int]:
        return threading.get_ident(), WHERE.get(), a + b

    async def ask() -> Any:
        WHERE.set("coroutine")
        return await caller().run(look, 1, 2)

    WHERE.set("thread")
    assert block_on(ask()) == (threading.get_ident(), "coroutine", 3)
    assert WHERE.get() == "thread"


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_error_of_the_function_is_raised_in_the_coroutine(error: BaseException) -> None:
    def fail() -> None:
        raise error

    async def ask() -> BaseException:
        try:
            await caller().run(fail)
        except BaseException as raised:
            return raised
        raise AssertionError("nothing was raised")

    assert block_on(ask()) is error


def test_function_may_block_again_in_the_same_thread() -> None:
    def outer(depth: int) -> list[int]:
        return block_on(inner(depth))

    async def inner(depth: int) -> list[int]:
        here = await caller().run(threading.get_ident)
        return [here] if depth == 0 else [here, *await caller().run(outer, depth - 1)]

    assert outer(5) == [threading.get_ident()] * 6


def test_function_has_things_run_on_the_loop_of_its_coroutine() -> None:
    async def running_loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async def ask() -> bool:
        return await caller().run(lambda: run_on_loop(running_loop())) is asyncio.get_running_loop()

    assert block_on(ask())
    with pytest.raises(RuntimeError, match="works for no event loop"):
        run_on_loop(running_loop())


def test_functions_of_many_threads_run_each_in_its_own() -> None:
    def work() -> bool:
        async def ask() -> list[int]:
            return await asyncio.gather(*(caller().run(threading.get_ident) for _ in range(20)))

        return block_on(ask()) == [threading.get_ident()] * 20

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        assert all(pool.map(lambda _: work(), range(50)))


def test_function_that_has_not_begun_is_not_run_when_its_wait_is_cancelled() -> None:
    ran: list[str] = []
    may_end = threading.Event()

    async def ask() -> None:
        here = caller()
        first = asyncio.create_task(here.run(may_end.wait))
        second = asyncio.create_task(here.run(ran.append, "second"))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait([second])
        may_end.set()
        await first
        await here.run(ran.append, "third")

    block_on(ask())
    assert ran == ["third"]


def test_function_that_has_not_begun_is_not_run_when_the_coroutine_has_ended() -> None:
    ran: list[str] = []
    may_end = threading.Event()
    left: list[asyncio.Task[Any]] = []

    async def ask() -> None:
        here = caller()
        left.append(asyncio.create_task(here.run(may_end.wait)))
        left.append(asyncio.create_task(here.run(ran.append, "second")))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(may_end.set)

    async def ending() -> BaseException | None:
        await asyncio.wait(left)
        return left[1].exception()

    block_on(ask())
    assert isinstance(block_on(ending()), HueyException)
    assert ran == []


def test_function_that_is_left_behind_holds_the_thread_and_is_dropped() -> None:
    ended: list[str] = []
    begun, may_end = threading.Event(), threading.Event()

    def body() -> None:
        begun.set()
        assert may_end.wait(30)
        ended.append("function")

    async def ask() -> str:
        try:
            async with asyncio.timeout(None) as limit:
                running = asyncio.ensure_future(caller().run(body))
                await asyncio.to_thread(begun.wait)
                limit.reschedule(0)
                await running
        except TimeoutError:
            asyncio.get_running_loop().call_soon(may_end.set)
            return "ran out"
        raise AssertionError("it did not run out")

    assert block_on(ask()) == "ran out"
    assert ended == ["function"]


def test_interrupt_in_a_function_that_is_left_behind_reaches_the_thread() -> None:
    begun, may_end = threading.Event(), threading.Event()

    def body() -> None:
        begun.set()
        assert may_end.wait(30)
        raise KeyboardInterrupt

    async def ask() -> None:
        running = asyncio.ensure_future(caller().run(body))
        await asyncio.to_thread(begun.wait)
        running.cancel()
        await asyncio.wait([running])
        may_end.set()
        await asyncio.Event().wait()

    with pytest.raises(KeyboardInterrupt):
        block_on(ask())


def test_nobody_is_the_caller_elsewhere() -> None:
    async def look() -> Caller | None:
        return current_caller()

    async def look_around() -> list[Caller | None]:
        return [
            await asyncio.to_thread(current_caller),
            await asyncio.to_thread(asyncio.run, look()),
            await ThreadPool("elsewhere").run(current_caller),
            await caller().run(current_caller),
            await caller().run(lambda: block_here(look())),
        ]

    assert current_caller() is None
    assert block_here(look()) is None
    assert asyncio.run(look()) is None
    assert block_on(look()) is not None
    assert block_on(look_around()) == [None] * 5


def test_task_that_outlives_the_call_has_no_caller_any_more() -> None:
    outlived: list[asyncio.Task[Any]] = []
    over = threading.Event()

    async def stay(here: Caller) -> Any:
        await asyncio.to_thread(over.wait)
        with pytest.raises(HueyException, match="does not wait any more"):
            await here.run(print)
        return current_caller()

    async def start() -> None:
        outlived.append(asyncio.create_task(stay(caller())))

    async def join() -> Any:
        return await outlived[0]

    block_on(start())
    over.set()
    assert block_on(join()) is None


@contextmanager
def signal_raises_in(function: str) -> Iterator[Callable[[], None]]:
    """Let a signal do what SIGINT does, once, and only where the main thread waits."""
    main, interrupted = threading.get_ident(), threading.Event()

    def interrupt(number: int, frame: Any) -> None:
        if not interrupted.is_set() and frame is not None and frame.f_code.co_name == function:
            interrupted.set()
            raise KeyboardInterrupt

    def send() -> None:
        # A signal that comes just before a lock is waited for is noticed with the next one only.
        while not interrupted.wait(0.001):
            signal.pthread_kill(main, signal.SIGUSR2)

    before = signal.signal(signal.SIGUSR2, interrupt)
    try:
        yield send
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_interrupt_cancels_the_coroutine_which_may_await_in_its_clean_up() -> None:
    seen: list[str] = []

    with signal_raises_in("_wait") as send:

        async def work() -> None:
            threading.Thread(target=send).start()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                seen.append("cleaned up")

        with pytest.raises(KeyboardInterrupt):
            block_on(work())
    assert seen == ["cleaned up"]


def test_interrupt_lets_no_function_be_run_any_more() -> None:
    seen: list[object] = []

    with signal_raises_in("_wait") as send:

        async def work() -> None:
            here = caller()
            threading.Thread(target=send).start()
            try:
                await asyncio.Event().wait()
            finally:
                try:
                    await here.run(seen.append, "ran")
                except HueyException as error:
                    seen.append(type(error))

        with pytest.raises(KeyboardInterrupt):
            block_on(work())
    assert seen == [HueyException]


async def test_call_on_the_thread_of_a_running_loop_is_refused() -> None:
    with pytest.raises(HueyException, match=r"^sleep: a blocking call on the thread of a running event loop"):
        block_on(asyncio.sleep(0))


def run(program: str) -> subprocess.CompletedProcess[str]:
    head = "import asyncio, os, sys, threading\nfrom hueyio.loops.portal import block_on\n"
    options = ["-W", "error", "-W", "ignore:This process"]  # of any fork beside a thread, from 3.12 on
    return subprocess.run(
        [sys.executable, *options, "-c", head + program], capture_output=True, text=True, timeout=60, check=False
    )


def test_import_starts_no_thread_and_the_first_call_starts_one() -> None:
    done = run(
        "before = threading.active_count()\n"
        "block_on(asyncio.sleep(0)); block_on(asyncio.sleep(0))\n"
        "print(before, [it.name for it in threading.enumerate() if it.daemon])"
    )
    assert (done.stdout, done.stderr) == ("1 ['hueyio-sync']\n", "")


def test_forked_child_starts_a_loop_of_its_own() -> None:
    done = run(
        "block_on(asyncio.sleep(0))\n"
        "if (child := os.fork()) == 0:\n"
        "    os._exit(block_on(asyncio.sleep(0, 7)))\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), block_on(asyncio.sleep(0, 8)))"
    )
    assert (done.stdout, done.stderr) == ("7 8\n", "")


def test_call_that_never_ends_does_not_hold_up_the_exit() -> None:
    program = (
        "began = threading.Event()\n"
        "async def stay():\n"
        "    began.set()\n"
        "    try:\n"
        "        await asyncio.Event().wait()\n"
        "    finally:\n"
        "        print('cancelled', flush=True)\n"
        "threading.Thread(target=block_on, args=(stay(),), daemon=True).start()\n"
        "assert began.wait(30)"
    )
    done = run(program)
    assert (done.returncode, done.stdout) == (0, "cancelled\n")


def test_call_after_the_end_is_refused() -> None:
    program = (
        "import atexit\n"
        "def late():\n"
        "    try:\n"
        "        block_on(asyncio.sleep(0))\n"
        "    except Exception as error:\n"
        "        print(type(error).__name__, error)\n"
        "import hueyio.loops.portal as portal\n"
        "atexit.unregister(portal._portal.end)\n"
        "atexit.register(late)\n"
        "atexit.register(portal._portal.end)\n"
        "block_on(asyncio.sleep(0))"
    )
    done = run(program)
    assert (done.stdout, done.stderr) == ("HueyException the event loop of blocking calls has ended\n", "")


def test_fork_in_a_function_of_the_caller_leaves_the_child_without_one() -> None:
    done = run(
        "from hueyio.loops.caller import current_caller\n"
        "def body():\n"
        "    if (child := os.fork()) == 0:\n"
        "        os._exit(block_on(asyncio.sleep(0, 5)))\n"
        "    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
        "async def ask():\n"
        "    return await current_caller().run(body)\n"
        "print(block_on(ask()))"
    )
    assert (done.stdout, done.stderr) == ("5\n", "")
