"""``anyio.from_thread`` in our threads: ``run``, ``run_sync`` and ``check_cancelled``.

anyio gives no public way to make a thread of one's own known to it, and its worker threads are joined at exit, which a
task that never returns would hold up. Its ``from_thread`` looks up a token in a private thread-local, and calls the
backend that the token names; here that is ``InsideAnyio``. Tried with anyio 4.9 and 4.10, which keep the backend
beside the token, and with 4.11 to 4.16. Where the thread-local is gone, ``from_thread`` fails as in any other foreign
thread.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final, Protocol, TypeVar

__all__ = ["InsideAnyio", "import_anyio"]

R = TypeVar("R")


class _RunOnLoop(Protocol):
    def __call__(self, coroutine: Coroutine[Any, Any, R]) -> R: ...


class InsideAnyio:
    """What anyio takes for the token of a worker thread and for the backend of its loop."""

    def __init__(self, run_on_loop: _RunOnLoop, is_left_behind: Callable[[], bool]) -> None:
        self._run_on_loop = run_on_loop
        self._is_left_behind = is_left_behind

    def enter(self) -> None:
        """Make this thread known to anyio, for good, or as long as ``left`` says."""
        if (known := _threadlocals()) is not None:
            known.__dict__.update(dict.fromkeys(_NAMES, self))

    @contextmanager
    def left(self) -> Iterator[None]:
        """Have anyio know of this thread what it knew before, when this is over: it may be one of anyio's own."""
        known = _threadlocals()
        if known is None:
            yield
            return
        before = {name: known.__dict__[name] for name in _NAMES if name in known.__dict__}
        try:
            yield
        finally:
            for name in _NAMES:
                known.__dict__.pop(name, None)
            known.__dict__.update(before)

    # What ``anyio.from_thread`` uses

    @property
    def backend_class(self) -> InsideAnyio:
        """Stand for the backend, too."""
        return self

    def run_async_from_thread(self, func: Callable[..., Awaitable[R]], args: tuple[Any, ...], token: object) -> R:
        """Run a coroutine function on the loop for which this thread works."""

        async def call() -> R:
            return await func(*args)

        return self._run_on_loop(call())

    def run_sync_from_thread(self, func: Callable[..., R], args: tuple[Any, ...], token: object) -> R:
        """Run a function there."""

        async def call() -> R:
            return func(*args)

        return self._run_on_loop(call())

    def check_cancelled(self) -> None:
        """Raise CancelledError if the task that this thread runs was cancelled or has run out of time."""
        if self._is_left_behind():
            raise asyncio.CancelledError("nobody waits any more for what this thread does")


_NAMES: Final = ("current_token", "current_async_backend")
"""Attributes of the thread-local; the second one until anyio 4.10."""


def import_anyio() -> None:
    """Import what threads need, before any of them does: a consumer may have no file descriptor left by then."""
    _threadlocals()


def _threadlocals() -> Any:
    """Return anyio's thread-local; None if there is none. Imported with the first thread: many programs have none."""
    try:
        return _find_threadlocals()
    except (ImportError, AttributeError, OSError):  # the last: nothing can be opened now, and the thread must go on
        return None


@functools.cache
def _find_threadlocals() -> Any:
    return import_module("anyio._core._eventloop").threadlocals
