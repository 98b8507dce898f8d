"""A body that waits for other tasks lends its slot meanwhile, so that they can be run.

Theory of operation. Each slot of a consumer has a ``Place``, which all that runs there finds in its context: bodies,
hooks and receivers, in threads too. A wait that may take another task's end goes through ``lending``. After a moment it
tells the place, which lends the slot; and it does not return before the place has a slot again. A place is lent while
any wait is under way in it, so ``gather`` over many handles is one loan.

The state of a place changes on the consumer's loop alone. A wait may be on any loop: a blocking one is on that of
blocking calls. A wait that is cancelled, or fails, takes a slot at once, even if there is none: the body has to clean
up, and must not stand in a line for that. The lane then runs one more until the next one ends.

What a body leaves behind (a thread whose task ran out of time) goes on without a slot, as all that it does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import Context, ContextVar, copy_context
from typing import Final, Protocol, TypeVar

from hueyio.execution.context import running
from hueyio.tasks.task import Task

__all__ = [
    "PLACE",
    "SOON",
    "LendsSlot",
    "Place",
    "SlotLender",
    "Wait",
    "context_without_place",
    "lending",
    "note_enqueued",
]

T = TypeVar("T")

SOON: Final = 0.01
"""Seconds after which a wait lends its slot: what is there already is not worth the change."""

_MOST_NOTED: Final = 10_000
"""How many of the tasks that one body enqueued are remembered."""


class SlotLender(Protocol):
    """The slots of a lane, as a place sees them."""

    def lend(self, place: Place) -> None:
        """Let another job run in the place's stead."""
        ...

    def ask(self, place: Place) -> asyncio.Future[None] | None:
        """Ask for a slot; None: the place has one again. Else it has one when the future is done."""
        ...

    def insist(self, place: Place) -> None:
        """Have a slot again at once, even if there is none."""
        ...


class LendsSlot(Protocol):
    """Where a body finds its slot: here, or, in a pool process, in the parent."""

    def note(self, task: Task | None, ids: Iterable[str]) -> None:
        """Remember what the body enqueues; may be called from any thread."""
        ...

    async def lend_while(self, ids: Sequence[str], waiting: Awaitable[T]) -> T:
        """Await something on any loop, without the slot if it takes longer than a moment."""
        ...


class Wait:
    """One wait of a body; ``task`` is None where hooks and receivers of a run that is over wait."""

    __slots__ = ("ids", "is_told", "task")

    def __init__(self, ids: Sequence[str], task: Task | None) -> None:
        self.ids = ids
        self.task = task
        self.is_told = False


