"""A session of the memory storage: every operation is one short section under the state's lock.

Nothing suspends except to wait, so a write cannot be cancelled half way. Who waits is woken by its own loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

from hueyio.storage.memory import claim as claiming
from hueyio.storage.memory import looking
from hueyio.storage.memory.latches import enqueue_latched
from hueyio.storage.memory.limits import MemoryLimits
from hueyio.storage.memory.settle import settle
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.memory.waits import OutcomesWait, Wait
from hueyio.storage.records import (
    Answer,
    Area,
    Bell,
    Clearable,
    Counts,
    DeadLetter,
    Delivery,
    Enqueued,
    Entry,
    Found,
    Lane,
    Latch,
    LiveState,
    MemberResults,
    Notices,
    Over,
    Owner,
    Promoted,
    Receipt,
    Settlement,
)
from hueyio.storage.shared.seen_rings import Hearing

__all__ = ["MemorySession"]


class MemorySession(MemoryLimits):
    """All roles on the shared state, bound to one running loop."""

    def __init__(self, state: MemoryState, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(state, loop)
        self._waits: set[Wait] = set()
        self._hearing = Hearing()

    async def close(self) -> None:
        """Wake every wait with SessionClosed."""
        self._closed = True
        for wait in self._waits:
            wait.wake_here()

    # --- producing

    async def enqueue(self, entries: Sequence[Entry], latches: Sequence[Latch] = ()) -> list[Enqueued]:
        """Add all entries in one step."""
        state = self._state
        with state.lock:
            return enqueue_latched(state, entries, latches) if latches else state.enqueue(entries)

    async def cancel(self, ids: Sequence[str], owner: str) -> list[Delivery]:
        """Flag every id that is alive; hand over those that nobody holds."""
        state = self._state
        with state.lock:
            return claiming.cancel(state, ids, owner)

    async def locate(self, ids: Sequence[str]) -> list[Found]:
        """Say where each id is now."""
        state = self._state
        with state.lock:
            return [looking.locate(state, id) for id in ids]

    # --- consuming

    async def register(self, owner: str, info: bytes) -> None:
        """Begin a lease, or replace its info."""
        state = self._state
        with state.lock:
            claiming.register(state, owner, info)

    async def deregister(self, owner: str) -> None:
        """End a lease; what is held goes back."""
        state = self._state
        with state.lock:
            claiming.deregister(state, owner)

    async def owners(self) -> list[Owner]:
        """List the owners with a live lease."""
        state = self._state
        with state.lock:
            return claiming.owners(state)

    async def wait_for_work(self, bells: Collection[Bell], timeout: float) -> frozenset[Bell]:
        """Wait until a bell rings."""
        deadline = self._loop.time() + timeout
        await asyncio.sleep(0)  # so that whoever only claims and waits lets others run, however often it rings
        answer = self._hearing.listen(bells)
        while True:
            state = self._state
            with state.lock:
                rung = answer(state.bells.rings)
                left = deadline - self._loop.time()
                if rung or left <= 0:
                    return self._hearing.hear(rung or {})
                wait = self._new_wait()
                state.bells.pokes.add(bells, wait)
            timer = self._loop.call_later(left, wait.wake_here)
            try:
                await wait.future
            finally:
                timer.cancel()
                self._waits.discard(wait)
                with state.lock:
                    state.bells.pokes.discard(bells, wait)

    async def claim(self, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
        """Take ready tasks under the owner's lease."""
        state = self._state
        with state.lock:
            deliveries = claiming.claim(state, room, owner)
            if self._hearing.claimed(room, deliveries):
                for lane in room:
                    state.bells.pokes.poke(lane)
            return deliveries

    async def held(self, owner: str) -> list[Delivery]:
        """List what is under the owner's lease."""
        state = self._state
        with state.lock:
            return claiming.held(state, owner)

    async def start(self, receipts: Sequence[Receipt], owner: str) -> list[bool]:
        """Write that bodies are about to run."""
        state = self._state
        with state.lock:
            return claiming.start(state, receipts, owner)

    async def settle(self, settlements: Sequence[Settlement], owner: str, number: int) -> list[Answer]:
        """End the runs of several tasks in one step."""
        state = self._state
        with state.lock:
            return settle(state, settlements, owner, number)

    async def notices(self, owner: str, seen: Notices | None) -> Notices:
        """Return the owner's notices as soon as they differ from ``seen``."""
        while True:
            state = self._state
            with state.lock:
                now = claiming.notices(state, owner)
                if now != seen:
                    return now
                wait = self._new_wait()
                state.noticed.add([owner], wait)
            try:
                await wait.future
            finally:
                self._waits.discard(wait)
                with state.lock:
                    state.noticed.discard([owner], wait)

    async def promote(self, now: float, limit: int) -> Promoted:
        """Move what is due to its lanes."""
        state = self._state
        with state.lock:
            return claiming.promote(state, now, limit)

    async def reclaim(self, owner: str, beat: int) -> int | None:
        """Give an owner up if its heartbeat is still ``beat``."""
        state = self._state
        with state.lock:
            return claiming.reclaim(state, owner, beat)

    async def report(self, receipt: Receipt, data: bytes) -> bool:
        """Keep the latest progress of a running task."""
        state = self._state
        with state.lock:
            return claiming.report(state, receipt, data)

    async def collect(self, keys: Sequence[str]) -> list[MemberResults | None]:
        """Read what was reported to latches."""
        state = self._state
        with state.lock:
            latches = [state.latches.get(key) for key in keys]
            return [None if latch is None else latch.reported() for latch in latches]

    # --- waiting

    async def await_outcomes(self, ids: Sequence[str]) -> list[Over]:
        """Return when all ids are over."""
        state = self._state
        with state.lock:
            found = {id: self._over(id) for id in ids}
            wait = OutcomesWait(self._loop, self, found)
            missing = wait.missing()
            if missing:
                state.outcomes.add(missing, wait)
                self._waits.add(wait)
        if missing:
            try:
                await wait.future
                _ = self._state
            finally:
                self._waits.discard(wait)
                with state.lock:
                    state.outcomes.take_back(wait)
        return [over for over in map(found.get, ids) if over is not None]

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        """Return a task's progress when it differs from ``seen``, or None when the task is over."""
        while True:
            state = self._state
            with state.lock:
                if self._over(id) is not None:
                    return None
                task = state.tasks.get(id)
                if task is not None and task.progress is not None and task.progress != seen:
                    return task.progress
                wait = self._new_wait()
                state.followed.add([id], wait)
            try:
                await wait.future
            finally:
                self._waits.discard(wait)
                with state.lock:
                    state.followed.discard([id], wait)

    # --- dead

    async def dead(self, limit: int | None = None) -> list[DeadLetter]:
        """List dead letters, the latest first."""
        state = self._state
        with state.lock:
            return looking.dead(state, limit)

    async def requeue(self, ids: Sequence[str]) -> int:
        """Make tasks of dead letters again."""
        state = self._state
        with state.lock:
            return looking.requeue(state, ids)

    async def purge(self, ids: Sequence[str] | None = None) -> int:
        """Delete these dead letters, or all."""
        state = self._state
        with state.lock:
            return looking.purge(state, ids)

    # --- looking

    async def counts(self) -> Counts:
        """Count everything."""
        state = self._state
        with state.lock:
            return looking.counts(state)

    async def scan_tasks(self, place: LiveState, limit: int | None = None) -> list[Entry]:
        """List tasks."""
        state = self._state
        with state.lock:
            return looking.scan_tasks(state, place, limit)

    async def scan_keys(self, area: Area, limit: int | None = None) -> list[tuple[str, bytes]]:
        """List the keys of an area with their values."""
        state = self._state
        with state.lock:
            return state.areas[area].items()[:limit]

    async def clear(self, what: Collection[Clearable]) -> None:
        """Delete all of these."""
        state = self._state
        with state.lock:
            looking.clear(state, what)

    async def pause(self) -> None:
        """Let claims return nothing."""
        state = self._state
        with state.lock:
            looking.pause(state)

    async def resume(self) -> None:
        """Undo ``pause``."""
        state = self._state
        with state.lock:
            looking.resume(state)

    async def is_paused(self) -> bool:
        """Say whether the queue is paused."""
        return self._state.paused

    def _new_wait(self) -> Wait:
        wait = Wait(self._loop)
        self._waits.add(wait)
        return wait

    def _over(self, id: str) -> Over | None:
        if id in self._shared.tasks or id in self._shared.expected:
            return None
        return Over(id, self._shared.areas["results"].get(id))
