"""Tasks on their way out to an owner and back, and the leases of owners."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hueyio.storage.records import LANES, Delivery, Lane, Promoted, Receipt
from hueyio.storage.sqlite.keys import any_in, sweep
from hueyio.storage.sqlite.limits import end_places
from hueyio.storage.sqlite.rows import HELD, LANE_NUMBERS, READY, SUSPECT, TaskRow, delivery, in_order
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.transaction import Transaction

__all__ = [
    "cancel",
    "claim",
    "deregister",
    "held",
    "pause",
    "promote",
    "put_back",
    "reclaim",
    "register",
    "report",
    "resume",
    "ring_ready",
    "start",
]

_SQL = statements("tasks.sql")


def register(tx: Transaction, owner: str, info: bytes) -> None:
    """Begin a lease, or replace its info."""
    tx.execute(_SQL["register"], (tx.queue, owner, info, tx.now))


def deregister(tx: Transaction, owner: str) -> None:
    """End a lease; what it held goes to the front."""
    if tx.one(_SQL["lease"], (tx.queue, owner)) is not None:
        put_back(tx, _held_rows(tx, owner))
        tx.execute(_SQL["deregister"], (tx.queue, owner))
        end_places(tx, owner)


def reclaim(tx: Transaction, owner: str, beat: int) -> int | None:
    """End the lease of an owner whose heartbeat stands still; what it held comes with one delivery more."""
    lease = tx.one(_SQL["lease"], (tx.queue, owner))
    if lease is None or lease[2] != beat:
        return None
    rows = _held_rows(tx, owner)
    put_back(tx, [row._replace(deliveries=row.deliveries + 1) for row in rows])
    tx.execute(_SQL["deregister"], (tx.queue, owner))
    end_places(tx, owner)
    return len(rows)


def claim(tx: Transaction, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
    """Take ready tasks, or one suspect alone."""
    lease = tx.one(_SQL["may_claim"], (tx.queue, owner))
    if lease is None:
        tx.require_lease(owner)  # raises, and says why
    elif lease[0]:
        return []
    if tx.one(_SQL["holds_suspect"], (tx.queue, owner)) is not None:
        return []
    if tx.one(_SQL["any_suspect"], (tx.queue,)) is not None:
        suspects = _claim_suspect(tx, room, owner)
        if suspects:
            return suspects
    taken: list[tuple[Any, ...]] = []
    for lane, limit in room.items():
        if limit > 0:
            rows = tx.execute(_SQL["claim_lane"], (owner, tx.queue, LANE_NUMBERS[lane], limit)).fetchall()
            taken += in_order(rows)
    return _deliveries(tx, taken, owner)


def _deliveries(tx: Transaction, rows: Sequence[tuple[Any, ...]], owner: str) -> list[Delivery]:
    unrevoked = bool(rows) and not any_in(tx, "revocations")
    return [delivery(row, owner, unrevoked) for row in rows]


def _claim_suspect(tx: Transaction, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
    if tx.one(_SQL["holds_any"], (tx.queue, owner)) is not None:
        return []
    lanes = [LANE_NUMBERS[lane] if room.get(lane, 0) > 0 else -1 for lane in LANES]
    rows = tx.execute(_SQL["claim_suspect"], (owner, -tx.places(1), tx.queue, *lanes)).fetchall()
    return _deliveries(tx, rows, owner)


def held(tx: Transaction, owner: str) -> list[Delivery]:
    """List what is under a lease."""
    tx.require_lease(owner)
    return _deliveries(tx, _held_rows(tx, owner), owner)


def start(tx: Transaction, receipts: Sequence[Receipt], owner: str) -> list[bool]:
    """Mark bodies as started, fenced."""
    return [
        it.owner == owner and tx.execute(_SQL["start"], (tx.queue, it.id, owner, it.deliveries)).rowcount == 1
        for it in receipts
    ]


def report(tx: Transaction, receipt: Receipt, data: bytes) -> bool:
    """Keep the progress of a running task, fenced."""
    id, owner, deliveries = receipt.id, receipt.owner, receipt.deliveries
    is_kept = tx.execute(_SQL["report"], (data, tx.queue, id, owner, deliveries)).rowcount == 1
    tx.noticed = tx.noticed or is_kept
    return is_kept


def pause(tx: Transaction) -> None:
    """Let claims return nothing, and say so to the owners."""
    tx.execute(_SQL["set_paused"], (1, tx.queue))
    tx.noticed = True


def resume(tx: Transaction) -> None:
    """Let claims return tasks again; ring for what is there."""
    tx.execute(_SQL["set_paused"], (0, tx.queue))
    tx.noticed = True
    ring_ready(tx)
    tx.rung.update(LANES[lane] for (lane,) in tx.execute(_SQL["suspect_lanes"], (tx.queue,)).fetchall())


def cancel(tx: Transaction, ids: Sequence[str], owner: str) -> list[Delivery]:
    """Flag what is alive; take what no owner holds yet."""
    tx.require_lease(owner)
    taken: list[tuple[Any, ...]] = []
    for id in ids:
        # fetchall, because a statement that RETURNs must be run to its end.
        for (state,) in tx.execute(_SQL["flag"], (tx.queue, id)).fetchall():
            if state == HELD:
                tx.noticed = True
            else:
                taken += tx.execute(_SQL["take_flagged"], (owner, -tx.places(1), tx.queue, id)).fetchall()
    return _deliveries(tx, taken, owner)


def promote(tx: Transaction, now: float, limit: int) -> Promoted:
    """Move what is due to the back of its lane; sweep a little of what is over."""
    due = tx.execute(_SQL["due"], (tx.queue, now, limit)).fetchall()
    if due:
        place = tx.places(len(due))
        tx.many(_SQL["make_ready"], [(place + offset, row) for offset, (row, _) in enumerate(due)])
        tx.rung.update(LANES[lane] for _, lane in due)
    sweep(tx)
    return Promoted(len(due), tx.first_eta())


def put_back(tx: Transaction, rows: Sequence[TaskRow]) -> None:
    """Put held tasks back to where they stood, in front of all that came later, and ring their lanes."""
    if not rows:
        return
    tx.many(_SQL["put_back"], [(SUSPECT if it.is_suspect else READY, it.deliveries, it.row) for it in rows])
    tx.rung.update(LANES[row.lane] for row in rows)


def ring_ready(tx: Transaction, lanes: Iterable[Lane] = LANES) -> None:
    """Ring those lanes that have ready tasks."""
    for lane in lanes:
        if tx.one(_SQL["has_ready"], (tx.queue, LANE_NUMBERS[lane])) is not None:
            tx.rung.add(lane)


def _held_rows(tx: Transaction, owner: str) -> list[TaskRow]:
    return [TaskRow._make(row) for row in tx.execute(_SQL["held"], (tx.queue, owner)).fetchall()]
