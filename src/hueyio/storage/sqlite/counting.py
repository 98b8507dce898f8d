"""What owners count, in rows of JSON, and what stands first in the lanes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from hueyio.storage.records import (
    COUNT_SPANS,
    LANES,
    OTHERS,
    Counted,
    CountedSlot,
    CountedTask,
    Counters,
    Header,
)
from hueyio.storage.shared.counting import add_all, add_bounded, slots_at
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.rows import LANE_NUMBERS, header
from hueyio.storage.sqlite.statements import statements

__all__ = ["heads", "publish", "read_counts", "read_slots", "sweep"]

_SQL = statements("counting.sql")
_SOUGHT: Final = 8
"""Names up to which each is sought by itself; a slot has a hundred at most."""
_ROWS = {"t": "totals", "i": "names", "f": "failures", "q": "enqueued"}


def publish(tx: Transaction, owner: str, number: int, info: bytes, counted: Counted | None) -> bool:
    """Replace what an owner says of itself, and add what it counted."""
    if tx.execute(_SQL["publish"], (info, tx.queue, owner)).rowcount != 1:
        return False
    if counted is None or tx.execute(_SQL["count"], (number, tx.queue, owner, number)).rowcount != 1:
        return True
    entered = dict(zip(LANES, tx.one(_SQL["entered"], (tx.queue,)), strict=True))
    enqueued: Counters = {lane: count for lane, count in entered.items() if count}
    if enqueued:
        tx.execute(_SQL["forget_entered"], (tx.queue,))
    for span, slot in slots_at(tx.now):
        _add(tx, (tx.queue, span, slot), counted, enqueued)
    return True


def _add(tx: Transaction, slot: tuple[int, int, int], counted: Counted, enqueued: Counters) -> None:
    totals, names, failures = (_read(tx, slot, row) for row in "tif")
    add_all(totals, counted.totals)
    add_bounded(failures, counted.failures)
    refused = add_bounded(names, counted.names)
    written = {"t": totals, "i": names, "f": failures}
    if enqueued:
        written["q"] = _read(tx, slot, "q")
        add_all(written["q"], enqueued)
    for name, counters in counted.tasks.items():
        row = f"n{OTHERS if name in refused else name}"
        if row not in written:
            written[row] = _read(tx, slot, row)
        add_all(written[row], counters)
    tx.many(_SQL["write"], [(*slot, row, json.dumps(it)) for row, it in written.items()])


def _read(tx: Transaction, slot: tuple[int, int, int], row: str) -> Counters:
    found = tx.one(_SQL["read"], (*slot, row))
    counters: Counters = {} if found is None else json.loads(found[0])
    return counters


def read_slots(tx: Transaction, span: int, first: int, last: int) -> list[CountedSlot]:
    """Read slots."""
    found: dict[int, CountedSlot] = {}
    for slot, row, data in tx.execute(_SQL["read_slots"], (tx.queue, span, first, last)).fetchall():
        before = found.get(slot) or CountedSlot(slot * span, {}, {}, {}, {})
        found[slot] = before._replace(**{_ROWS[row]: json.loads(data)})
    return list(found.values())


def read_counts(tx: Transaction, span: int, first: int, last: int, names: Sequence[str]) -> list[CountedTask]:
    """Read what was counted of some names."""
    if len(names) > _SOUGHT:
        return _read_range(tx, span, first, last, names)
    found: list[CountedTask] = []
    for (slot,) in tx.execute(_SQL["listed"], (tx.queue, span, first, last)).fetchall():
        for name in names:
            counters = _read(tx, (tx.queue, span, slot), f"n{name}")
            if counters:
                found.append(CountedTask(slot * span, name, counters))
    return found


def _read_range(tx: Transaction, span: int, first: int, last: int, names: Sequence[str]) -> list[CountedTask]:
    """Read the slots in one go, and of these what is wanted: callers ask for names that follow each other."""
    order = {f"n{name}": at for at, name in enumerate(names)}
    rows = tx.execute(_SQL["read_tasks"], (tx.queue, span, first, last, min(order), max(order)))
    wanted = sorted((slot, order[row], data) for slot, row, data in rows if row in order)
    found = [CountedTask(slot * span, names[at], json.loads(data)) for slot, at, data in wanted]
    return [it for it in found if it.counters]


def heads(tx: Transaction) -> list[Header]:
    """Find what is ready and first of its priority."""
    found: list[Header] = []
    for lane in LANES:
        at = (tx.queue, LANE_NUMBERS[lane])
        first = tx.one(_SQL["head"], at)
        if first is not None:
            found.append(header((None, *first)))
            (lowest,) = tx.one(_SQL["lowest"], at)
            if lowest != first[2]:
                found.append(header((None, *tx.one(_SQL["head_of"], (*at, lowest)))))
    return found


def sweep(tx: Transaction) -> None:
    """Drop of each span one slot whose time is over."""
    for span, kept in COUNT_SPANS.items():
        over = tx.one(_SQL["over"], (tx.queue, span, int((tx.now - kept) // span)))
        if over is not None:
            tx.execute(_SQL["drop"], (tx.queue, span, over[0]))
