"""Run bodies in the thread of whoever made a blocking call, where there is one.

That thread cannot be taken from a body: whoever cancels the wait for it waits until the body has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import Any, TypeVar, cast

from hueyio.loops.caller import Caller, current_caller
from hueyio.loops.ended import ended
from hueyio.loops.threads import BorrowedThread, ThreadPool
from hueyio.storage.shared.background import make_task

__all__ = ["CallerThreads"]

R = TypeVar("R")


class CallerThreads(ThreadPool):
    """The threads of those who wait in blocking calls; a pool's for all others."""

    async def run_in(self, context: Context, func: Callable[..., R], *args: Any) -> R:
        """Run ``func(*args)`` in a context; return what it returns, raise what it raises."""
        caller = current_caller()
        if caller is None:
            return await super().run_in(context, func, *args)
        return cast("R", await _run_in(caller, context.run, func, *args))

    def borrow(self, context: Context) -> BorrowedThread:
        """Return a thread for several calls, all in this context; it must be given back."""
        caller = current_caller()
        return super().borrow(context) if caller is None else _CallersOwn(self, context, caller)


class _CallersOwn(BorrowedThread):
    """The caller's thread, for several calls."""

    def __init__(self, pool: ThreadPool, context: Context, caller: Caller) -> None:
        super().__init__(pool, context)
        self._caller = caller

    async def call(self, func: Callable[..., R], *args: Any) -> R:
        """Run a function; return what it returns, raise what it raises."""
        return cast("R", await _run_in(self._caller, self.context.run, func, *args))


async def _run_in(caller: Caller, func: Callable[..., Any], *args: Any) -> Any:
    running = make_task(ended(caller.run(func, *args)))  # a SystemExit out of a task would end the loop
    try:
        value, error = await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        raise
    if error is not None:
        raise error
    return value
