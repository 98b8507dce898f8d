"""Tasks on their way in, or taken back, in memory."""

from __future__ import annotations

from collections.abc import Sequence

from hueyio.storage.memory.dead import find
from hueyio.storage.memory.latches import enqueue_latched
from hueyio.storage.memory.line import LiveTask
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.memory.waiting_stages import whole
from hueyio.storage.records import Delivery, Enqueued, Entry, Found, Latch

__all__ = ["cancel", "enqueue", "locate"]


def enqueue(state: MemoryState, entries: Sequence[Entry], latches: Sequence[Latch]) -> list[Enqueued]:
    """Add all entries, with the latches of which they are members."""
    if latches:
        return enqueue_latched(state, entries, latches)
    return [state.add(*entry) for entry in entries]


def cancel(state: MemoryState, ids: Sequence[str], owner: str) -> list[Delivery]:
    """Flag what is alive; take what no owner holds yet."""
    lease = state.lease(owner)
    taken: list[LiveTask] = []
    for id in ids:
        task = state.tasks.get(id)
        if task is None:
            continue
        task.cancelled = True
        if task.line is not None:
            task.line.take_out(task)
            state.hold(task, owner, lease)
            taken.append(task)
        elif task.owner is not None:
            state.noticed.poke(task.owner)
    return state.deliver(taken, owner)


def locate(state: MemoryState, ids: Sequence[str]) -> list[Found]:
    """Say where each id is."""
    return [_locate_one(state, id) for id in ids]


def _locate_one(state: MemoryState, id: str) -> Found:
    task = state.tasks.get(id)
    if task is not None:
        data = whole(state, task.header, task.data)
        if task.owner is not None:
            return Found(id, "running", data, task.cancelled)
        return Found(id, "scheduled" if task.line is state.schedule else "queued", data, task.cancelled)
    if id in state.expected:
        return Found(id, "expected")
    kind = state.tombstones.get(id)
    letter = find(state, id)
    if letter is not None:
        return Found(id, "dead", letter.data, kind=kind or letter.kind)
    result = state.areas["results"].get(id)
    if result is not None:
        return Found(id, "stored", result, kind=kind)
    return Found(id, "unknown" if kind is None else "ended", kind=kind)
