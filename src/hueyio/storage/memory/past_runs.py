"""The history in memory: the latest entries, with as many tasks as are kept, and the attempts beside them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from hueyio.storage.records import (
    HISTORY_LOOKED_AT,
    MOST_ATTEMPTS,
    Answer,
    Cursor,
    HistoryBatch,
    HistoryEntry,
    Page,
    Settlement,
)
from hueyio.storage.shared.history import accepted_attempts, accepted_ids

__all__ = ["PastRuns"]

_MOST_DROPPED = 500
"""How many entries, and how many attempts, one step drops."""


class PastRuns:
    """Entries in the order in which they were written. ``keep`` or ``ttl`` 0: none."""

    __slots__ = ("_attempts", "_clock", "_count", "_entries", "_number", "_order", "keep", "ttl")

    def __init__(self, clock: Callable[[], float], keep: int, ttl: float) -> None:
        self._clock = clock
        self._entries: deque[HistoryEntry] = deque()
        self._count = 0
        """How many tasks the entries have."""
        self._number = 0
        """That of the latest entry."""
        self._attempts: dict[str, list[tuple[float, bytes]]] = {}
        self._order: deque[tuple[float, str]] = deque()
        """When attempts were written, and whose they are; also of those that gave way to later ones of their task."""
        self.keep = keep
        self.ttl = ttl

    def add(self, batch: HistoryBatch, settlements: Sequence[Settlement], answers: Sequence[Answer]) -> None:
        """Remember a batch, and forget what is too much or too old."""
        if self.keep <= 0 or self.ttl <= 0:
            return
        now = self._clock()
        ids = accepted_ids(batch, answers)
        if any(id is not None for id in ids):
            self._number += 1
            self._count += len(ids)
            self._entries.append(HistoryEntry((now, str(self._number)), ids, batch.data))
        for id, data in accepted_attempts(batch, settlements, answers):
            attempts = self._attempts.setdefault(id, [])
            attempts.append((now, data))
            del attempts[:-MOST_ATTEMPTS]
            self._order.append((now, id))
        self.sweep()

    def page(self, limit: int, start: Cursor | None) -> Page[HistoryEntry]:
        """List entries, the latest first."""
        found: list[HistoryEntry] = []
        for entry in reversed(self._entries):
            if start is not None and int(entry.place[1]) > int(start[1]):
                continue
            if limit <= 0 or len(found) == HISTORY_LOOKED_AT:
                return Page(found, entry.place)
            limit -= len(entry.ids)
            found.append(entry)
        return Page(found)

    def find(self, id: str) -> HistoryEntry | None:
        """Return the latest entry that has this id."""
        return next((entry for entry in reversed(self._entries) if id in entry.ids), None)

    def attempts(self, id: str) -> tuple[bytes, ...]:
        """Return what is remembered of the attempts of an id."""
        return tuple([data for _, data in self._attempts.get(id, ())])

    def is_due(self) -> bool:
        """Say whether the oldest is too old."""
        return any(oldest <= self._clock() - self.ttl for oldest in self._oldest())

    def sweep(self) -> None:
        """Drop some of what is too much or too old."""
        too_old = self._clock() - self.ttl
        for _ in range(_MOST_DROPPED):
            if not self._entries or not self._is_over(self._entries[0], too_old):
                break
            self._count -= len(self._entries.popleft().ids)
        for _ in range(_MOST_DROPPED):
            if not self._order or (len(self._order) <= self.keep and self._order[0][0] > too_old):
                break
            self._drop_attempt()

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
        self._count = 0
        self._attempts.clear()
        self._order.clear()

    def dump(self) -> dict[str, Any]:
        """Describe all as plain values."""
        return {
            "number": self._number,
            "entries": [tuple(it) for it in self._entries],
            "attempts": self._attempts,
            "order": list(self._order),
        }

    def load(self, dumped: dict[str, Any]) -> None:
        """Take what ``dump`` described."""
        self._number = dumped["number"]
        self._entries = deque(HistoryEntry._make(it) for it in dumped["entries"])
        self._count = sum(len(it.ids) for it in self._entries)
        self._attempts = {id: list(attempts) for id, attempts in dumped["attempts"].items()}
        self._order = deque(dumped["order"])

    def _oldest(self) -> list[float]:
        entries = [self._entries[0].place[0]] if self._entries else []
        attempts = [self._order[0][0]] if self._order else []
        return entries + attempts

    def _is_over(self, entry: HistoryEntry, too_old: float) -> bool:
        return self._count - len(entry.ids) >= self.keep or entry.place[0] <= too_old

    def _drop_attempt(self) -> None:
        at, id = self._order.popleft()
        left = [it for it in self._attempts.get(id, ()) if it[0] > at]
        if left:
            self._attempts[id] = left
        else:
            self._attempts.pop(id, None)
