"""Questions and housekeeping; not for the hot path."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from hueyio.storage.records import AREAS, LANES, Clearable, Counts, Entry, Found, Header, LiveState, Owner, State
from hueyio.storage.sqlite.keys import peek
from hueyio.storage.sqlite.latches import abandon
from hueyio.storage.sqlite.latches import count as count_latches
from hueyio.storage.sqlite.rows import HELD, LANE_NUMBERS, SCHEDULED, TaskRow, latched
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.transaction import Transaction
from hueyio.storage.sqlite.waiters import tell_in_vain

__all__ = ["clear", "counts", "is_paused", "locate", "owners", "scan_tasks"]

_SQL = statements("looking.sql")
_KEYS = statements("keys.sql")
_LATCHES = statements("latches.sql")
_STATES: Final[dict[int, State]] = {SCHEDULED: "scheduled", HELD: "running"}


def locate(tx: Transaction, ids: Sequence[str]) -> list[Found]:
    """Say where each id is."""
    return [_locate_one(tx, id) for id in ids]


def _locate_one(tx: Transaction, id: str) -> Found:
    task = tx.one(_SQL["whereabouts"], (tx.queue, id))
    if task is not None:
        return Found(id, _STATES.get(task[0], "queued"), task[1], bool(task[2]))
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
        latches=count_latches(tx),
    )


def scan_tasks(tx: Transaction, place: LiveState, limit: int | None) -> list[Entry]:
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
                bound = _bound(tx, it)
                tx.execute(_SQL[f"clear_{it}"], (tx.queue,))
                abandon(tx, bound)
            case "dead":
                tx.execute(_SQL["purge_all"], (tx.queue,))
            case _:
                tx.execute(_KEYS["clear"], (tx.queue, AREAS.index(it)))
    tx.execute(_SQL["drop_unnamed"], (tx.queue,))
    tell_in_vain(tx)


def is_paused(tx: Transaction) -> bool:
    """Say whether the queue is paused."""
    return bool(_count(tx, "is_paused"))


def _bound(tx: Transaction, what: str) -> list[Header]:
    """List the tasks that have to do with latches, before they are deleted."""
    if not count_latches(tx):
        return []
    rows = tx.execute(_LATCHES[f"bound_in_{what}"], (tx.queue,)).fetchall()
    return [latched(id, more) for id, more in rows]


def _count(tx: Transaction, name: str, *more: int) -> int:
    return int(tx.one(_SQL[name], (tx.queue, *more))[0])
