"""The history, as it is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hueyio.storage.records import HISTORY_LOOKED_AT, Cursor, HistoryEntry, Page
from hueyio.storage.shared.packed_ids import mark_of, unpack_ids
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.statements import statements

__all__ = ["attempts", "find_ended", "history"]

_SQL = statements("history.sql")
_LAST: Final = 2**63 - 1


def history(tx: Transaction, limit: int, start: Cursor | None) -> Page[HistoryEntry]:
    """List entries, the latest first."""
    found: list[HistoryEntry] = []
    last = _LAST if start is None else int(start[1])
    for row in tx.execute(_SQL["entries"], (tx.queue, last, HISTORY_LOOKED_AT + 1)):
        entry = _entry(row)
        if limit <= 0 or len(found) == HISTORY_LOOKED_AT:
            return Page(found, entry.place)
        limit -= len(entry.ids)
        found.append(entry)
    return Page(found)


def find_ended(tx: Transaction, id: str) -> HistoryEntry | None:
    """Return the latest entry that has this id."""
    row = tx.one(_SQL["find"], (tx.queue, mark_of(id)))
    return None if row is None else _entry(row)


def attempts(tx: Transaction, ids: Sequence[str]) -> list[tuple[bytes, ...]]:
    """Return what is remembered of the attempts of each id."""
    return [tuple([data for (data,) in tx.execute(_SQL["attempts"], (tx.queue, id)).fetchall()]) for id in ids]


def _entry(row: tuple[Any, ...]) -> HistoryEntry:
    total, at, ids, data = row
    return HistoryEntry((at, str(total)), unpack_ids(ids), data)
