"""Many small calls become few large ones.

Theory of operation. The first call starts a round, which begins in the next turn of the loop: what was submitted
until then goes together. What comes while a round is under way waits for it and makes up the next. So an idle batcher
adds one turn of the loop, and a busy one grows its batches with the load.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

from hueyio.exceptions import SessionClosed

__all__ = ["Batcher"]

T = TypeVar("T")
R = TypeVar("R")


class _Submitted(Generic[T, R]):
    """What one caller submitted, and where its results go."""

    __slots__ = ("future", "items")

    def __init__(self, items: Sequence[T], future: asyncio.Future[list[R]]) -> None:
        self.items = items
        self.future = future

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)
            self.future.exception()  # whoever went away without it must not be told by the loop


class Batcher(Generic[T, R]):
    """Gathers the items of many callers into calls of ``act``, which answers one result per item, in order.

    What one caller submits stays in one call of ``act``, unless it is more than ``limit`` items. The calls of a round
    run side by side. Rounds run as tasks made by ``spawn``, so that nobody who submitted can cancel them. A
    task must not have begun when ``spawn`` returns, whatever task factory the loop has.
    """

    def __init__(
        self,
        act: Callable[[list[T]], Awaitable[list[R]]],
        limit: int,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._act = act
        self._limit = limit
        self._spawn = spawn
        self._waiting: list[_Submitted[T, R]] = []
        self._is_running = False
        self._round_over = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way: a call has nobody to go with yet."""
        return not self._is_running

    def submit(self, items: Sequence[T]) -> asyncio.Future[list[R]]:
        """Have the items acted on with those of others; return the future of their results."""
        if not self._is_running:
            self._spawn(self._run())  # begins in the next turn: what comes until then goes with it
            self._is_running = True
        submitted: _Submitted[T, R] = _Submitted(items, asyncio.get_running_loop().create_future())
        self._waiting.append(submitted)
        return submitted.future

    async def drain(self) -> None:
        """Wait until all that was submitted is done."""
        while self._is_running:
            self._round_over.clear()
            await self._round_over.wait()

    async def _run(self) -> None:
        try:
            while self._waiting:
                submitted, self._waiting = self._waiting, []
                batches = self._pack(submitted)
                if len(batches) == 1:
                    await self._act_on(batches[0])
                    continue
                async with asyncio.TaskGroup() as calls:
                    for batch in batches:
                        calls.create_task(self._act_on(batch))
        finally:
            self._is_running = False
            for left in self._waiting:
                left.fail(SessionClosed("the session was closed, or its loop has ended"))
            self._round_over.set()

    async def _act_on(self, batch: list[_Submitted[T, R]]) -> None:
        try:
            results = await self._act_in_chunks([item for submitted in batch for item in submitted.items])
        except asyncio.CancelledError:
            for submitted in batch:
                submitted.fail(SessionClosed("the session was closed, or its loop has ended"))
            raise
        except Exception as error:
            for submitted in batch:
                submitted.fail(error)
            return
        at = 0
        for submitted in batch:
            stop = at + len(submitted.items)
            if not submitted.future.done():
                submitted.future.set_result(results[at:stop])
            at = stop

    async def _act_in_chunks(self, items: list[T]) -> list[R]:
        if len(items) <= self._limit:
            return await self._act(items)
        chunks = [items[at : at + self._limit] for at in range(0, len(items), self._limit)]
        answered = await asyncio.gather(*[self._act(chunk) for chunk in chunks])
        return [result for results in answered for result in results]

    def _pack(self, submitted: Sequence[_Submitted[T, R]]) -> list[list[_Submitted[T, R]]]:
        """Split a round into calls of at most ``limit`` items without splitting what belongs together."""
        batches: list[list[_Submitted[T, R]]] = [[]]
        size = 0
        for it in submitted:
            if batches[-1] and size + len(it.items) > self._limit:
                batches.append([])
                size = 0
            batches[-1].append(it)
            size += len(it.items)
        return batches
