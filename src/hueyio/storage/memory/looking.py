"""Questions and housekeeping in memory; not for the hot path."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from hueyio.storage.memory.dead import purge
from hueyio.storage.memory.latches import abandon
from hueyio.storage.memory.line import Line, LiveTask
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.memory.waiting_stages import whole
from hueyio.storage.records import (
    LANES,
    NOTES_KEPT,
    Area,
    Clearable,
    Counts,
    Entry,
    LiveState,
    Note,
    Pause,
)

__all__ = ["clear", "counts", "note", "notes", "pause", "paused", "resume", "scan_keys", "scan_tasks", "time"]


def counts(state: MemoryState, most: int | None = None) -> Counts:
    """Count everything; all lengths are known."""
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
        failed=len(state.failed),
    )


def scan_tasks(state: MemoryState, where: LiveState, limit: int | None) -> list[Entry]:
    """List tasks in claim order, suspects first."""
    tasks: list[LiveTask] = []
    if where == "queued":
        for line in (state.suspects, *(state.lanes[lane] for lane in LANES)):
            tasks += line.in_order()
    elif where == "scheduled":
        tasks = state.schedule.in_order()
    else:
        tasks = [task for lease in state.leases.values() for task in lease.held.values()]
    return [Entry(task.header, whole(state, task.header, task.data)) for task in tasks[:limit]]


def scan_keys(state: MemoryState, area: Area, limit: int | None) -> list[tuple[str, bytes]]:
    """List the keys of an area with their values."""
    return state.areas[area].items()[:limit]


def clear(state: MemoryState, what: Collection[Clearable]) -> None:
    """Delete all of these; tell those who wait for what was deleted."""
    for it in what:
        if it == "queue":
            _clear_lines(state, [state.suspects, *state.lanes.values()])
        elif it == "schedule":
            _clear_lines(state, [state.schedule])
        elif it == "dead":
            purge(state, None)
        elif it == "failed":
            state.drop_letters(state.failed.clear())
        elif it == "history":
            state.past_runs.clear()
        else:
            state.areas[it].clear()


def pause(state: MemoryState, by: str = "") -> None:
    """Let claims return nothing, and say so to the owners."""
    state.paused = Pause(by, state.clock())
    state.noticed.poke_all()


def resume(state: MemoryState) -> None:
    """Let claims return tasks again; ring for what is there."""
    state.paused = None
    for lane, line in state.lanes.items():
        if line:
            state.bells.ring(lane)
    for suspect in state.suspects.in_order():
        state.bells.ring(suspect.header.lane)
    state.noticed.poke_all()


def paused(state: MemoryState) -> Pause | None:
    """Say who paused the queue."""
    return state.paused


def note(state: MemoryState, line: bytes) -> None:
    """Append a line to the audit log."""
    number = state.notes[-1].number + 1 if state.notes else 1
    state.notes.append(Note(number, state.clock(), line))
    del state.notes[:-NOTES_KEPT]


def notes(state: MemoryState, limit: int, after: int | None) -> list[Note]:
    """List lines of the audit log, the latest first."""
    found = [it for it in reversed(state.notes) if after is None or it.number < after]
    return found[: max(limit, 0)]


def time(state: MemoryState) -> float:
    """Return epoch seconds."""
    return state.clock()


def _clear_lines(state: MemoryState, lines: Iterable[Line]) -> None:
    """Delete all tasks of lines before any is followed up: none of them is alive for the others."""
    cleared: list[LiveTask] = []
    for line in lines:
        for task in line.in_order():
            line.take_out(task)
            state.forget(task)
            cleared.append(task)
    for task in cleared:
        state.end(task.header.id, "cancelled")
        state.unname(task.header.id, task.header.expects)
        abandon(state, task.header)
