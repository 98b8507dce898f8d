"""For whoever runs tasks: the leases of owners, and tasks on their way out to them and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import CLAIM_BYTES, LANES, Delivery, Lane, MemberResults, Owner, Promoted, Receipt
from hueyio.storage.sqlite import counting, failed_tasks, latches, past_runs
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.keys import sweep
from hueyio.storage.sqlite.large import LARGE
from hueyio.storage.sqlite.limits import end_permits
from hueyio.storage.sqlite.rows import LANE_NUMBERS, SUSPECT, TaskRow, in_order
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.tasks import deliveries, holds_any, put_back

__all__ = [
    "claim",
    "claim_awaited",
    "collect",
    "deregister",
    "held",
    "owners",
    "promote",
    "reclaim",
    "register",
    "report",
    "start",
]

_SQL = statements("consuming.sql")
_LANES: Final = len(LANES)


class _Claimable(NamedTuple):
    """What decides a claim; ``rings`` and ``has_ready`` by the number of the lane."""

    is_paused: bool
    holds_suspect: bool
    any_suspect: bool
    rings: list[int]
    has_ready: list[int]


_NOTHING: Final = _Claimable(True, False, False, [0] * _LANES, [0] * _LANES)


def register(tx: Transaction, owner: str, info: bytes) -> None:
    """Begin a lease, or replace its info."""
    tx.execute(_SQL["register"], (tx.queue, owner, info, tx.now))


def deregister(tx: Transaction, owner: str) -> None:
    """End a lease; what it held goes to the front."""
    if tx.lease(owner) is not None:
        put_back(tx, _held_rows(tx, owner))
        tx.execute(_SQL["deregister"], (tx.queue, owner))
        end_permits(tx, owner)


def reclaim(tx: Transaction, owner: str, beat: int) -> int | None:
    """End the lease of an owner whose heartbeat stands still; what it held comes with one delivery more."""
    lease = tx.lease(owner)
    if lease is None or lease[2] != beat:
        return None
    rows = _held_rows(tx, owner)
    put_back(tx, [row._replace(deliveries=row.deliveries + 1) for row in rows])
    tx.execute(_SQL["deregister"], (tx.queue, owner))
    end_permits(tx, owner)
    return len(rows)


def owners(tx: Transaction) -> list[Owner]:
    """List the owners with a live lease."""
    return [Owner._make(row) for row in tx.execute(_SQL["owners"], (tx.now, tx.queue)).fetchall()]


def claim(tx: Transaction, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
    """Take ready tasks, or one suspect alone."""
    found = _look(tx, owner)
    if found.is_paused or found.holds_suspect:
        return []
    if found.any_suspect:
        suspects = _claim_suspect(tx, room, owner)
        if suspects:
            return suspects
    taken: list[tuple[Any, ...]] = []
    for lane, limit in room.items():
        if limit > 0:
            number = LANE_NUMBERS[lane]
            rows, is_empty = _claim_lane(tx, number, limit, owner) if found.has_ready[number] else ([], True)
            taken += rows
            if is_empty and not found.any_suspect:  # nothing is left to ring for
                tx.emptied.add(lane)
                tx.answered[lane] = found.rings[number]
    return deliveries(tx, taken, owner)


def _claim_lane(tx: Transaction, lane: int, limit: int, owner: str) -> tuple[list[tuple[Any, ...]], bool]:
    """Take from the front of a lane, of large messages as many as make ``CLAIM_BYTES``; say whether it is empty now."""
    where = (tx.queue, lane)
    rows = tx.execute(_SQL["claim_lane"], (owner, *where, *where, LARGE, limit)).fetchall()
    if len(rows) != 1 or (size := _size(rows)) <= LARGE:
        return in_order(rows), len(rows) < limit
    while size < CLAIM_BYTES and len(rows) < limit:
        more = tx.execute(_SQL["claim_lane"], (owner, *where, *where, LARGE, limit - len(rows))).fetchall()
        if not more:
            return rows, True
        rows += in_order(more)
        size += _size(more)
    return rows, False


def _size(rows: Sequence[tuple[Any, ...]]) -> int:
    # What somebody else wrote may be anything.
    return sum([len(row[8]) for row in rows if isinstance(row[8], bytes)])


def claim_awaited(
    tx: Transaction, ids: Sequence[str], room: Mapping[Lane, int], owner: str, alone: bool
) -> list[Delivery]:
    """Take these tasks, as far as they are ready and their lanes have room; or one suspect of them alone."""
    if _look(tx, owner).is_paused:
        return []
    left = {LANE_NUMBERS[lane]: limit for lane, limit in room.items()}
    taken: list[tuple[Any, ...]] = []
    for id in ids:
        found = tx.one(_SQL["whether_ready"], (tx.queue, id))
        if found is None or left.get(found[1], 0) <= 0:
            continue
        is_suspect = found[0] == SUSPECT
        if is_suspect and (taken or not alone):
            continue
        taken += tx.execute(_SQL["claim_one"], (owner, -tx.places(1), tx.queue, id)).fetchall()
        left[found[1]] -= 1
        if is_suspect:
            break
    return deliveries(tx, taken, owner)


def held(tx: Transaction, owner: str) -> list[Delivery]:
    """List what is under a lease."""
    tx.require_lease(owner)
    return deliveries(tx, _held_rows(tx, owner), owner)


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


def promote(tx: Transaction, now: float, limit: int) -> Promoted:
    """Move what is due to the back of its lane; sweep a little of what is over."""
    due = tx.execute(_SQL["due"], (tx.queue, now, limit)).fetchall()
    if due:
        place = tx.places(len(due))
        tx.many(_SQL["make_ready"], [(place + offset, row) for offset, (row, _) in enumerate(due)])
        tx.ring({LANES[lane] for _, lane in due})
    failed_tasks.sweep(tx)
    counting.sweep(tx)
    past_runs.sweep(tx)
    return Promoted(len(due), tx.first_eta(), sweep(tx))


def collect(tx: Transaction, keys: Sequence[str]) -> list[MemberResults | None]:
    """Read what members reported to latches, by position."""
    return [latches.results(tx, key) for key in keys]


def _look(tx: Transaction, owner: str) -> _Claimable:
    """Look what a claim may find; raises LeaseLost."""
    row = tx.one(_SQL["may_claim"], (tx.queue, owner))
    if row is None:
        tx.require_lease(owner)  # raises, and says why
        return _NOTHING
    paused, holds_suspect, any_suspect, *lanes = row
    return _Claimable(bool(paused), bool(holds_suspect), bool(any_suspect), lanes[:_LANES], lanes[_LANES:])


def _claim_suspect(tx: Transaction, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
    if holds_any(tx, owner):
        return []
    lanes = [LANE_NUMBERS[lane] if room.get(lane, 0) > 0 else -1 for lane in LANES]
    rows = tx.execute(_SQL["claim_suspect"], (owner, -tx.places(1), tx.queue, *lanes)).fetchall()
    return deliveries(tx, rows, owner)


def _held_rows(tx: Transaction, owner: str) -> list[TaskRow]:
    return [TaskRow._make(row) for row in tx.execute(_SQL["held"], (tx.queue, owner)).fetchall()]
