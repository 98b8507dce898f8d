"""One function that runs in a thread for a coroutine that waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any

from hueyio.loops.serving import serve_loop

__all__ = ["Call"]


class Call:
    """The function, and the future that the loop awaits."""

    __slots__ = ("context", "ended", "func", "future", "left_behind", "loop")

    def __init__(self, func: Callable[[], Any], context: Context, left_behind: set[Any]) -> None:
        self.func = func
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[tuple[Any, BaseException | None]] = self.loop.create_future()
        self.context = context
        self.left_behind = left_behind
        """Where it is kept while it runs although nobody waits for it any more."""
        self.ended = False

    async def wait(self) -> Any:
        """Wait for the end; return what the function returned, raise what it raised.

        A caller that is cancelled leaves the function behind: it runs on, is counted, and what comes of it is dropped.
        """
        try:
            result, error = await self.future
        except asyncio.CancelledError:
            self.left_behind.add(self)
            if self.ended:
                self.left_behind.discard(self)
            raise
        if error is not None:
            raise error
        return result

    def run(self) -> BaseException | None:
        """Run in the thread, which works for the loop from now on, and tell the loop, unless it has ended meanwhile.

        Returns what the function raised.
        """
        serve_loop(self.loop, self.future.cancelled)
        error: BaseException | None
        try:
            result, error = self.context.run(self.func), None
        except BaseException as raised:  # handed to the awaiting coroutine, SystemExit too: it must not end the thread
            result, error = None, raised
        self.ended = True
        self.left_behind.discard(self)
        try:
            self.loop.call_soon_threadsafe(self.finish, result, error)
        except RuntimeError:
            return error  # the loop is closed: nobody waits for this call any more
        return error

    def finish(self, result: Any, error: BaseException | None) -> None:
        """End the wait, on the loop."""
        if self.future.done():
            return  # left behind: cancelled, or timed out
        # Both as the future's result: StopIteration is refused as its exception, and GeneratorExit would close the
        # coroutines that await it.
        self.future.set_result((result, error))
