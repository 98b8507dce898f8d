"""Latches: chords that wait for their members, in the transaction of whatever these return."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from hueyio.storage.records import MEMBER_RESULT_TTL, Enqueued, Entry, Header, Latch, LatchMark, MemberResults
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.keys import shorten
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.tasks import add
from hueyio.storage.sqlite.waiting import cancel_all
from hueyio.storage.sqlite.waiting_stages import keep

__all__ = [
    "abandon",
    "add_latched",
    "count",
    "drop_kept",
    "find_callback",
    "finish",
    "note_result",
    "results",
    "take_back",
]

_SQL = statements("latches.sql")

_LONGEST_NOTE: Final = 30 * 86400.0
"""Seconds after which a note of a member goes, if a worker of 0.1.0 dropped its latch and did not know of it."""


def add_latched(tx: Transaction, entries: Sequence[Entry], latches: Sequence[Latch]) -> list[Enqueued]:
    """Make latches and add their members; members that cannot be added count as absent."""
    made = {latch.callback.header.id: latch for latch in latches if _make(tx, latch)}
    placed = add(tx, entries)
    for (header, *_), it in zip(entries, placed, strict=True):
        if it.verdict != "added" and header.latch in made:
            _note_absent(tx, header)
    for latch in made.values():
        if latch.size == 0:
            _fire(tx, latch.callback)
    return placed


def note_result(tx: Transaction, mark: LatchMark, id: str | None) -> bool:
    """Take a member's result; say whether it was the last and the callback is enqueued."""
    row = tx.one(_SQL["read"], (tx.queue, mark.key))
    if row is None or not 0 <= mark.position < row[0]:
        return False
    if tx.execute(_SQL["note_result"], (tx.queue, *mark)).rowcount == 0:
        return False
    if id is not None:
        tx.execute(_SQL["note_member"], (tx.queue, f"{mark.key}:{mark.position}", id, tx.now + _LONGEST_NOTE))
    ((is_complete,),) = tx.execute(_SQL["count_result"], (tx.queue, mark.key)).fetchall()
    return bool(is_complete) and _fire(tx, _callback(row))


def results(tx: Transaction, key: str) -> MemberResults | None:
    """Read the results of a latch's members, by position; None without a latch."""
    row = tx.one(_SQL["read"], (tx.queue, key))
    if row is None:
        return None
    values = dict(tx.execute(_SQL["results"], (tx.queue, key)).fetchall())
    return tuple([values.get(position) for position in range(row[0])])


def find_callback(tx: Transaction, key: str) -> Entry | None:
    """Read the callback of a latch; None without a latch."""
    row = tx.one(_SQL["read"], (tx.queue, key))
    return None if row is None else _callback(row)


def take_back(tx: Transaction, header: Header) -> bool:
    """Take a member's result back, so that its next one counts; False if the callback has been enqueued, or is gone."""
    key, position = header.latch, header.latch_index
    if key is None or position is None:
        return True  # it is no member
    if tx.is_alive(key) or not tx.is_live(key):
        return False
    if tx.execute(_SQL["take_back"], (tx.queue, key, position)).rowcount:
        tx.execute(_SQL["count_back"], (tx.queue, key))
        tx.execute(_SQL["drop_member"], (tx.queue, f"{key}:{position}"))
    return True


def drop_kept(tx: Transaction, ids: Iterable[str]) -> None:
    """Drop the latches that were kept for the letters of these callbacks."""
    if tx.one(_SQL["any"], (tx.queue,)) is not None:
        for id in ids:
            if not tx.is_live(id):
                drop(tx, id)


def finish(tx: Transaction, key: str) -> None:
    """Delete the latch of a callback that is over, and let the results that its members left expire soon."""
    tx.take_time()
    for (id,) in tx.execute(_SQL["members"], _members_of(tx, key)).fetchall():
        shorten(tx, id, MEMBER_RESULT_TTL)
    drop(tx, key)


def drop(tx: Transaction, key: str) -> None:
    """Delete a latch and the results of its members."""
    tx.take_time()
    tx.execute(_SQL["drop"], (tx.queue, key))
    tx.execute(_SQL["drop_results"], (tx.queue, key))
    tx.execute(_SQL["drop_members"], _members_of(tx, key))


def _members_of(tx: Transaction, key: str) -> dict[str, object]:
    return {"queue": tx.queue, "first": f"{key}:", "last": f"{key};"}


def abandon(tx: Transaction, deleted: Iterable[Header]) -> None:
    """Drop the latches of deleted tasks, those that they collect and those that can never be complete."""
    for header in deleted:
        if header.collects:
            finish(tx, header.id)
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
        cancel_all(tx, tx.unname(key))
        _abandon_outer(tx, _callback(row).header)


def _make(tx: Transaction, latch: Latch) -> bool:
    header, data, stages = latch.callback
    if tx.is_alive(header.id):
        return False
    drop_kept(tx, [header.id])
    row = (tx.queue, header.id, latch.size, latch.absent, json.dumps(header._asdict()), data)
    if tx.execute(_SQL["make"], row).rowcount == 0:
        return False
    tx.expect((header.id, *header.expects), header.id)
    keep(tx, stages)
    return True


def _fire(tx: Transaction, callback: Entry) -> bool:
    (placed,) = add(tx, [callback])
    if placed.verdict == "added":
        return True
    drop(tx, callback.header.id)
    cancel_all(tx, tx.unname(callback.header.id))
    _note_absent(tx, callback.header)
    return False


def _note_absent(tx: Transaction, header: Header) -> None:
    row = None if header.latch is None else tx.one(_SQL["read"], (tx.queue, header.latch))
    if row is not None and header.latch is not None and header.latch_index is not None:
        note_result(tx, LatchMark(header.latch, header.latch_index, row[1]), None)


def _callback(row: Sequence[Any]) -> Entry:
    header: dict[str, Any] = json.loads(row[2])
    return Entry(Header(**{**header, "expects": tuple(header["expects"])}), cast("bytes", row[3]))
