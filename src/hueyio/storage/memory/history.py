"""The history in memory, as it is read."""

from __future__ import annotations

from collections.abc import Sequence

from hueyio.storage.memory.state import MemoryState
from hueyio.storage.records import Cursor, HistoryEntry, Page

__all__ = ["attempts", "find_ended", "history"]


def history(state: MemoryState, limit: int, start: Cursor | None) -> Page[HistoryEntry]:
    """List entries, the latest first."""
    return state.past_runs.page(limit, start)


def find_ended(state: MemoryState, id: str) -> HistoryEntry | None:
    """Return the latest entry that has this id."""
    return state.past_runs.find(id)


def attempts(state: MemoryState, ids: Sequence[str]) -> list[tuple[bytes, ...]]:
    """Return what is remembered of the attempts of each id."""
    return [state.past_runs.attempts(id) for id in ids]
