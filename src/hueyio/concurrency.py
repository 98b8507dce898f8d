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
from typing import Any, Final, TypeVar, cast

__all__ = ["ThreadPool", "run_in_copy"]

R = TypeVar("R")

_IDLE_TIME: Final = 10.0
"""Seconds after which a thread without work ends."""


@types.coroutine
def run_in_copy(coroutine: Coroutine[Any, Any, R]) -> Generator[Any, Any, R]:
    """Await a coroutine in a copy of this context, so that the variables which it sets are gone after it.

    It does by hand what a Task of its own would do, at a tenth of the cost: each step runs in the copy, and what it
    waits for is handed on to the task that runs all this.
    """
    run = contextvars.copy_context().run
    try:
        waits_for = run(coroutine.send, None)
        while True:
            try:
                answer = yield waits_for
            except GeneratorExit:
                run(coroutine.close)
                raise
            except BaseException as error:
                waits_for = run(coroutine.throw, error)
            else:
                waits_for = run(coroutine.send, answer)
    except StopIteration as stop:
        value: R = stop.value
        return value


class _Call:
    """One function to run in a thread, and the future that a loop awaits."""

    __slots__ = ("context", "func", "future", "loop")

    def __init__(self, func: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.func = func
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.context = contextvars.copy_context()

    def run(self) -> None:
        """Run in the thread; tell the loop, unless it has ended meanwhile."""
        try:
            result, error = self.context.run(self.func), None
        except BaseException as raised:  # handed to the awaiting coroutine, SystemExit too: it must not end the thread
            result, error = None, raised
        try:
            self.loop.call_soon_threadsafe(self._finish, result, error)
        except RuntimeError:
            return  # the loop is closed: nobody waits for this abandoned call any more

    def _finish(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():
            return  # abandoned: cancelled, or timed out
        # Both as the future's result: StopIteration is refused as its exception, and GeneratorExit would close the
        # coroutines that await it.
        self.future.set_result((result, error))


class ThreadPool:
    """Daemon threads, started when needed, that serve any number of loops.

    ``limit`` bounds the threads; further calls wait for one. Without a limit the caller bounds them: a thread whose
    call was abandoned then does not take a place from others.
    """

    def __init__(self, name: str, limit: int | None = None) -> None:
        self._name = name
        self._limit = limit
        self._begin()

    async def run(self, func: Callable[..., R], *args: Any) -> R:
        """Run ``func(*args)`` in a thread, in a copy of this context; return what it returns, raise what it raises.

        When the awaiting task is cancelled the thread is abandoned: it runs on and what comes of it is dropped.
        """
        if self._pid != os.getpid():
            self._begin()  # a forked child has none of its parent's threads
        call = _Call(lambda: func(*args), asyncio.get_running_loop())
        with self._lock:
            self._calls.append(call)
            if self._idle >= len(self._calls):
                self._lock.notify()
            elif self._limit is None or self._threads < self._limit:
                self._threads += 1
                threading.Thread(target=self._serve, name=f"{self._name}-{self._threads}", daemon=True).start()
        result, error = await call.future
        if error is not None:
            raise error
        return cast("R", result)

    def statistics(self) -> tuple[int, int]:
        """Return how many threads there are and how many of them are idle."""
        with self._lock:
            return self._threads, self._idle

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Condition()
        self._calls: deque[_Call] = deque()
        self._threads = 0
        self._idle = 0

    def _serve(self) -> None:
        while (call := self._next_call()) is not None:
            call.run()
            del call  # else an idle thread keeps the last task's arguments alive

    def _next_call(self) -> _Call | None:
        with self._lock:
            self._idle += 1
            self._lock.wait_for(lambda: self._calls, timeout=_IDLE_TIME)
            self._idle -= 1
            if self._calls:
                return self._calls.popleft()
            self._threads -= 1
            return None
