"""Latches: chords that wait for their members, in the transaction of whatever is reported."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, cast

from hueyio.storage.records import Enqueued, Entry, Header, Latch, LatchMark, MemberResults
from hueyio.storage.sqlite.enqueue import enqueue
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.transaction import Transaction
from hueyio.storage.sqlite.waiters import tell

__all__ = ["abandon", "collect", "count", "drop", "enqueue_latched", "report"]

_SQL = statements("latches.sql")


def enqueue_latched(tx: Transaction, entries: Sequence[Entry], latches: Sequence[Latch]) -> list[Enqueued]:
    """Make latches and add their members; members that cannot be added count as absent."""
    made = {latch.callback.header.id: latch for latch in latches if _make(tx, latch)}
    placed = enqueue(tx, entries)
    for (header, _), it in zip(entries, placed, strict=True):
        if it.verdict != "added" and header.latch in made:
            _report_absent(tx, header)
    for latch in made.values():
        if latch.size == 0:
            _fire(tx, latch.callback)
    return placed


def report(tx: Transaction, mark: LatchMark) -> bool:
    """Take a member's report; say whether it was the last and the callback is enqueued."""
    row = tx.one(_SQL["read"], (tx.queue, mark.key))
    if row is None or tx.execute(_SQL["report"], (tx.queue, *mark)).rowcount == 0:
        return False
    ((is_complete,),) = tx.execute(_SQL["count_report"], (tx.queue, mark.key)).fetchall()
    return bool(is_complete) and _fire(tx, _callback(row))


def collect(tx: Transaction, keys: Sequence[str]) -> list[MemberResults | None]:
    """Read what was reported, by position."""
    return [_collect_one(tx, key) for key in keys]


def drop(tx: Transaction, key: str) -> None:
    """Delete a latch and what was reported to it."""
    tx.execute(_SQL["drop"], (tx.queue, key))
    tx.execute(_SQL["drop_reports"], (tx.queue, key))


def abandon(tx: Transaction, deleted: Iterable[Header]) -> None:
    """Drop the latches of deleted tasks, those that they collect and those that can never be complete."""
    for header in deleted:
        if header.collects:
            drop(tx, header.id)
        _abandon_outer(tx, header)


def count(tx: Transaction) -> int:
    """Count latches."""
    return int(tx.one(_SQL["count"], (tx.queue,))[0])


def _abandon_outer(tx: Transaction, header: Header) -> None:
    key = header.latch
    if key is None or tx.is_alive(key):
        return
    row = tx.one(_SQL["read"], (tx.queue, key))
    if row is not None:
        drop(tx, key)
        tell(tx, tx.unname(key))
        _abandon_outer(tx, _callback(row).header)


def _make(tx: Transaction, latch: Latch) -> bool:
    header, data = latch.callback
    if tx.is_alive(header.id):
        return False
    row = (tx.queue, header.id, latch.size, latch.absent, json.dumps(header._asdict()), data)
    if tx.execute(_SQL["make"], row).rowcount == 0:
        return False
    tx.expect((header.id, *header.expects), header.id)
    return True


def _fire(tx: Transaction, callback: Entry) -> bool:
    (placed,) = enqueue(tx, [callback])
    if placed.verdict == "added":
        return True
    drop(tx, callback.header.id)
    tell(tx, tx.unname(callback.header.id))
    _report_absent(tx, callback.header)
    return False


def _report_absent(tx: Transaction, header: Header) -> None:
    row = None if header.latch is None else tx.one(_SQL["read"], (tx.queue, header.latch))
    if row is not None and header.latch is not None and header.latch_index is not None:
        report(tx, LatchMark(header.latch, header.latch_index, row[1]))


def _callback(row: Sequence[Any]) -> Entry:
    header: dict[str, Any] = json.loads(row[2])
    return Entry(Header(**{**header, "expects": tuple(header["expects"])}), cast("bytes", row[3]))


def _collect_one(tx: Transaction, key: str) -> MemberResults | None:
    row = tx.one(_SQL["read"], (tx.queue, key))
    if row is None:
        return None
    values = dict(tx.execute(_SQL["reports"], (tx.queue, key)).fetchall())
    return tuple([values.get(position) for position in range(row[0])])
