"""What is remembered of runs: a row for each batch of settlements, and one for each attempt that failed.

Both are bounded by count and age. A row says how many there were until then, so that nothing is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hueyio.storage.records import MOST_ATTEMPTS, Answer, HistoryBatch, Settlement
from hueyio.storage.shared.history import accepted_attempts, accepted_ids
from hueyio.storage.shared.packed_ids import pack_ids
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.statements import statements

__all__ = ["clear", "sweep", "write"]

_SQL = statements("past_runs.sql")
_MOST_DROPPED: Final = 500
"""Rows in one transaction, so that none takes long."""


def write(tx: Transaction, batch: HistoryBatch, settlements: Sequence[Settlement], answers: Sequence[Answer]) -> None:
    """Remember a batch, and forget what is too much or too old."""
    ids = accepted_ids(batch, answers)
    if any(id is not None for id in ids):
        _add(tx, ids, batch.data)
    attempts = accepted_attempts(batch, settlements, answers)
    if attempts:
        _add_attempts(tx, attempts)


def sweep(tx: Transaction) -> None:
    """Forget some of what is too much or too old."""
    for bounds, drop in (("bounds", "drop"), ("bounds_of_attempts", "drop_attempts")):
        found = tx.one(_SQL[bounds], (tx.queue, tx.queue))
        if found is not None and _is_over(tx, *found):
            _drop(tx, drop, found[2])


def clear(tx: Transaction) -> None:
    """Forget all."""
    tx.execute(_SQL["clear"], (tx.queue,))
    tx.execute(_SQL["clear_attempts"], (tx.queue,))


def _add(tx: Transaction, ids: Sequence[str | None], data: bytes) -> None:
    oldest, at, total = tx.one(_SQL["bounds"], (tx.queue, tx.queue)) or (None, tx.now, 0)
    total += len(ids)
    tx.execute(_SQL["add"], (tx.queue, total, tx.now, pack_ids(ids), data))
    if oldest is not None and _is_over(tx, oldest, at, total):
        _drop(tx, "drop", total)


def _add_attempts(tx: Transaction, attempts: Sequence[tuple[str, bytes]]) -> None:
    oldest, at, total = tx.one(_SQL["bounds_of_attempts"], (tx.queue, tx.queue)) or (None, tx.now, 0)
    rows = [(tx.queue, total + place, tx.now, id, data) for place, (id, data) in enumerate(attempts, 1)]
    tx.many(_SQL["add_attempt"], rows)
    tx.many(_SQL["drop_earlier_attempts"], [(tx.queue, id, MOST_ATTEMPTS) for id, _ in attempts])
    total += len(attempts)
    if oldest is not None and _is_over(tx, oldest, at, total):
        _drop(tx, "drop_attempts", total)


def _is_over(tx: Transaction, oldest: int, at: float, total: int) -> bool:
    """Say whether the oldest row is too much or too old."""
    return oldest <= total - tx.keep_history or at <= _too_old(tx)


def _drop(tx: Transaction, statement: str, total: int) -> None:
    tx.execute(_SQL[statement], (tx.queue, total - tx.keep_history, _too_old(tx), _MOST_DROPPED))


def _too_old(tx: Transaction) -> float:
    return tx.now - tx.history_ttl
