"""Failed tasks: bounded by count, age and size, the oldest goes first.

The queue's row counts them, because counting 10,000 rows at each failure would take longer than the failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, Final

from hueyio.storage.records import Bury
from hueyio.storage.sqlite import latches
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.rows import TaskRow
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.waiting_stages import letter_of

__all__ = ["add", "clear", "count", "find", "keep_bounds", "purge", "remove", "sweep"]

_SQL = statements("failed.sql")
_MOST_DROPPED: Final = 100
"""How many one sweep drops."""


def add(tx: Transaction, tasks: Sequence[tuple[TaskRow, Bury]]) -> None:
    """Keep tasks; older letters of the same ids give way."""
    for task, _ in tasks:
        remove(tx, task.id)
    rows = [_row(tx, task, burial) for task, burial in tasks]
    tx.many(_SQL["add"], rows)
    tx.execute(_SQL["count_more"], (len(rows), sum(row[12] for row in rows), tx.queue))


def keep_bounds(tx: Transaction) -> None:
    """Drop the oldest beyond the bounds."""
    count, size = tx.one(_SQL["counted"], (tx.queue,))
    while count > tx.keep_failed or size > tx.failed_bytes:
        dropped = tx.execute(_SQL["drop_oldest"], (tx.queue, max(count - tx.keep_failed, 1))).fetchall()
        _drop(tx, dropped)
        if not dropped:
            return clear(tx)
        count, size = tx.one(_SQL["counted"], (tx.queue,))
    return None


def sweep(tx: Transaction) -> None:
    """Drop some of those that are too old."""
    _drop(tx, tx.execute(_SQL["drop_old"], (tx.queue, tx.now - tx.failed_ttl, _MOST_DROPPED)).fetchall())


def remove(tx: Transaction, id: str) -> None:
    """Take one away, if it is there; its id has another letter, or lives again."""
    _count_less(tx, tx.execute(_SQL["remove"], (tx.queue, id)).fetchall())


def purge(tx: Transaction, ids: Sequence[str] | None, until: float | None) -> int:
    """Drop these, as far as they were buried before, or all; return how many."""
    if ids is None:
        there = count(tx)
        clear(tx)
        return there
    latest = inf if until is None else until
    dropped = [row for id in ids for row in tx.execute(_SQL["purge"], (tx.queue, id, latest)).fetchall()]
    _drop(tx, dropped)
    return len(dropped)


def clear(tx: Transaction) -> None:
    """Drop all."""
    dropped = tx.execute(_SQL["clear"], (tx.queue,)).fetchall()
    tx.execute(_SQL["count_none"], (tx.queue,))
    latches.drop_kept(tx, [id for (id,) in dropped])


def count(tx: Transaction) -> int:
    """Say how many there are."""
    return int(tx.one(_SQL["counted"], (tx.queue,))[0])


def find(tx: Transaction, id: str) -> tuple[Any, ...] | None:
    """Read the row of one."""
    letter: tuple[Any, ...] | None = tx.one(_SQL["find"], (tx.queue, id))
    return letter


def _row(tx: Transaction, task: TaskRow, burial: Bury) -> tuple[Any, ...]:
    task, data = letter_of(tx, task, burial)
    size = len(task.id) + len(data) + len(burial.reason) + len(burial.name)
    what = (burial.reason, tx.now, burial.kind, burial.name, size, data)
    return (tx.queue, *task[1:8], *what)


def _drop(tx: Transaction, dropped: Sequence[tuple[int, str]]) -> None:
    _count_less(tx, dropped)
    if dropped:
        latches.drop_kept(tx, [id for _, id in dropped])


def _count_less(tx: Transaction, dropped: Sequence[tuple[int, str]]) -> None:
    if dropped:
        tx.execute(_SQL["count_more"], (-len(dropped), -sum(size for size, _ in dropped), tx.queue))
