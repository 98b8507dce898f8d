"""Live tasks: new ones, the same ones again, and those that are put back; what rings for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from hueyio.storage.records import LANES, Bell, Delivery, Enqueued, Entry, Header, Lane, Stage
from hueyio.storage.sqlite.engine.transaction import Raised, Transaction
from hueyio.storage.sqlite.keys import any_in, put
from hueyio.storage.sqlite.large import LARGE, room_for_owner
from hueyio.storage.sqlite.many_rows import ManyRows
from hueyio.storage.sqlite.rows import LANE_NUMBERS, READY, SCHEDULED, SUSPECT, TaskRow, delivery, more
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.waiting import cancel_all
from hueyio.storage.sqlite.waiting_stages import drop, following, keep, take

__all__ = [
    "add",
    "again",
    "any_suspect",
    "arrived",
    "deliveries",
    "holds_any",
    "put_back",
    "ring_ready",
    "ring_suspects",
]

_SQL = statements("tasks.sql")
_INSERT: Final = ManyRows(_SQL["insert"])
_ARRIVED: Final = ManyRows(_SQL["arrived"])
_ADDED = Enqueued("added")
_ALIVE = Enqueued("alive")
_DONE = Enqueued("done")


def add(tx: Transaction, entries: Sequence[Entry], *, asks_token: bool = True) -> list[Enqueued]:
    """Add all entries, in order; ring what they fill. Without ``asks_token`` their once tokens are their own."""
    headers = [entry.header for entry in entries]
    first_eta = tx.first_eta() if any(header.eta is not None for header in headers) else None
    raised = _raised(headers, first_eta)
    place = tx.places(len(entries), raised)
    if all(map(_is_plain, headers)):
        placed = _insert(tx, entries, place)
    else:
        placed = [_add_one(tx, entry, place + offset, asks_token) for offset, entry in enumerate(entries)]
    if placed.count(_ADDED) < len(placed):
        headers = [header for header, it in zip(headers, placed, strict=True) if it is _ADDED]
        raised = _raised(headers, first_eta)
    tx.note(raised)
    _arrive(tx, headers)
    return placed


def again(
    tx: Transaction, task: TaskRow, header: Header, data: bytes, stages: Sequence[Stage] = (), *, started: bool = False
) -> None:
    """Put a held task back as new under another header; its cancel flag and its unique key stay."""
    first_eta = tx.first_eta() if header.eta is not None else None
    state = READY if header.eta is None else SCHEDULED
    lane = LANE_NUMBERS[header.lane]
    place = tx.places(1)
    values = (state, lane, header.priority, place, header.eta, header.max_deliveries, more(header), data)
    tx.execute(_SQL["rewrite"], (*values, started, task.row))
    named = tx.unname(task.id)
    tx.expect(header.expects, task.id)
    keep(tx, stages)
    tx.ring(_raised([header], first_eta).rung)
    cancel_all(tx, named)


def arrived(tx: Transaction, ids: Iterable[str]) -> None:
    """Let these ids be expected no more: they are over."""
    if tx.any_expected:
        gone = list(ids)
        _ARRIVED.run(tx.execute, [(id,) for id in gone], (tx.queue,))
        drop(tx, gone)


def put_back(tx: Transaction, rows: Sequence[TaskRow]) -> None:
    """Put held tasks back to where they stood, in front of all that came later, and ring their lanes."""
    if rows:
        tx.many(_SQL["put_back"], [(SUSPECT if it.is_suspect else READY, it.deliveries, it.row) for it in rows])
        tx.ring({LANES[row.lane] for row in rows})


def deliveries(tx: Transaction, rows: Sequence[tuple[Any, ...]], owner: str) -> list[Delivery]:
    """Build what the owner gets from the rows of tasks that it holds now."""
    unrevoked = bool(rows) and not any_in(tx, "revocations")
    found = [delivery(row, owner, unrevoked) for row in rows]
    return [
        it._replace(following=following(tx, it.header)) if it.header.expects and tx.any_stages else it for it in found
    ]


def holds_any(tx: Transaction, owner: str) -> bool:
    """Whether an owner holds anything."""
    return tx.one(_SQL["holds_any"], (tx.queue, owner)) is not None


def any_suspect(tx: Transaction) -> bool:
    """Whether a suspect waits for an owner that holds nothing."""
    return tx.one(_SQL["any_suspect"], (tx.queue,)) is not None


def ring_ready(tx: Transaction, lanes: Iterable[Lane] = LANES) -> None:
    """Ring those lanes that have ready tasks."""
    for lane in lanes:
        if tx.one(_SQL["has_ready"], (tx.queue, LANE_NUMBERS[lane])) is not None:
            tx.ring([lane])


def ring_suspects(tx: Transaction) -> None:
    """Ring those lanes that have suspects."""
    tx.ring([LANES[lane] for (lane,) in tx.execute(_SQL["suspect_lanes"], (tx.queue,)).fetchall()])


def _is_plain(header: Header) -> bool:
    return header.unique_key is None and header.once_token is None and not header.expects


def _insert(tx: Transaction, entries: Sequence[Entry], place: int) -> list[Enqueued]:
    """Add entries of which only the id can be in the way.

    Most often nothing is. If the count falls short, each id is asked whose place it has.
    """
    rows = [_row(tx.queue, entry, place + offset) for offset, entry in enumerate(entries)]
    if _write(tx, rows) == len(rows):
        return [_ADDED] * len(rows)
    return [
        _ADDED if tx.place_of(entry.header.id) == row[5] else _ALIVE for entry, row in zip(entries, rows, strict=True)
    ]


def _write(tx: Transaction, rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert rows; return how many there were no others of the same id for."""
    if max([len(row[10]) for row in rows], default=0) <= LARGE:
        return _INSERT.run(tx.execute, rows)
    owner = room_for_owner()
    return sum(
        tx.execute(_SQL["insert_large"], (*row, owner)).rowcount
        if row[2] == READY and len(row[10]) > LARGE
        else _INSERT.run(tx.execute, [row])
        for row in rows
    )


