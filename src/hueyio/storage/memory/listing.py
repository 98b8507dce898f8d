"""Lists of tasks in memory, a part at a time, and all that is known of one id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import nsmallest
from math import inf

from hueyio.storage.memory.dead import find
from hueyio.storage.memory.line import Line, LiveTask
from hueyio.storage.memory.producing import locate
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.records import (
    LANES,
    LISTED_AT_ONCE,
    LISTED_BYTES,
    Described,
    Found,
    Listed,
    ListedState,
    Listing,
)
from hueyio.storage.shared.places import read_place, write_place
from hueyio.storage.stages import header_of_whole

__all__ = ["describe", "page"]


def page(state: MemoryState, listed: ListedState, limit: int, after: str | None) -> Listing:
    """List tasks of a state."""
    room = min(limit, LISTED_AT_ONCE)
    match listed:
        case "ready" | "scheduled":
            rows = _standing(state, listed, after)
        case "running":
            rows = _running(state, after)
        case "waiting":
            rows = _waiting(state, after, room)
    items: list[Listed] = []
    for row in rows:
        if len(items) >= room:
            return Listing(items, items[-1].place if items else after)
        items.append(row)
    return Listing(items)


def describe(state: MemoryState, ids: Sequence[str]) -> list[Described]:
    """Say all that is known of each id."""
    return [_describe_one(state, found) for found in locate(state, ids)]


def _describe_one(state: MemoryState, found: Found) -> Described:
    match found.state:
        case "queued" | "scheduled" | "running":
            listed: ListedState = "ready" if found.state == "queued" else found.state
            task = state.tasks[found.id]
            header = header_of_whole(task.header, found.data or b"")
            return Described(found, _listed(task, listed)._replace(header=header))
        case "expected":
            return Described(found, _expected(state, found.id))
        case "dead":
            return Described(found, letter=find(state, found.id))
        case _:
            return Described(found)


def _standing(state: MemoryState, listed: ListedState, after: str | None) -> Iterator[Listed]:
    lines = [state.schedule] if listed == "scheduled" else [state.suspects, *(state.lanes[lane] for lane in LANES)]
    first, rank, seat = 0, -inf, 0
    if after is not None:
        first, rank, seat, id = read_place(after, int, float, int, str)
        task = state.tasks.get(id)
        if task is not None and first < len(lines) and task.line is lines[first]:
            # Its seat is known by its id: of the same journal every process gives others.
            rank, seat = _rank(state, task), task.seat
    for number, line in enumerate(lines[first:], first):
        for task_rank, task_seat, task in line.behind(rank, seat):
            yield _listed(task, listed, write_place(number, task_rank, task_seat, task.header.id))
        rank, seat = -inf, 0


def _rank(state: MemoryState, task: LiveTask) -> float:
    line: Line | None = task.line
    return (task.header.eta or 0.0) if line is state.schedule else -task.header.priority


def _running(state: MemoryState, after: str | None) -> Iterator[Listed]:
    last: tuple[str, ...] | None = None if after is None else tuple(read_place(after, str, str))
    for owner, lease in sorted(state.leases.items()):
        for id in sorted(lease.held) if last is None or owner >= last[0] else ():
            if last is None or (owner, id) > last:
                yield _listed(lease.held[id], "running", write_place(owner, id))


def _waiting(state: MemoryState, after: str | None, room: int) -> Iterator[Listed]:
    _, last = (0, None) if after is None else read_place(after, int, str)
    ids = nsmallest(room + 1, (id for id in state.expected if last is None or id > last))
    for id in ids:
        yield _expected(state, id)._replace(place=write_place(0, id))


def _listed(task: LiveTask, listed: ListedState, place: str = "") -> Listed:
    return Listed(
        task.header.id,
        listed,
        place,
        task.header,
        task.data[:LISTED_BYTES],
        task.deliveries,
        task.started,
        task.cancelled,
        task.owner,
        task.progress,
    )


def _expected(state: MemoryState, id: str) -> Listed:
    latch = state.latches.get(id)
    namers = tuple(sorted(state.expected[id]))
    if latch is None:
        return Listed(id, "waiting", namers=namers)
    header, data, _ = latch.callback
    return Listed(id, "waiting", header=header, head=data[:LISTED_BYTES], namers=namers)
