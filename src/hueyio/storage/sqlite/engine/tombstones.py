"""Tombstones: which way ids ended that are over, packed into one row for each transaction that ended some.

A row an id would cost each task several times as much. So the ids of a transaction are one blob, and an id is looked
for in those rows between whose first and last id it stands. Any text is an id: it is escaped, and delimited on both
sides. The newest row that has it counts; one that lives again is written without a kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from hueyio.storage.records import ENDED_AGE, EndKind
from hueyio.storage.shared.ended import KINDS, LETTERS
from hueyio.storage.shared.packed_ids import escape
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.statements import statements

__all__ = ["find", "forget", "note", "since", "write"]

_MOST_DROPPED: Final = 100
"""Rows in one transaction, so that none takes long."""
_LATE: Final = 64
"""How many of the newest rows are looked at where there is no time for all of them."""
_ALIVE_AGAIN: Final = b"-"
_MARKS: Final = {kind: b"\t" + letter.encode() for kind, letter in LETTERS.items()}

_SQL = statements("tombstones.sql")


def note(tx: Transaction, ends: Mapping[str, EndKind]) -> None:
    """Remember ends, at the end of the transaction."""
    if tx.keep_ended:
        tx.ended.update(ends)


def forget(tx: Transaction, ids: Iterable[str]) -> None:
    """Let nothing be remembered of ids that live again."""
    if tx.keep_ended:
        tx.ended.update(dict.fromkeys(ids))


def find(tx: Transaction, id: str) -> EndKind | None:
    """Say which way an id ended."""
    if not tx.keep_ended:
        return None
    if id in tx.ended:
        return tx.ended[id]
    mark = b"\n" + escape(id).encode() + b"\t"
    encoded = id.encode()
    parameters = mark, len(mark), tx.queue, encoded, encoded, tx.now - ENDED_AGE, mark
    row = tx.one(_SQL["find_late"], (*parameters, _LATE)) if tx.is_brief else None
    if row is None:
        tx.take_time()
        row = tx.one(_SQL["find"], parameters)
    return None if row is None else KINDS.get(row[0].decode())


def since(tx: Transaction) -> float | None:
    """Say up to when what ended may have been forgotten."""
    if not tx.keep_ended:
        return tx.now
    (forgotten_at,) = tx.one(_SQL["forgotten_at"], (tx.queue,))
    (too_old,) = tx.one(_SQL["last_too_old"], (tx.queue, tx.now - ENDED_AGE))
    return max((at for at in (forgotten_at, too_old) if at is not None), default=None)


def write(tx: Transaction) -> None:
    """Write what ended in this transaction, and forget what is too much or too old."""
    if not tx.ended:
        return
    oldest, at, total = tx.one(_SQL["bounds"], (tx.queue, tx.queue)) or (None, tx.now, 0)
    total += len(tx.ended)
    first, last = min(tx.ended).encode(), max(tx.ended).encode()  # code points stand in the order of their UTF-8
    tx.execute(_SQL["add"], (tx.queue, total, tx.now, len(tx.ended), last, first, _pack(tx.ended)))
    if oldest is not None and (oldest <= total - tx.keep_ended or at <= tx.now - ENDED_AGE):
        _drop_oldest(tx, total - tx.keep_ended)


def _drop_oldest(tx: Transaction, total: int) -> None:
    dropped = tx.execute(_SQL["drop"], (tx.queue, total, tx.now - ENDED_AGE, _MOST_DROPPED)).fetchall()
    tx.execute(_SQL["note_forgotten"], (max(at for (at,) in dropped), tx.queue))


def _pack(ended: Mapping[str, EndKind | None]) -> bytes:
    parts = [b""]
    for id, kind in ended.items():
        parts.append(escape(id).encode() + (b"\t" + _ALIVE_AGAIN if kind is None else _MARKS[kind]))
    return b"\n".join(parts) + b"\n"
