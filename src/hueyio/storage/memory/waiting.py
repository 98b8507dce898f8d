"""What those who wait look for in memory: a search answers None where there is nothing yet to return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hueyio.storage.memory.line import LiveTask
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.records import Ended, Notices, Over, Unknown

__all__ = ["ended", "find_end", "find_notices", "find_progress"]


def ended(state: MemoryState, ids: Sequence[str]) -> Ended:
    """Say which way ids ended."""
    return Ended([state.tombstones.get(id) for id in ids], state.tombstones.since())


def find_end(state: MemoryState, id: str, unknown: Unknown) -> Over | None:
    """Find the end of a task; where nothing is known of it, that is one only for those who do not wait for it."""
    if id in state.tasks or id in state.expected:
        return None
    over = Over(id, state.areas["results"].get(id), False, state.tombstones.get(id))
    return None if unknown == "wait" and over.data is None and over.kind is None else over


def find_notices(state: MemoryState, owner: str, seen: Notices | None) -> Notices | None:
    """Find what others ask of an owner, if that is not what it has seen; one without a lease holds nothing."""
    lease = state.leases.get(owner)
    tasks: Mapping[str, LiveTask] = {} if lease is None else lease.held
    cancelled = frozenset(id for id, task in tasks.items() if task.cancelled)
    notices = Notices(cancelled, state.revocations, state.paused is not None)
    return None if notices == seen else notices


def find_progress(state: MemoryState, id: str, seen: bytes | None) -> tuple[bytes | None] | None:
    """Find the progress of a task, if that is not what was seen; ``(None,)`` when the task is over."""
    task = state.tasks.get(id)
    if task is None:
        return None if id in state.expected else (None,)
    return None if task.progress is None or task.progress == seen else (task.progress,)
