"""One thread in which functions run one after another, and which may be needed again from inside one of them.

Theory of operation. A function in the thread may have something done elsewhere and wait for that (a blocking call, or
a loop of its own), and that may have to run a further function here: a hook that enqueues a task, beside a receiver of
``enqueued``. In line behind the first one it would wait for ever. So it runs in the first one's stead, as a plain call
would: in this very thread where that serves the coroutine which it waits for (see ``caller``), else in another thread
that has the turn meanwhile. Who is inside of which function is known from the context, which goes along with each call.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from contextvars import Context, ContextVar, copy_context
from typing import Any, Final, TypeVar

from hueyio.loops.caller import current_caller
from hueyio.loops.threads import ThreadPool, run_in

__all__ = ["OrderedThread", "is_in_ordered_thread"]

R = TypeVar("R")

logger = logging.getLogger(__name__)

_PATIENCE: Final = 5.0
"""Seconds that a function waits for its turn before the one that has it is named."""


class _Turn:
    """One function that runs in an ordered thread."""

    __slots__ = ("around", "func", "has_ended", "is_named", "since", "thread", "thread_id")

    def __init__(self, thread: OrderedThread, func: Callable[..., Any], around: _Turn | None) -> None:
        self.thread = thread
        self.func = func
        self.around = around
        """The function inside of which it was called."""
        self.since = 0.0
        self.thread_id = 0
        self.has_ended = False
        self.is_named = False


_TURN: Final[ContextVar[_Turn | None]] = ContextVar("hueyio_turn", default=None)


def is_in_ordered_thread() -> bool:
    """Say whether a function in any ordered thread waits for what runs here, as far as that is known."""
    turn = _TURN.get()
    while turn is not None and turn.has_ended:
        turn = turn.around
    return turn is not None


class OrderedThread:
    """A thread for the functions of any number of loops, one at a time, in the order of their calls.

    One that others have waited for ``patience`` seconds is named in the log.
    """

    def __init__(self, name: str, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._pool = ThreadPool(name, limit=1)
        self._inside = ThreadPool(f"{name}-inside")
        self._turn: _Turn | None = None
        """The one that runs; changed in the thread, read anywhere."""

    async def run(self, func: Callable[..., R], *args: Any) -> R:
        """Run ``func(*args)`` in a copy of this context; return what it returns, raise what it raises."""
        return await self.run_in(copy_context(), func, *args)

    async def run_in(self, context: Context, func: Callable[..., R], *args: Any) -> R:
        """Do the same in a context that nobody else is in meanwhile; a caller that is cancelled may leave it in use."""
        around = self._own_turn()
        turn = _Turn(self, func, _TURN.get())

        def call() -> R:
            return context.run(self._call, turn, func, args)

        if around is not None:
            caller = current_caller()
            if caller is not None and caller.thread_id == around.thread_id:
                return await caller.run(call)
            return await self._inside.run(call)
        timer = asyncio.get_running_loop().call_later(self._patience, self._name_who_stands, turn)
        try:
            return await self._pool.run(call)
        finally:
            timer.cancel()

    async def call_in(self, context: Context, func: Callable[..., Any], *args: Any) -> None:
        """Run a function in such a context: a `def` one here, an `async def` one, and what is awaited, on this loop."""
        if inspect.iscoroutinefunction(func):
            answer = context.run(func, *args)
        else:
            answer = await self.run_in(context, func, *args)
        if inspect.isawaitable(answer):
            await run_in(context, _awaited(answer))

    def _call(self, turn: _Turn, func: Callable[..., R], args: tuple[Any, ...]) -> R:
        turn.thread_id = threading.get_ident()
        turn.since = time.monotonic()
        before, self._turn = self._turn, turn
        token = _TURN.set(turn)
        try:
            return func(*args)
        finally:
            _TURN.reset(token)
            turn.has_ended = True
            self._turn = before

    def _own_turn(self) -> _Turn | None:
        """Return the turn in this thread that waits for what runs here; None if there is none."""
        turn = _TURN.get()
        while turn is not None and (turn.thread is not self or turn.has_ended):
            turn = turn.around
        return turn

    def _name_who_stands(self, waiting: _Turn) -> None:
        turn = self._turn
        if waiting.since or turn is None or turn.is_named:
            return
        turn.is_named = True
        logger.warning(
            "%r has kept the thread of sync hooks and receivers for %.0f s, and others wait for it: make it fast, or "
            "`async def`",
            turn.func,
            time.monotonic() - turn.since,
        )


async def _awaited(answer: Awaitable[Any]) -> None:
    await answer
