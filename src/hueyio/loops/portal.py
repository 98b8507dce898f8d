"""One event loop in a thread of its own, for all blocking calls of this process.

Theory of operation. A coroutine is handed to the loop, and the calling thread waits for what comes of it; so threads
share the loop's connections, and a thousand blocking calls need no more of them than one. The thread is started by the
first call and is a daemon, ended at exit. A forked child has none of its parent's threads, and starts its own.

At exit the loop goes first, while the threads of its storage sessions still answer it, and then these; so nobody waits
for somebody who is gone. Calls after that (from a ``__del__`` at the very end, from an exit function that was
registered before hueyio was imported) raise.

Why this is not anyio's ``BlockingPortal`` (4.16): it hands each call over twice, to start it and to run it, and takes
150 µs where this takes 60; it cancels again and again, so that a wait that is interrupted cannot take its registration
back in the storage; SystemExit in one call ends it for all; ``start_blocking_portal`` joins its thread at exit, however
long a call takes; and the waiting thread cannot run anything meanwhile, as it does here (see ``caller``).
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any, Final, TypeVar

from hueyio.exceptions import HueyException
from hueyio.loops.caller import Caller
from hueyio.storage.shared.foreign.unseen_loop import LOOP_OF_ONE_CALL
from hueyio.storage.shared.threaded import start_daemon

__all__ = ["block_here", "block_on", "iterate", "require_no_loop", "start_on_portal"]

T = TypeVar("T")

_OVER: Final = "the event loop of blocking calls has ended"

_SHORT: Final = {"TaskWrapper": "task", "ResultGroup": "group", "ChordResult": "chord", "BaseStorage": "storage"}
"""What users call an object of a class; elsewhere the name of the class in small letters."""

_END_TIME: Final = 2.0
"""Seconds that the loop gets at exit to let go of its connections."""


def block_on(coroutine: Coroutine[Any, Any, T], called: str | None = None) -> T:
    """Run a coroutine on the portal's loop, and wait for it; the context's variables are seen there.

    ``called`` is what errors name: the qualified name of the coroutine, unless it is given.

    Meanwhile the coroutine may have functions run in this thread: see ``caller.current_caller``. Raises HueyException
    on the thread of a running loop, where waiting would stop everything. KeyboardInterrupt cancels the coroutine.
    """
    try:
        require_no_loop(called or _name_of(coroutine))
        loop = _portal.loop()
    except HueyException:
        coroutine.close()
        raise
    return Caller(loop).wait_for(coroutine)


def block_here(coroutine: Coroutine[Any, Any, T]) -> T:
    """Do the same on a loop of its own in this thread, for what belongs to this thread: a connection of sqlite3."""
    try:
        require_no_loop(_name_of(coroutine))
    except HueyException:
        coroutine.close()
        raise
    before = LOOP_OF_ONE_CALL.set(True)
    try:
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            return runner.run(coroutine)
    finally:
        LOOP_OF_ONE_CALL.reset(before)


def start_on_portal(start: Callable[..., asyncio.Task[Any] | None], *args: Any) -> None:
    """Have the portal's loop start a task soon, and do not wait for it; the loop does, before it ends.

    Nothing happens if it has ended.
    """
    with suppress(RuntimeError, HueyException):
        _portal.loop().call_soon_threadsafe(_portal.start, start, args)


def iterate(values: AsyncIterator[T], called: str | None = None) -> Iterator[T]:
    """Iterate over an asynchronous iterator, blocking between its values; an iteration that is left closes it.

    ``called`` is what errors name: the qualified name of the asynchronous generator, unless it is given.
    """
    require_no_loop(called or _name_of(values))

    async def next_value() -> tuple[T] | None:
        try:
            return (await anext(values),)
        except StopAsyncIteration:
            return None

    async def close() -> None:
        if isinstance(values, AsyncGenerator):
            await values.aclose()

    try:
        while (found := block_on(next_value())) is not None:
            yield found[0]
    finally:
        block_on(close())


def require_no_loop(called: str) -> None:
    """Raise HueyException on the thread of a running loop; ``called`` is the qualified name of what would block it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    owner, _, name = called.rpartition(".")
    of = ""
    if owner[:1].isupper():  # a method of a class of ours
        owner = _SHORT.get(owner, owner.lower())
        called, of = f"{owner}.{name}", f"{owner}."
    aio = f"{of}aio.{name}" if of else f"{name}.aio"
    raise HueyException(
        f"{called}: a blocking call on the thread of a running event loop, which would stop for it; "
        f"use `await {of}{name}(...)` there instead, with hueyio.blocking `await {aio}(...)`"
    )


def _name_of(made: object) -> str:
    name: str = getattr(made, "__qualname__", type(made).__name__)
    return name


class _Portal:
    """The loop and its thread."""

    _lock: threading.Lock
    _loop: asyncio.AbstractEventLoop | None
    _is_over: bool
    _stop: asyncio.Event | None
    _thread: threading.Thread | None
    _to_end: set[asyncio.Task[Any]]

    def __init__(self) -> None:
        self.begin()

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop; starts it if it does not run. Raises HueyException if it has ended, or cannot start."""
        with self._lock:
            if self._is_over:
                raise HueyException(_OVER)
            if self._loop is None:
                started = threading.Event()
                try:
                    self._thread = start_daemon(self._serve, "hueyio-sync", started)
                except RuntimeError as error:
                    raise HueyException(f"the event loop of blocking calls cannot start: {error}") from error
                started.wait()
        if self._loop is None:
            raise HueyException("the event loop of blocking calls did not start")
        return self._loop

    def end(self) -> None:
        """Cancel what still runs there, and close the loop; from now on there is none."""
        self._is_over = True
        loop, stop, thread = self._loop, self._stop, self._thread
        if loop is None or stop is None or thread is None:
            return
        loop.call_soon_threadsafe(stop.set)
        thread.join(_END_TIME)

    def begin(self) -> None:
        """Have no loop: nothing was called yet, or this is a forked child."""
        self._lock = threading.Lock()
        self._loop = None
        self._is_over = False
        self._stop = None
        self._thread = None
        self._to_end = set()

    def _serve(self, started: threading.Event) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._wait(started))
        except RuntimeError:
            # Python 3.12 starts no thread at exit, and asyncio wants one to end the loop's executor, as its last step.
            if not self._is_over:
                raise
        finally:
            started.set()

    def start(self, start: Callable[..., asyncio.Task[Any] | None], args: tuple[Any, ...]) -> None:
        """Start a task, on the loop, that is to end before the loop does."""
        task = start(*args)
        if task is not None:
            self._to_end.add(task)
            task.add_done_callback(self._to_end.discard)

    async def _wait(self, started: threading.Event) -> None:
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        started.set()
        await self._stop.wait()
        if self._to_end:
            await asyncio.wait(self._to_end, timeout=_END_TIME / 2)


_portal: Final = _Portal()
os.register_at_fork(after_in_child=_portal.begin)
atexit.register(_portal.end)  # before the threads of ``threaded``, which registered first: Python goes backwards
