"""The ends of many tasks, awaited a few hundred by one call, and handed over together.

Theory of operation. A wait for each of thousands costs a task, an answer and a deletion of each; here they share them.
Nothing that is done for all of them at once is longer than a few milliseconds: calls begin one in each turn of the
loop, and what they tell is read either in the turn in which it came, a call's share of it, or when it is asked for.

What cannot be awaited in this way is left to ``Reader.wait``: tasks of which only the id is known, or whose end cannot
be read. So are all where nothing may be awaited beside the caller (immediate mode, hooks in the ordered thread).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from itertools import chain
from typing import Any, Final

from hueyio.client.deletions import delete_read
from hueyio.core import Core
from hueyio.execution.lending import context_without_place, lending
from hueyio.handles.reader import Delete, Reader, check_timeout, session_without
from hueyio.loops.ordered import is_in_ordered_thread
from hueyio.storage.contract import Session, Telling
from hueyio.storage.records import Over
from hueyio.storage.shared.background import make_task

__all__ = ["Arrivals", "hand_over_all", "wait_together"]

_MOST_TOGETHER: Final = 500
"""How many ends are awaited by one call."""

_MOST_IN_A_TURN: Final = 100
"""How many ends are given in one turn of the loop, if they are there: whoever takes them may wait for nothing else."""


def hand_over_all(readers: Sequence[Reader | None], preserve: bool, delete: Delete = delete_read) -> list[Any]:
    """Return the values of a group, None where nothing was read; as ``Reader.hand_over`` does of each.

    What all of them left is deleted together: of thousands, each costs the loop a part of a microsecond.
    """
    values = [None if reader is None else reader.value for reader in readers]
    if not preserve:
        stored: dict[Core, list[str]] = {}
        for reader in readers:
            if reader is not None and reader.note_release():
                stored.setdefault(reader.core, []).append(reader.id)
        for core, ids in stored.items():
            delete(core, ids)
    return values


async def wait_together(readers: Sequence[Reader], timeout: float | None) -> None:
    """Wait for the ends of many tasks and read them into their readers.

    Returns when all are there that can be waited for in this way, and after ``timeout`` seconds.
    """
    check_timeout(timeout)
    awaited = [reader for reader in readers if not reader.is_final and reader.seen_at is not None]
    core = _common_core(awaited)
    if core is None or len(awaited) < 2 or (timeout is not None and timeout <= 0):
        return
    ids = [reader.id for reader in awaited]
    session = await session_without(core, ids)
    try:
        async with asyncio.timeout(timeout):
            await lending(ids, _wait_for_chunks(session, awaited))
    except TimeoutError:
        return


async def _wait_for_chunks(session: Session, readers: Sequence[Reader]) -> None:
    """Wait for all; the first call that fails ends the others too."""
    waiting: list[asyncio.Task[None]] = []
    try:
        for at in range(0, len(readers), _MOST_TOGETHER):
            waiting.append(make_task(_wait_for_chunk(session, readers[at : at + _MOST_TOGETHER])))
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
    finally:
        await _end(waiting)


async def _wait_for_chunk(session: Session, readers: Sequence[Reader]) -> None:
    overs = await session.await_outcomes([reader.id for reader in readers], "return")
    for reader, over in zip(readers, overs, strict=True):
        reader.take(over)


class Arrivals:
    """The places of readers in the order in which their tasks end.

    ``wait_alone`` waits for the reader at a place by itself, and reads its end.
    """

    def __init__(self, readers: Sequence[Reader], wait_alone: Callable[[int], Coroutine[Any, Any, object]]) -> None:
        self._readers = readers
        self._wait_alone = wait_alone
        self._places: dict[str, list[int]] = {}
        """Where those stand of whose ends nothing was heard, of several of one id each."""
        self._arrived: deque[tuple[int, Over | None] | Exception] = deque()
        self._given = 0
        self._woken = asyncio.Event()
        self._waiting: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Begin to wait for all; ``end`` has to be called."""
        alone: list[int] = []
        for place, reader in enumerate(self._readers):
            if reader.is_final:
                self._arrived.append((place, None))
            elif reader.seen_at is None:
                alone.append(place)
            else:
                self._places.setdefault(reader.id, []).append(place)
        session = await self._find_session()
        if session is None:
            alone = sorted([*alone, *chain.from_iterable(self._places.values())])
        elif self._places:
            self._start(self._hear_all, session)
        if alone:
            self._start(self._wait_for_each, alone)

    async def next(self) -> int:
        """Return the place of the next whose task has ended; it was read, unless there is nothing, or no sense, in it.

        Raises what a wait has raised.
        """
        if self._arrived:
            self._given += 1
            if self._given % _MOST_IN_A_TURN == 0:
                await asyncio.sleep(0)
        while not self._arrived:
            self._woken.clear()
            await self._woken.wait()
        arrived = self._arrived.popleft()
        if isinstance(arrived, Exception):
            raise arrived
        place, over = arrived
        if over is not None:
            self._readers[place].take(over)
        return place

    async def end(self) -> None:
        """Wait for nothing any more."""
        await _end(self._waiting)

    async def _find_session(self) -> Telling | None:
        """Return the session, if it can tell of several ends at once."""
        core = _common_core([self._readers[place] for place in chain.from_iterable(self._places.values())])
        session = None if core is None else await session_without(core, list(self._places))
        return session if isinstance(session, Telling) else None

    async def _hear_all(self, session: Telling) -> None:
        ids = list(self._places)
        for at in range(0, len(ids), _MOST_TOGETHER):
            self._start(session.tell_outcomes, ids[at : at + _MOST_TOGETHER], self._hear)
            await asyncio.sleep(0)

    async def _wait_for_each(self, places: Sequence[int]) -> None:
        for number, place in enumerate(places, 1):
            self._start(self._wait_for_one, place)
            if number % _MOST_IN_A_TURN == 0:
                await asyncio.sleep(0)

    async def _wait_for_one(self, place: int) -> None:
        await self._wait_alone(place)
        self._note((place, None))

    def _hear(self, over: Over) -> None:
        for place in self._places.pop(over.id, ()):  # it may be told twice
            self._note((place, over))

    def _note(self, arrived: tuple[int, Over | None] | Exception) -> None:
        self._arrived.append(arrived)
        self._woken.set()

    def _start(self, wait: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        # The body that takes the ends goes on between two of them, while these wait: it lends its slot itself.
        self._waiting.append(make_task(self._carry_out(wait, *args), context=context_without_place()))

    async def _carry_out(self, wait: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        try:
            await wait(*args)
        except Exception as error:  # whoever takes the next end gets it
            self._note(error)


def _common_core(readers: Sequence[Reader]) -> Core | None:
    """Return the core of readers that can be waited for together; None: each by itself."""
    if not readers or is_in_ordered_thread():
        return None
    core = readers[0].core
    if core.immediate or not core.storage.capabilities.keeps or any(reader.core is not core for reader in readers):
        return None
    return core


async def _end(waiting: Sequence[asyncio.Task[None]]) -> None:
    for it in waiting:
        it.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
