"""Questions and housekeeping; not for the hot path."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from hueyio.storage.records import AREAS, LANES, Clearable, Counts, Entry, Found, Owner, Place, TaskPlace
from hueyio.storage.sqlite.keys import peek
from hueyio.storage.sqlite.rows import HELD, LANE_NUMBERS, SCHEDULED, TaskRow
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.transaction import Transaction
from hueyio.storage.sqlite.waiters import tell_in_vain

__all__ = ["clear", "counts", "locate", "owners", "scan_tasks"]

_SQL = statements("looking.sql")
_KEYS = statements("keys.sql")
_PLACES: Final[dict[int, Place]] = {SCHEDULED: "scheduled", HELD: "running"}


def locate(tx: Transaction, ids: Sequence[str]) -> list[Found]:
    """Say where each id is."""
    return [_locate_one(tx, id) for id in ids]


def _locate_one(tx: Transaction, id: str) -> Found:
    task = tx.one(_SQL["whereabouts"], (tx.queue, id))
    if task is not None:
        return Found(id, _PLACES.get(task[0], "queued"), task[1], bool(task[2]))
    if tx.one(_SQL["is_expected"], (tx.queue, id)) is not None:
        return Found(id, "expected")
    letter = tx.one(_SQL["dead_letter"], (tx.queue, id))
    if letter is not None:
        return Found(id, "dead", letter[8])
    (value,) = peek(tx, "results", [id])
    return Found(id, "gone") if value is None else Found(id, "stored", value)


def owners(tx: Transaction) -> list[Owner]:
    """List the owners with a live lease."""
    return [Owner._make(row) for row in tx.execute(_SQL["owners"], (tx.now, tx.queue)).fetchall()]


def counts(tx: Transaction) -> Counts:
    """Count everything."""
    return Counts(
        queued={lane: _count(tx, "count_queued", LANE_NUMBERS[lane]) for lane in LANES},
        suspects=_count(tx, "count_suspects"),
        scheduled=_count(tx, "count_scheduled"),
        running=_count(tx, "count_running"),
        expected=_count(tx, "count_expected"),
        results=int(tx.one(_KEYS["count"], (tx.queue, AREAS.index("results"), tx.now))[0]),
        dead=_count(tx, "count_dead"),
        dead_dropped=_count(tx, "count_dead_dropped"),
    )


def scan_tasks(tx: Transaction, place: TaskPlace, limit: int | None) -> list[Entry]:
    """List tasks in claim order, suspects first."""
    rows: list[tuple[Any, ...]] = []
    for name in ("scan_suspects", "scan_queued") if place == "queued" else (f"scan_{place}",):
        room = -1 if limit is None else limit - len(rows)
        rows += tx.execute(_SQL[name], (tx.queue, room)).fetchall()
    return [TaskRow._make(row).to_entry() for row in rows]


def clear(tx: Transaction, what: Collection[Clearable]) -> None:
    """Delete all of these; tell those who wait for what was deleted."""
    for it in what:
        match it:
            case "queue" | "schedule":
                tx.execute(_SQL[f"clear_{it}"], (tx.queue,))
            case "dead":
                tx.execute(_SQL["purge_all"], (tx.queue,))
            case _:
                tx.execute(_KEYS["clear"], (tx.queue, AREAS.index(it)))
    tx.execute(_SQL["drop_unnamed"], (tx.queue,))
    tell_in_vain(tx)


def _count(tx: Transaction, name: str, *more: int) -> int:
    return int(tx.one(_SQL[name], (tx.queue, *more))[0])
