"""What is remembered of tasks that have ended, as it is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hueyio.storage.postgres.bounds import bounds_of
from hueyio.storage.postgres.core import PostgresCore
from hueyio.storage.records import HISTORY_LOOKED_AT, MOST_ATTEMPTS, Cursor, HistoryEntry, Page

__all__ = ["attempts", "find_ended", "history"]

_LAST: Final = 2**63 - 1


async def history(core: PostgresCore, limit: int, start: Cursor | None) -> Page[HistoryEntry]:
    """List entries, the latest first."""
    last = _LAST if start is None else int(start[1])
    rows = await core.call("history_1", core.queue, last, HISTORY_LOOKED_AT + 1, limit, bounds_of(core.options))
    found: list[HistoryEntry] = []
    for row in rows:
        entry = _entry(row)
        if limit <= 0 or len(found) == HISTORY_LOOKED_AT:
            return Page(found, entry.place)
        limit -= len(entry.ids)
        found.append(entry)
    return Page(found)


async def find_ended(core: PostgresCore, id: str) -> HistoryEntry | None:
    """Return the latest entry that has this id."""
    rows = await core.call("find_run_1", core.queue, id, bounds_of(core.options))
    return _entry(rows[0]) if rows else None


async def attempts(core: PostgresCore, ids: Sequence[str]) -> list[tuple[bytes, ...]]:
    """Return what is remembered of the attempts of each id."""
    rows = await core.call("attempts_1", core.queue, list(ids), MOST_ATTEMPTS, bounds_of(core.options))
    return [tuple(known or ()) for (known,) in rows]


def _entry(row: tuple[Any, ...]) -> HistoryEntry:
    number, at, ids, data = row
    return HistoryEntry((at, str(number)), tuple(ids), data)
