"""For whoever adds tasks, takes them back, or asks where they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hueyio.storage.records import Delivery, Enqueued, Entry, Found, Latch, State
from hueyio.storage.sqlite import dead, tasks
from hueyio.storage.sqlite.engine import tombstones
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.latches import add_latched
from hueyio.storage.sqlite.rows import HELD, SCHEDULED, latched
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.waiting_stages import whole

__all__ = ["cancel", "enqueue", "locate"]

_SQL = statements("producing.sql")
_STATES: Final[dict[int, State]] = {SCHEDULED: "scheduled", HELD: "running"}


def enqueue(tx: Transaction, entries: Sequence[Entry], latches: Sequence[Latch]) -> list[Enqueued]:
    """Add all entries, with the latches of which they are members."""
    return add_latched(tx, entries, latches) if latches else tasks.add(tx, entries)


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
    return tasks.deliveries(tx, taken, owner)


def locate(tx: Transaction, ids: Sequence[str]) -> list[Found]:
    """Say where each id is."""
    return [_locate_one(tx, id) for id in ids]


def _locate_one(tx: Transaction, id: str) -> Found:
    task = tx.one(_SQL["whereabouts"], (tx.queue, id))
    if task is not None:
        state, data, cancelled, more = task
        if more is not None and tx.any_stages:
            data = _whole(tx, id, more, data)
        return Found(id, _STATES.get(state, "queued"), data, bool(cancelled))
    if tx.one(_SQL["is_expected"], (tx.queue, id)) is not None:
        return Found(id, "expected")
    kind = tombstones.find(tx, id)
    letter = dead.find(tx, id)
    if letter is not None:
        return Found(id, "dead", letter.data, kind=kind or letter.kind)
    value = tx.value("results", id)
    if value is not None:
        return Found(id, "stored", value, kind=kind)
    return Found(id, "unknown" if kind is None else "ended", kind=kind)


def _whole(tx: Transaction, id: str, more: str, data: bytes) -> bytes:
    try:
        return whole(tx, latched(id, more), data)
    except (ValueError, TypeError, LookupError):  # somebody else wrote it, or the file is damaged
        return data
