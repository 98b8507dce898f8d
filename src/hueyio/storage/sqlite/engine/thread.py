"""A thread that runs whole functions, one after another.

Why not aiosqlite, for connections of hueyio's own? Three promises would be lost:

* One operation is one step. aiosqlite runs one statement per ``await``, 70 us each, and whoever else uses the session
  meanwhile gets in between; here an operation of many statements, or of many callers, is one function.
* Nothing is open at the moment of a fork (``file`` says why). The connection is closed by whichever thread forks;
  aiosqlite closes on its loop, which may be what stands still for the fork.
* A session that nobody closed must neither hold up the exit nor print anything. This thread is a daemon and answers no
  loop that is closed; aiosqlite's is waited for at the exit.

An application's own connection is another matter: ``joined_transaction`` asks aiosqlite for it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeAlias, TypeVar

from hueyio.storage.shared.answers import reject, resolve
from hueyio.storage.shared.threaded import start_for_session, tell

__all__ = ["SqliteThread"]

T = TypeVar("T")

_Functions: TypeAlias = "SimpleQueue[Callable[[], None] | None]"


class SqliteThread:
    """Runs functions in the order they were posted; the first of them starts it."""

    def __init__(self, name: str) -> None:
        self._functions: _Functions = SimpleQueue()
        self._name = name
        self._thread: threading.Thread | None = None
        self.is_stopped = False

    def post(self, function: Callable[[], None]) -> None:
        """Run a function that never raises, after all posted before. Raises StorageUnavailable at Python's end."""
        if self._thread is None:
            self._thread = start_for_session(_run_all, self._name, self._functions)
        self._functions.put(function)

    def run(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Run a function; the future of the running loop gets what it returns or raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self.post(lambda: _answer(loop, future, function))
        return future

    def stop(self, *last: Callable[[], None]) -> None:
        """Run these after all that was posted (here, if nothing was), and end; a second call does nothing."""
        if self.is_stopped:
            return
        self.is_stopped = True
        for function in last:
            if self._thread is not None:
                self.post(function)
            else:
                function()
        self._functions.put(None)

    def join(self, timeout: float) -> None:
        """Wait for the end, unless this is the thread itself or it never began."""
        if self._thread is not None and threading.current_thread() is not self._thread:
            self._thread.join(timeout)


def _run_all(functions: _Functions) -> None:
    while (function := functions.get()) is not None:
        function()
        del function  # an idle thread keeps nothing alive


def _answer(loop: asyncio.AbstractEventLoop, future: asyncio.Future[T], function: Callable[[], T]) -> None:
    """Call the function and hand its answer to the future, unless nobody waits any more."""
    try:
        result = function()
    except BaseException as error:
        tell(loop, reject, future, error)
    else:
        tell(loop, resolve, future, result)
