"""Which calls are carried out where the caller is, on the loop, in place of the writer's thread.

To wake a thread and to come back takes longer than a short transaction does. So what waits is attempted on the loop if

* none of it waits for the disk: with ``fsync`` these are questions and what is volatile, without it all operations, and
  with ``sync_on_loop`` all of them too, as long as syncs are short;
* all of it is short: few rows, of which none has to be searched for;
* the log is not about to begin anew, because SQLite syncs then, and it has been looked after.

``Commits.attempt_here`` finds out whether anything is in the way, such as a lock. If two attempts in a row took long
all the same (large values, a busy disk), the thread has everything for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from hueyio.storage.operations import Durability
from hueyio.storage.sqlite.engine.calls import Call
from hueyio.storage.sqlite.options import SqliteOptions

__all__ = ["Shortcut"]

_MOST_EFFORT: Final = 64
"""Of all that goes together; a row takes 5 to 10 us."""

_LONG: Final = 0.005
"""Seconds after which others on the loop notice."""

_SHORT_SYNC: Final = 0.001
"""Seconds. Where a commit takes longer than that, the way to the thread and back is the smaller part."""

_REST: Final = 10
"""How many times as long as an attempt that took long the thread has everything."""


class Shortcut:
    """Belongs to the loop. ``sync_time`` says how many seconds a durable commit takes on average."""

    def __init__(self, options: SqliteOptions, sync_time: Callable[[], float]) -> None:
        self._is_wal = options.journal_mode == "wal"
        self._fsync = options.fsync
        self._sync_on_loop = options.sync_on_loop
        self._sync_time = sync_time
        self._not_before = 0.0
        self._was_long = False
        self._written_at: int | None = None

    def is_free(self, durability: Durability) -> bool:
        """Whether this needs nothing of the disk, or what the user allows."""
        if durability < Durability.DURABLE or not self._fsync:
            return self._is_wal
        return self._sync_on_loop and self._is_wal and self._sync_time() < _SHORT_SYNC

    def is_short(self, calls: Iterable[Call], now: float) -> bool:
        """Whether calls may be attempted on the loop now."""
        effort = 0
        for call in calls:
            effort += call.effort or 1
            if effort > _MOST_EFFORT or not self.is_free(call.durability):
                return False
        return now >= self._not_before

    def is_calm(self, written_at: int | None) -> bool:
        """Whether the file was not written since the last call of this: after a checkpoint the log begins anew."""
        before, self._written_at = self._written_at, written_at
        return written_at is not None and written_at == before

    def note(self, begun: float, ended: float) -> None:
        """Note how long an attempt took. A single one may have been long because another process had the CPU."""
        was_long, self._was_long = self._was_long, ended - begun > _LONG
        if was_long and self._was_long:
            self._not_before = ended + _REST * (ended - begun)
