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
    # Its eta has passed, and its once token is its own.
    header = letter.header._replace(eta=None, once_token=None, once_ttl=None, first_seen=None, defers=0)
    (answer,) = state.enqueue([Entry(header, letter.data)])
    if answer.verdict != "added":
        return False
    del state.dead[id]
    return True