def _add_one(tx: Transaction, entry: Entry, place: int, asks_token: bool) -> Enqueued:
    header = entry.header
    if tx.is_alive(header.id):
        return _ALIVE
    token = header.once_token if asks_token else None
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
    _write(tx, [_row(tx.queue, entry, place)])
    tx.expect(header.expects, header.id)
    keep(tx, entry.stages)
    return _ADDED


def _arrive(tx: Transaction, headers: Sequence[Header]) -> None:
    """Let tasks be expected no more. Where one is not the stage that waited under its id, what follows that ends."""
    if not tx.any_expected:
        return
    _ARRIVED.run(tx.execute, [(header.id,) for header in headers], (tx.queue,))
    if not tx.any_stages:
        return
    for header in headers:
        later = take(tx, header.id)
        if later is not None and later not in header.expects:
            tx.execute(_SQL["unname_one"], (tx.queue, later, header.id))
            cancel_all(tx, [later])


def _row(queue: int, entry: Entry, place: int) -> tuple[Any, ...]:
    header = entry.header
    id, lane, priority, eta, max_deliveries, unique_key = header[:6]
    state = READY if eta is None else SCHEDULED
    number = LANE_NUMBERS[lane]
    return queue, id, state, number, priority, place, eta, max_deliveries, unique_key, more(header), entry.data


def _raised(headers: Sequence[Header], first_eta: float | None) -> Raised:
    """Say what new tasks raise: the bells of their lanes, and of the schedule if it begins earlier than before."""
    rung: set[Bell] = set()
    entered = [0] * len(LANES)
    for header in headers:
        entered[LANE_NUMBERS[header.lane]] += 1
        if header.eta is None:
            rung.add(header.lane)
        elif first_eta is None or header.eta < first_eta:
            rung.add("schedule")
    return Raised(rung, entered)
