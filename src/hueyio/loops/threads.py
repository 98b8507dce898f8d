"""Threads of our own, and contexts.

Threads are daemons: a thread that never returns must not hold up the exit of the process. The threads of
``concurrent.futures`` and anyio are joined at exit, which waits for an abandoned one.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from queue import SimpleQueue
from typing import Any, Final, Protocol, TypeVar, cast

from hueyio.loops.calls import Call
from hueyio.storage.shared.threaded import start_daemon

__all__ = ["BorrowedThread", "PoolJob", "ThreadPool", "run_in"]

R = TypeVar("R")

_IDLE_TIME: Final = 10.0
"""Seconds after which a thread without work ends."""


@types.coroutine
def run_in(context: contextvars.Context, coroutine: Coroutine[Any, Any, R]) -> Generator[Any, Any, R]:
    """Await a coroutine in a context.

    It does by hand what a Task of its own would do, at a tenth of the cost: each step runs in the copy, and what it
    waits for is handed on to the task that runs all this.
    """
    run = context.run
    try:
        waits_for = run(coroutine.send, None)
        while True:
            try:
                answer = yield waits_for
            except GeneratorExit:
                run(coroutine.close)
                raise
            except BaseException as error:
                thrown = error
            else:
                waits_for = run(coroutine.send, answer)
                continue
            try:
                # Not in the block above, where ``error`` would become the context of exceptions in the coroutine: anyio
                # before 4.16 tells its own cancellations by their contexts, and would swallow that of a timeout.
                waits_for = run(coroutine.throw, thrown)
            finally:
                del thrown  # it and this frame would hold each other
    except StopIteration as stop:
        value: R = stop.value
        return value


class PoolJob(Protocol):
    """What a thread of the pool does."""

    def run(self) -> object:
        """Do it, in the thread; raises nothing."""
        ...


class ThreadPool:
    """Daemon threads, started when needed, that serve any number of loops.

    ``limit`` bounds the threads; further calls wait for one. Without a limit the caller bounds them: a thread whose
    call was abandoned then does not take a place from others. ``on_start`` is called first in each thread.
    """

    def __init__(self, name: str, limit: int | None = None, *, on_start: Callable[[], None] | None = None) -> None:
        self._name = name
        self._limit = limit
        self._on_start = on_start
        self.abandoned: set[PoolJob] = set()
        """What runs on although nobody waits for it any more."""
        self._begin()

    async def run(self, func: Callable[..., R], *args: Any) -> R:
        """Run ``func(*args)`` in a thread, in a copy of this context; return what it returns, raise what it raises.

        When the awaiting task is cancelled the thread is abandoned: it runs on and what comes of it is dropped.
        """
        return await self.run_in(contextvars.copy_context(), func, *args)

    async def run_in(self, context: contextvars.Context, func: Callable[..., R], *args: Any) -> R:
        """Do the same in a context that nobody else is in meanwhile."""
        call = Call(lambda: func(*args), context, self.abandoned)
        self.submit(call)
        return cast("R", await call.wait())

    def borrow(self, context: contextvars.Context) -> BorrowedThread:
        """Return a thread for several calls, all in this context; it must be given back."""
        return BorrowedThread(self, context)

    def submit(self, call: PoolJob) -> None:
        """Have a thread run this; raises RuntimeError if there is none and none can be started."""
        if self._pid != os.getpid():
            self._begin()  # a forked child has none of its parent's threads
        with self._lock:
            self._calls.append(call)
            if self._idle >= len(self._calls):
                self._lock.notify()
            elif self._limit is None or self._threads < self._limit:
                self._start_thread(call)

    def _start_thread(self, call: PoolJob) -> None:
        """Start one more; if the system has none left, the call waits for one of those that there are."""
        try:
            start_daemon(self._serve, f"{self._name}-{self._threads + 1}")
        except RuntimeError:
            if self._threads == 0:
                self._calls.remove(call)
                raise
        else:
            self._threads += 1

    def statistics(self) -> tuple[int, int]:
        """Return how many threads there are and how many of them are idle."""
        with self._lock:
            return self._threads, self._idle

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Condition()
        self._calls: deque[PoolJob] = deque()
        self.abandoned.clear()
        self._threads = 0
        self._idle = 0

    def _serve(self) -> None:
        if self._on_start is not None:
            self._on_start()
        while (call := self._next_call()) is not None:
            call.run()
            del call  # else an idle thread keeps the last task's arguments alive

    def _next_call(self) -> PoolJob | None:
        with self._lock:
            self._idle += 1
            self._lock.wait_for(lambda: self._calls, timeout=_IDLE_TIME)
            self._idle -= 1
            if self._calls:
                return self._calls.popleft()
            self._threads -= 1
            return None


class BorrowedThread:
    """One thread of a pool for several calls, one after another, all in one context.

    It is taken from the pool with the first call, and returns to it when it was given back and its calls are done.
    """

    def __init__(self, pool: ThreadPool, context: contextvars.Context) -> None:
        self.context = context
        self.is_left_behind = False
        """Whether a call in it was abandoned, which may still run: those after it wait for its end."""
        self._pool = pool
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._taken = False

    def begin(self, func: Callable[..., Any], *args: Any) -> Call:
        """Have a function run when the calls before it are done."""
        call = Call(lambda: func(*args), self.context, self._pool.abandoned)
        self._calls.put(call)
        if not self._taken:
            self._taken = True
            self._pool.submit(self)
        return call

    async def call(self, func: Callable[..., R], *args: Any) -> R:
        """Run a function; return what it returns, raise what it raises."""
        call = self.begin(func, *args)
        try:
            return cast("R", await call.wait())
        except asyncio.CancelledError:
            self.is_left_behind = not call.ended
            raise

    def give_back(self) -> None:
        """Let the thread go after the calls that were begun."""
        if self._taken:
            self._calls.put(None)

    def run(self) -> None:
        """Serve the borrower, in the thread."""
        while (call := self._calls.get()) is not None:
            call.run()
            del call
