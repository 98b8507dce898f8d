"""Questions and housekeeping in memory; not for the hot path."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from hueyio.storage.memory.latches import abandon
from hueyio.storage.memory.line import Line, LiveTask
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.records import LANES, Clearable, Counts, DeadLetter, Entry, Found, LiveState

__all__ = ["clear", "counts", "dead", "locate", "pause", "purge", "requeue", "resume", "scan_tasks"]


def locate(state: MemoryState, id: str) -> Found:
    """Say where an id is."""
    task = state.tasks.get(id)
    if task is not None:
        if task.owner is not None:
            return Found(id, "running", task.data, task.cancelled)
        return Found(id, "scheduled" if task.line is state.schedule else "queued", task.data, task.cancelled)
    if id in state.expected:
        return Found(id, "expected")
    if id in state.dead:
        return Found(id, "dead", state.dead[id].data)
    result = state.areas["results"].get(id)
    return Found(id, "gone") if result is None else Found(id, "stored", result)


def counts(state: MemoryState) -> Counts:
    """Count everything."""
    return Counts(
        queued={lane: len(line) for lane, line in state.lanes.items()},
        suspects=len(state.suspects),
        scheduled=len(state.schedule),
        running=sum(len(lease.held) for lease in state.leases.values()),
        expected=len(state.expected),
        results=len(state.areas["results"]),
        dead=len(state.dead),
        dead_dropped=state.dead_dropped,
        latches=len(state.latches),
    )


def scan_tasks(state: MemoryState, place: LiveState, limit: int | None) -> list[Entry]:
    """List tasks in claim order, suspects first."""
    tasks: list[LiveTask] = []
    if place == "queued":
        for line in (state.suspects, *(state.lanes[lane] for lane in LANES)):
            tasks += line.in_order()
    elif place == "scheduled":
        tasks = state.schedule.in_order()
    else:
        tasks = [task for lease in state.leases.values() for task in lease.held.values()]
    return [task.to_entry() for task in tasks[:limit]]


def clear(state: MemoryState, what: Collection[Clearable]) -> None:
    """Delete all of these; tell those who wait for what was deleted."""
    for it in what:
        if it == "queue":
            for line in (state.suspects, *state.lanes.values()):
                _clear_line(state, line)
        elif it == "schedule":
            _clear_line(state, state.schedule)
        elif it == "dead":
            state.dead.clear()
        else:
            state.areas[it].clear()


def dead(state: MemoryState, limit: int | None) -> list[DeadLetter]:
    """List dead letters, the latest first."""
    return list(reversed(state.dead.values()))[:limit]


def requeue(state: MemoryState, ids: Sequence[str]) -> int:
    """Make tasks of dead letters again; return how many."""
    return sum(_requeue_one(state, id) for id in ids)


def purge(state: MemoryState, ids: Sequence[str] | None) -> int:
    """Delete dead letters; return how many."""
    return sum(state.dead.pop(id, None) is not None for id in (list(state.dead) if ids is None else ids))


def pause(state: MemoryState) -> None:
    """Let claims return nothing, and say so to the owners."""
    state.paused = True
    state.noticed.poke_all()


def resume(state: MemoryState) -> None:
    """Let claims return tasks again; ring for what is there."""
    state.paused = False
    for lane, line in state.lanes.items():
        if line:
            state.bells.ring(lane)
    for suspect in state.suspects.in_order():
        state.bells.ring(suspect.header.lane)
    state.noticed.poke_all()


def _requeue_one(state: MemoryState, id: str) -> bool:
    letter = state.dead.get(id)
    if letter is None:
        return False
    # Its eta has passed, and its once token is its own.
    header = letter.header._replace(eta=None, once_token=None, once_ttl=None, first_seen=None, defers=0)
    (placed,) = state.enqueue([Entry(header, letter.data)])
    if placed.verdict != "added":
        return False
    del state.dead[id]
    return True


def _clear_line(state: MemoryState, line: Line) -> None:
    tasks = line.in_order()
    for task in tasks:
        line.take_out(task)
        state.forget(task)
    for task in tasks:
        state.tell(task.header.id)
        state.unname(task.header.id, task.header.expects)
        abandon(state, task.header)