class Place:
    """One slot's right to run, which it may lend."""

    __slots__ = ("_asked", "_enqueued", "_lender", "_loop", "_waits", "is_lent", "is_touched", "task")

    def __init__(self, loop: asyncio.AbstractEventLoop, lender: SlotLender) -> None:
        self._loop = loop
        self._lender = lender
        self._waits: dict[Wait, None] = {}
        self._enqueued: deque[str] = deque(maxlen=_MOST_NOTED)
        self._asked: asyncio.Future[None] | None = None
        self.task: Task | None = None
        """Whose run is in the slot now; None: it is idle."""
        self.is_lent = False
        self.is_touched = False
        """Whether there is anything for ``clear`` to do."""

    def awaited(self) -> list[str]:
        """List what the body waits for, the latest first."""
        return [id for wait in reversed(self._waits) for id in wait.ids]

    def enqueued(self) -> list[str]:
        """List what the body enqueued, the latest first: a chord's members end before its callback does."""
        return list(reversed(self._enqueued))

    def clear(self) -> None:
        """Forget the run that was in the slot; what it has left behind has no part in the next one."""
        self.is_touched = False
        self._waits.clear()
        self._enqueued.clear()
        self._have_slot()

    def note(self, task: Task | None, ids: Iterable[str]) -> None:
        """Remember what the body enqueues; may be called from any thread."""
        if task is not None and task is self.task:
            self.is_touched = True
            self._enqueued.extend(ids)

    async def lend_while(self, ids: Sequence[str], waiting: Awaitable[T]) -> T:
        """Await something on any loop, without the slot if it takes longer than a moment."""
        loop = asyncio.get_running_loop()
        wait = Wait(ids, running.get(None))
        timer = loop.call_later(SOON, self._tell, loop, wait)
        try:
            answer = await waiting
        except BaseException:
            timer.cancel()
            if wait.is_told:
                self._on_own_loop(loop, self._abandon, wait)
            raise
        timer.cancel()
        if wait.is_told:
            await self._return(loop, wait)
        return answer

    # From the thread that serves a pool process

    def begin_elsewhere(self, ids: Sequence[str]) -> Wait:
        """Lend the slot for a wait in another process."""
        wait = Wait(ids, running.get(None))
        self._on_own_loop(None, self._begin, wait)
        return wait

    def end_elsewhere(self, wait: Wait, is_patient: bool) -> None:
        """Have a slot again after it, at once unless ``is_patient``; waits for that."""
        if not is_patient:
            self._on_own_loop(None, self._abandon, wait)
            return
        ending = self._end(wait)
        try:
            asyncio.run_coroutine_threadsafe(ending, self._loop).result()
        except RuntimeError:
            ending.close()  # as below

    def _tell(self, loop: asyncio.AbstractEventLoop, wait: Wait) -> None:
        wait.is_told = True
        self._on_own_loop(loop, self._begin, wait)

    def _on_own_loop(self, loop: asyncio.AbstractEventLoop | None, act: Callable[[Wait], None], wait: Wait) -> None:
        if loop is self._loop:
            act(wait)
            return
        try:
            self._loop.call_soon_threadsafe(act, wait)
        except RuntimeError:
            return  # the consumer's loop has ended: nobody counts slots any more

    async def _return(self, loop: asyncio.AbstractEventLoop, wait: Wait) -> None:
        if loop is self._loop:
            await self._end(wait)
            return
        ending = self._end(wait)
        try:
            future = asyncio.run_coroutine_threadsafe(ending, self._loop)
        except RuntimeError:
            ending.close()
            return  # as above
        await asyncio.wrap_future(future)

    # On the consumer's loop

    def _begin(self, wait: Wait) -> None:
        if self.task is None or (wait.task is not None and wait.task is not self.task):
            return  # left behind by a run that has ended here
        self.is_touched = True
        self._waits[wait] = None
        if not self.is_lent:
            self.is_lent = True
            self._lender.lend(self)

    async def _end(self, wait: Wait) -> None:
        if wait not in self._waits:
            return
        del self._waits[wait]
        if self._waits or not self.is_lent:
            return
        if self._asked is None:
            self._asked = self._lender.ask(self)
            if self._asked is None:
                self._settle_down()
                return
            self._asked.add_done_callback(self._got)
        try:
            await asyncio.shield(self._asked)
        except asyncio.CancelledError:
            self._have_slot()
            raise

    def _abandon(self, wait: Wait) -> None:
        if wait in self._waits:
            del self._waits[wait]
            if not self._waits:
                self._have_slot()

    def _got(self, asked: asyncio.Future[None]) -> None:
        if self._asked is asked and not asked.cancelled():
            self._asked = None
            self._settle_down()

    def _settle_down(self) -> None:
        """Keep the slot that was given back, unless another wait of the same body began meanwhile."""
        self.is_lent = False
        if self._waits:
            self.is_lent = True
            self._lender.lend(self)

    def _have_slot(self) -> None:
        if not self.is_lent:
            return
        self.is_lent = False
        asked, self._asked = self._asked, None
        if asked is not None and asked.done():
            return  # it was given one a moment ago
        self._lender.insist(self)
        if asked is not None:
            asked.set_result(None)


PLACE: Final[ContextVar[LendsSlot | None]] = ContextVar("hueyio_place", default=None)


async def lending(ids: Sequence[str], waiting: Awaitable[T]) -> T:
    """Await something that may take the end of these tasks; inside a consumer's slot, lend that meanwhile."""
    place = PLACE.get()
    return await (waiting if place is None else place.lend_while(ids, waiting))


def note_enqueued(ids: Iterable[str]) -> None:
    """Note in a consumer's slot what is enqueued there: if the body waits for it, it may have to be run first."""
    place = PLACE.get()
    if place is not None:
        place.note(running.get(None), ids)


def context_without_place() -> Context:
    """Return a copy of this context for what waits beside the body, while that goes on or waits for it by itself."""
    context = copy_context()
    context.run(PLACE.set, None)
    return context
