"""Dead letters: bounded, the oldest goes first, counted and logged."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from hueyio.storage.records import DeadLetter, Entry
from hueyio.storage.sqlite.engine import tombstones
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.rows import TaskRow, header
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.tasks import add

__all__ = ["bury", "count", "dead", "drop_oldest", "find", "purge", "requeue"]

_SQL = statements("dead.sql")

log = logging.getLogger(__name__)


def bury(tx: Transaction, task: TaskRow, reason: str) -> None:
    """Write a dead letter; an older one of the same id gives way."""
    tx.execute(_SQL["bury"], (tx.queue, *task[1:9], reason, tx.now))


def drop_oldest(tx: Transaction) -> None:
    """Hold the bound."""
    surplus = count(tx) - tx.dead_limit
    if surplus > 0:
        tx.execute(_SQL["drop_oldest"], (tx.queue, surplus))
        tx.execute(_SQL["count_dropped"], (surplus, tx.queue))
        log.warning("dropped the oldest %d dead letters: no more than %d are kept", surplus, tx.dead_limit)


def dead(tx: Transaction, limit: int | None) -> list[DeadLetter]:
    """List dead letters, the latest first."""
    rows = tx.execute(_SQL["dead"], (tx.queue, -1 if limit is None else limit))
    return [DeadLetter(header(row), row[8], row[9], row[10]) for row in rows.fetchall()]


def requeue(tx: Transaction, ids: Sequence[str]) -> int:
    """Make tasks of dead letters again; return how many."""
    return sum(_requeue_one(tx, id) for id in ids)


def purge(tx: Transaction, ids: Sequence[str] | None) -> int:
    """Delete dead letters; return how many."""
    if ids is None:
        return tx.execute(_SQL["purge_all"], (tx.queue,)).rowcount
    return tx.many(_SQL["purge"], [(tx.queue, id) for id in ids]).rowcount


def find(tx: Transaction, id: str) -> tuple[Any, ...] | None:
    """Read the row of a dead letter."""
    letter: tuple[Any, ...] | None = tx.one(_SQL["find"], (tx.queue, id))
    return letter


def count(tx: Transaction) -> int:
    """Count dead letters."""
    return int(tx.one(_SQL["count"], (tx.queue,))[0])


def _requeue_one(tx: Transaction, id: str) -> bool:
    letter = find(tx, id)
    if letter is None:
        return False
    (placed,) = add(tx, [Entry(header(letter).renewed(), letter[8])])
    if placed.verdict == "added":
        tx.execute(_SQL["purge"], (tx.queue, id))
        tombstones.forget(tx, (id, *header(letter).expects))
    return placed.verdict == "added"
