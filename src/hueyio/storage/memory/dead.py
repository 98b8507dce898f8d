"""Dead letters in memory."""

from __future__ import annotations

from collections.abc import Sequence

from hueyio.storage.memory.state import MemoryState
from hueyio.storage.records import DeadLetter, Entry

__all__ = ["dead", "purge", "requeue"]


def dead(state: MemoryState, limit: int | None) -> list[DeadLetter]:
    """List dead letters, the latest first."""
    return list(reversed(state.dead.values()))[:limit]


def requeue(state: MemoryState, ids: Sequence[str]) -> int:
    """Make tasks of dead letters again; return how many."""
    return sum(_requeue_one(state, id) for id in ids)


def purge(state: MemoryState, ids: Sequence[str] | None) -> int:
    """Delete dead letters; return how many."""
    return sum(state.dead.pop(id, None) is not None for id in (list(state.dead) if ids is None else ids))


def _requeue_one(state: MemoryState, id: str) -> bool:
    letter = state.dead.get(id)
    if letter is None:
        return False
    (answer,) = state.enqueue([Entry(letter.header.renewed(), letter.data)])
    if answer.verdict != "added":
        return False
    del state.dead[id]
    for over in (id, *letter.header.expects):
        state.tombstones.discard(over)
    return True
