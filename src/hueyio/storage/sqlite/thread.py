"""A thread that runs whole functions, one after another: the one place that touches aiosqlite's private parts.

Every ``await`` on aiosqlite is a hop to its thread and back, 70 us each, so an operation of several statements must
be one function there; aiosqlite has no public call for that. Three private names do it: ``Connection._tx``, the
queue of ``(future, function)``; ``Connection._thread``, made a daemon before it starts, because a connection that
nobody closes must not hold up the exit; and ``core._STOP_RUNNING_SENTINEL``, which ends the thread when a function
returns it. The future is always None, and what is queued never raises: aiosqlite would answer on a loop that may be
closed by then, and print a traceback. aiosqlite's own slot for a connection stays empty, so its ``__del__`` keeps
quiet; the connection is in a ``SqliteFile``, because it must be let go before a fork.

A connection of the application's own is asked by ``Connection._execute``, with the function that gets ``_conn``.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from aiosqlite import core

__all__ = ["SqliteThread", "run_in_thread_of"]

T = TypeVar("T")


class SqliteThread:
    """Runs functions in the order they were posted."""

    def __init__(self, name: str) -> None:
        self._runner = core.Connection(_no_connection, 0)
        self._runner._thread.name = name
        self._runner._thread.daemon = True
        self._runner._thread.start()
        self.is_stopped = False

    def post(self, function: Callable[[], None]) -> None:
        """Run a function that never raises, after all that was posted before."""
        self._runner._tx.put_nowait((None, _Once(function)))

    def run(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Run a function; the future of the running loop gets what it returns or raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self.post(lambda: answer(loop, future, function))
        return future

    def stop(self, last: Callable[[], None]) -> None:
        """Run a last function after all that was posted, and end; a second call does nothing."""
        if not self.is_stopped:
            self.is_stopped = True
            self.post(last)
            self._runner._tx.put_nowait((None, _stop))

    def join(self, timeout: float) -> None:
        """Wait for the end, unless this is the thread itself."""
        if threading.current_thread() is not self._runner._thread:
            self._runner._thread.join(timeout)


async def run_in_thread_of(connection: core.Connection, function: Callable[[sqlite3.Connection], T]) -> T:
    """Run a function on a connection of the application's own, in its thread, after what it sent there before."""
    result: T = await connection._execute(lambda: function(connection._conn))  # type: ignore[no-untyped-call]
    return result


class _Once:
    """A function that is forgotten when it has run: the idle thread's frame keeps the last one that it called."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[], None]) -> None:
        self._function: Callable[[], None] | None = function

    def __call__(self) -> None:
        function, self._function = self._function, None
        assert function is not None
        function()


def answer(loop: asyncio.AbstractEventLoop, future: asyncio.Future[T], function: Callable[[], T]) -> None:
    """Call the function and hand its answer to the future, unless nobody waits any more."""
    try:
        result = function()
    except BaseException as error:
        tell(loop, _fail, future, error)
    else:
        tell(loop, _succeed, future, result)


def tell(loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *args: Any) -> bool:
    """Call back on the loop; False if it is closed."""
    try:
        loop.call_soon_threadsafe(callback, *args)
    except RuntimeError:
        return False
    return True


def _succeed(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[T], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def _stop() -> object:
    return core._STOP_RUNNING_SENTINEL


def _no_connection() -> sqlite3.Connection:
    raise AssertionError("the connection of this thread is in a SqliteFile")
