"""The thread that waits for a coroutine, and meanwhile runs functions for it.

Theory of operation. The thread reads a queue. The coroutine, on its loop in another thread, puts functions there, and
its end puts None. A function that waits in the queue is in ``_unbegun`` too, and belongs to whoever takes it out there:
the thread that is about to run it, or the loop, because nobody waits for it any more.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar, cast

from hueyio.exceptions import HueyException
from hueyio.loops.calls import Call
from hueyio.loops.ended import Ended, ended
from hueyio.loops.serving import serving_as_before
from hueyio.storage.shared.background import make_task

__all__ = ["Caller", "current_caller"]

R = TypeVar("R")

_CANCEL_TIME: Final = 2.0
"""Seconds that a coroutine gets to end when its wait was interrupted."""

_GONE: Final = "the thread that waited for this coroutine does not wait any more"

_current: Final[ContextVar[Caller | None]] = ContextVar("hueyio_caller", default=None)


def current_caller() -> Caller | None:
    """Return the thread that waits for the coroutine that runs here; None if there is none."""
    caller = _current.get()
    return caller if caller is not None and caller.is_waiting else None


class Caller:
    """A thread that waits for one coroutine. What changes is changed on the loop, but for the two queues."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.thread_id = threading.get_ident()
        self._queue: SimpleQueue[Call | None] = SimpleQueue()
        self._unbegun: set[Call] = set()
        self._left_behind: set[Call] = set()
        self._task: asyncio.Task[Ended[Any]] | None = None
        self._ended: Ended[Any] | None = None
        self._is_waiting = True

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for what runs here: a context goes into threads and to other loops too."""
        try:
            return self._is_waiting and asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    async def run(self, func: Callable[..., R], *args: Any) -> R:
        """Run ``func(*args)`` in the thread, in a copy of this context; return what it returns, raise what it raises.

        Functions run one after another. One that has not begun when the awaiting task is cancelled is not run; one that
        has is left behind: it runs on, holds the thread, and what comes of it is dropped. Raises HueyException if the
        thread does not wait any more.
        """
        if not self.is_waiting:
            raise HueyException(_GONE)
        call = Call(partial(func, *args), copy_context(), self._left_behind)
        self._unbegun.add(call)
        self._queue.put(call)
        try:
            return cast("R", await call.wait())
        finally:
            self._unbegun.discard(call)

    # In the thread

    def wait_for(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """Run the coroutine on the loop, in a copy of this context; return what it returns, raise what it raises."""
        context = copy_context()
        context.run(_current.set, self)
        try:
            self._loop.call_soon_threadsafe(self._start, coroutine, context=context)
        except RuntimeError:
            coroutine.close()
            raise HueyException("the event loop of blocking calls has ended") from None
        try:
            self._wait()
        except BaseException:
            if self._ended is None:
                self._interrupt()
            raise
        return cast("Ended[R]", self._ended).unwrap()

    def _wait(self) -> None:
        while (call := self._queue.get()) is not None:
            self._run(call)
            del call  # else it stays while nothing runs

    def _run(self, call: Call) -> None:
        try:
            self._unbegun.remove(call)
        except KeyError:
            return  # nobody waits for it any more
        with serving_as_before():
            error = call.run()
        if isinstance(error, KeyboardInterrupt) and call.future.cancelled():
            raise error  # nobody else would hear of it

    def _interrupt(self) -> None:
        """Cancel the coroutine, and wait for its end, but not for long."""
        until = time.monotonic() + _CANCEL_TIME
        try:
            self._loop.call_soon_threadsafe(self._cancel)
            while self._queue.get(timeout=max(0.0, until - time.monotonic())) is not None:
                pass  # what has not begun is not run
        except (Empty, RuntimeError):
            return  # it does not end, or its loop has

    # On the loop

    def _start(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._task = make_task(ended(coroutine))
        self._task.add_done_callback(partial(self._end, coroutine))

    def _cancel(self) -> None:
        self._stop_waiting()
        if self._task is not None:
            self._task.cancel()

    def _end(self, coroutine: Coroutine[Any, Any, Any], task: asyncio.Task[Ended[Any]]) -> None:
        self._stop_waiting()
        coroutine.close()  # cancelled before its first step; else it is over
        self._ended = Ended(None, asyncio.CancelledError()) if task.cancelled() else task.result()
        self._queue.put(None)

    def _stop_waiting(self) -> None:
        self._is_waiting = False
        for call in tuple(self._unbegun):
            self._unbegun.discard(call)
            call.finish(None, HueyException(_GONE))
