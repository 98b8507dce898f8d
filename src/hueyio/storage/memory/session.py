"""A session of the memory storage: every operation is one short section under the state's lock.

Nothing suspends except to wait, so a write cannot be cancelled half way. Who waits is woken by its own loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, TypeVar

from hueyio.exceptions import SessionClosed
from hueyio.storage.memory.actions import ACTIONS
from hueyio.storage.memory.consuming import claim, claim_ids
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.memory.waiters import Pokes, Wait, Waiter
from hueyio.storage.memory.waiting import find_end, find_notices, find_progress
from hueyio.storage.operations import OperationSession
from hueyio.storage.records import Bell, Delivery, Enqueued, Entry, Lane, Latch, Notices, Over, Unknown
from hueyio.storage.shared.seen_rings import SeenRings

__all__ = ["MemorySession"]

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class MemorySession(OperationSession):
    """All roles on the shared state, bound to one running loop."""

    actions: ClassVar[Mapping[str, Callable[..., Any]]] = ACTIONS

    def __init__(self, state: MemoryState, loop: asyncio.AbstractEventLoop) -> None:
        self._state = state
        self._loop = loop
        self._is_closed = False
        self._actions: Mapping[str, Callable[..., Any]] = {
            name: partial(action, state) for name, action in self.actions.items()
        }
        self._waits: set[Wait] = set()
        self._seen_rings = SeenRings()

    async def close(self) -> None:
        """Wake every wait with SessionClosed."""
        self._is_closed = True
        for wait in self._waits:
            wait.wake_here()

    async def _do(self, name: str, /, *args: Any) -> Any:
        if self._is_closed or self._loop.is_closed():
            raise self._error()
        with self._state.lock:
            return self._actions[name](*args)

    # The hottest operation, mostly for one task: as short as it can be. There is nothing to copy, it is done at once.
    async def enqueue(self, entries: Sequence[Entry], latches: Sequence[Latch] = ()) -> list[Enqueued]:
        if self._is_closed or self._loop.is_closed():
            raise self._error()
        with self._state.lock:
            answers: list[Enqueued] = self._actions["enqueue"](entries, latches)
            return answers

    async def claim(self, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
        """Take ready tasks, and let the others who wait on this session hear of what is left."""
        self._require_open()
        state = self._state
        with state.lock:
            deliveries = claim(state, room, owner)
            if self._seen_rings.note_claim(room, deliveries):
                for lane in room:
                    state.bells.pokes.poke(lane)
            return deliveries

    async def claim_ids(self, ids: Sequence[str], owner: str) -> list[Delivery]:
        """Take these tasks, as far as they are queued: what immediate mode does beside the contract."""
        self._require_open()
        with self._state.lock:
            return claim_ids(self._state, ids, owner)

    def call_at_notice(self, owner: str, hear: Callable[[Notices], object]) -> None:
        """Call ``hear`` in this loop whenever others ask something of an owner, as long as its lease lives.

        For one who has no time to wait for notices.
        """
        wait = Wait(self._loop)
        wait.future.add_done_callback(lambda _: self._hear_notices(owner, hear))
        with self._state.lock:
            self._state.noticed.add([owner], wait)

    async def wait_for_work(self, bells: Collection[Bell], timeout: float) -> frozenset[Bell]:
        deadline = self._loop.time() + timeout
        await asyncio.sleep(0)  # so that whoever only claims and waits lets others run, however often it rings
        answer = self._seen_rings.begin(bells)
        pokes = self._state.bells.pokes
        return self._seen_rings.end(
            await self._wait(pokes, bells, lambda state: answer(state.bells.rings), deadline) or {}
        )

    async def notices(self, owner: str, seen: Notices | None) -> Notices:
        found = await self._wait(self._state.noticed, [owner], lambda state: find_notices(state, owner, seen))
        assert found is not None
        return found

    async def await_outcomes(self, ids: Sequence[str], unknown: Unknown = "return") -> list[Over]:
        found = await self._wait_for_ends(ids, unknown)
        return [over for over in map(found.get, ids) if over is not None]

    async def tell_outcomes(self, ids: Sequence[str], hear: Callable[[Over], object]) -> None:
        """Have each end told as it comes (``Telling``)."""
        await self._wait_for_ends(ids, "return", hear)

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        found = await self._wait(self._state.followed, [id], lambda state: find_progress(state, id, seen))
        assert found is not None
        return found[0]

    async def _wait_for_ends(
        self, ids: Sequence[str], unknown: Unknown, hear: Callable[[Over], object] | None = None
    ) -> Mapping[str, Over | None]:
        self._require_open()
        state = self._state
        with state.lock:
            found = {id: find_end(state, id, unknown) for id in ids}
            there = [over for over in found.values() if over is not None]
            waiter = Waiter(self._loop, self, found, hear)
            missing = waiter.missing()
            if missing:
                state.waiters.add(missing, waiter)
                self._waits.add(waiter)
        if hear is not None:
            for over in there:
                hear(over)
        if missing:
            try:
                await waiter.future
                self._require_open()
            finally:
                self._waits.discard(waiter)
                with state.lock:
                    state.waiters.take_back(waiter)
        return found

    def _hear_notices(self, owner: str, hear: Callable[[Notices], object]) -> None:
        if self._is_closed or owner not in self._state.leases:
            return
        self.call_at_notice(owner, hear)  # before the look, so that none is missed
        with self._state.lock:
            notices = find_notices(self._state, owner, None)
        assert notices is not None
        hear(notices)

    async def _wait(
        self,
        pokes: Pokes[K],
        keys: Collection[K],
        look: Callable[[MemoryState], T | None],
        deadline: float | None = None,
    ) -> T | None:
        """Look now and whenever one of the keys is poked, until there is something, or None at the deadline."""
        state = self._state
        while True:
            self._require_open()
            with state.lock:
                found = look(state)
                if found is not None or (deadline is not None and self._loop.time() >= deadline):
                    return found
                wait = Wait(self._loop)
                pokes.add(keys, wait)
            await self._wait_once(pokes, keys, wait, deadline)

    async def _wait_once(self, pokes: Pokes[K], keys: Collection[K], wait: Wait, deadline: float | None) -> None:
        timer = None if deadline is None else self._loop.call_at(deadline, wait.wake_here)
        self._waits.add(wait)
        try:
            await wait.future
        finally:
            self._waits.discard(wait)
            if timer is not None:
                timer.cancel()
            with self._state.lock:
                pokes.discard(keys, wait)

    def _require_open(self) -> None:
        if self._is_closed or self._loop.is_closed():
            raise self._error()

    def _error(self) -> SessionClosed:
        return SessionClosed("this session was closed, or its loop has ended; connect() gives another")
