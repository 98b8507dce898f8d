"""How long a session lives: the root of all that it runs in the background.

Theory of operation. One root task holds a task group, and whatever a session does beside its callers is a child of
it. ``end`` cancels the children and waits for them. A program that forgets ``close`` ends all the same: asyncio.run
cancels every task, so the children let go of their connections and the session counts as closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Final, TypeVar

from hueyio.exceptions import SessionClosed
from hueyio.storage.shared.background import begin_later, make_task

__all__ = ["Lifetime"]

T = TypeVar("T")

_roots: Final[set[asyncio.Task[None]]] = set()
"""The roots that run, of all loops: a loop itself does not keep the tasks of a dropped session alive."""


class Lifetime:
    """The background tasks of one session, in the loop that was running when it was made."""

    def __init__(self, on_over: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_over = on_over
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._end_asked = asyncio.Event()
        self._root: asyncio.Task[None] | None = None
        self.is_closing = False
        self.is_over = False

    @property
    def is_here(self) -> bool:
        """Whether this is its loop."""
        return asyncio.get_running_loop() is self._loop

    async def begin(self) -> None:
        """Start the root."""
        begun: asyncio.Future[None] = self._loop.create_future()
        self._root = make_task(self._run(begun), name="hueyio-session")
        _roots.add(self._root)
        self._root.add_done_callback(_roots.discard)
        await begun

    def check(self) -> None:
        """Raise SessionClosed if it is over or about to be, or if this is not its loop."""
        if self.is_closing or self.is_over:
            raise SessionClosed("the session was closed, or its loop has ended")
        if asyncio.get_running_loop() is not self._loop:
            raise SessionClosed("the session belongs to another loop; open one in this loop")

    def spawn(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something in the background, from the next turn of the loop on; it must not raise.

        Raises SessionClosed when it is too late for that.
        """
        unbegun = begin_later(coroutine)
        context = Context()  # that of the body which first needs this would be kept as long as it runs
        try:
            if self.is_over or self._group is None:
                raise RuntimeError
            task = context.run(self._group.create_task, unbegun)
        except RuntimeError:  # so says a task group that is shutting down
            unbegun.close()
            coroutine.close()
            raise SessionClosed("the session was closed, or its loop has ended") from None
        self._tasks.add(task)
        context.run(task.add_done_callback, self._tasks.discard)
        return task

    async def end(self) -> None:
        """Cancel what runs and wait for its end."""
        self._be_over()
        self._end_asked.set()
        if self._root is not None and self.is_here:
            await asyncio.wait({self._root})

    async def _run(self, begun: asyncio.Future[None]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                begun.set_result(None)
                await self._end_asked.wait()
                for task in tuple(self._tasks):
                    task.cancel()
        finally:
            self._be_over()

    def _be_over(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._on_over()
