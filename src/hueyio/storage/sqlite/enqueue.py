"""Tasks on their way in: new ones, and the same ones again."""

from __future__ import annotations

from collections.abc import Sequence

from hueyio.storage.records import Enqueued, Entry, Header
from hueyio.storage.sqlite.keys import put
from hueyio.storage.sqlite.rows import LANE_NUMBERS, READY, SCHEDULED, TaskRow, more
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.transaction import Transaction
from hueyio.storage.sqlite.waiters import tell

__all__ = ["again", "enqueue"]

_SQL = statements("tasks.sql")
_ADDED = Enqueued("added")
_ALIVE = Enqueued("alive")
_DONE = Enqueued("done")


def enqueue(tx: Transaction, entries: Sequence[Entry]) -> list[Enqueued]:
    """Add all entries, in order; ring what they fill."""
    first_eta = tx.first_eta() if any(entry.header.eta is not None for entry in entries) else None
    place = tx.places(len(entries))
    if all(_is_plain(entry.header) for entry in entries):
        placed = _insert(tx, entries, place)
    else:
        placed = [_add(tx, entry, place + offset) for offset, entry in enumerate(entries)]
    added = [entry.header for entry, it in zip(entries, placed, strict=True) if it is _ADDED]
    if tx.any_expected:
        tx.many(_SQL["arrived"], [(tx.queue, header.id) for header in added])
    _ring(tx, added, first_eta)
    return placed


def again(tx: Transaction, task: TaskRow, header: Header, data: bytes) -> None:
    """Put a held task back as new under another header; its cancel flag and its unique key stay."""
    first_eta = tx.first_eta() if header.eta is not None else None
    state = READY if header.eta is None else SCHEDULED
    lane = LANE_NUMBERS[header.lane]
    place = tx.places(1)
    values = (state, lane, header.priority, place, header.eta, header.max_deliveries, more(header), data)
    tx.execute(_SQL["rewrite"], (*values, task.row))
    named = tx.unname(task.id)
    tx.expect(header.expects, task.id)
    _ring(tx, [header], first_eta)
    tell(tx, named)


def _is_plain(header: Header) -> bool:
    return header.unique_key is None and header.once_token is None and not header.expects


def _insert(tx: Transaction, entries: Sequence[Entry], place: int) -> list[Enqueued]:
    """Add entries of which only the id can be in the way.

    Most often nothing is. If the count falls short, each id is asked whose place it has.
    """
    rows = [_row(tx.queue, entry, place + offset) for offset, entry in enumerate(entries)]
    if tx.many(_SQL["insert"], rows).rowcount == len(rows):
        return [_ADDED] * len(rows)
    return [_ADDED if tx.one(_SQL["place_of"], row[:2]) == (row[5],) else _ALIVE for row in rows]


def _add(tx: Transaction, entry: Entry, place: int) -> Enqueued:
    header = entry.header
    if tx.is_alive(header.id):
        return _ALIVE
    token = header.once_token
    if token is not None and tx.one(_SQL["token_seen"], (tx.queue, token, tx.now)) is not None:
        return _DONE
    if header.unique_key is not None:
        holder = tx.one(_SQL["holder_of_key"], (tx.queue, header.unique_key))
        if holder is not None:
            return Enqueued("taken", holder[0])
    if token is not None:
        expires = None if header.once_ttl is None else tx.now + header.once_ttl
        tx.execute(_SQL["remember_token"], (tx.queue, token, expires))
        if header.once_key is not None:
            put(tx, "ticks", {header.once_key: token.encode()}, None)
    tx.execute(_SQL["insert"], _row(tx.queue, entry, place))
    tx.expect(header.expects, header.id)
    return _ADDED


def _row(queue: int, entry: Entry, place: int) -> tuple[object, ...]:
    header = entry.header
    id, lane, priority, eta, max_deliveries, unique_key = header[:6]
    state = READY if eta is None else SCHEDULED
    number = LANE_NUMBERS[lane]
    return queue, id, state, number, priority, place, eta, max_deliveries, unique_key, more(header), entry.data


def _ring(tx: Transaction, headers: Sequence[Header], first_eta: float | None) -> None:
    """Ring the lanes that got work, and the schedule if it begins earlier than at ``first_eta``."""
    for header in headers:
        if header.eta is None:
            tx.rung.add(header.lane)
        elif first_eta is None or header.eta < first_eta:
            tx.rung.add("schedule")
