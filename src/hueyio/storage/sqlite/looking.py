"""Questions and housekeeping; not for the hot path."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hueyio.storage.records import LANES, Clearable, Counts, Entry, Header, LiveState
from hueyio.storage.sqlite import dead, failed_tasks, latches
from hueyio.storage.sqlite.engine.transaction import AREA_NUMBERS, Transaction
from hueyio.storage.sqlite.rows import LANE_NUMBERS, TaskRow, latched
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.tasks import ring_ready, ring_suspects
from hueyio.storage.sqlite.waiting import cancel_all, in_vain

__all__ = ["clear", "counts", "is_paused", "pause", "resume", "scan_tasks", "time"]

_SQL = statements("looking.sql")


def counts(tx: Transaction, most: int | None = None) -> Counts:
    """Count everything, or each to one more than ``most``: a million ready tasks take 60 ms."""
    limit: tuple[int, ...]
    suffix, limit = ("", ()) if most is None else ("_to", (most + 1,))
    return Counts(
        queued={lane: _count(tx, f"count_queued{suffix}", LANE_NUMBERS[lane], *limit) for lane in LANES},
        suspects=_count(tx, f"count_suspects{suffix}", *limit),
        scheduled=_count(tx, f"count_scheduled{suffix}", *limit),
        running=_count(tx, f"count_running{suffix}", *limit),
        expected=_count(tx, f"count_expected{suffix}", *limit),
        results=_count(tx, f"count_results{suffix}", AREA_NUMBERS["results"], tx.now, *limit),
        dead=dead.count(tx),
        dead_dropped=_count(tx, "count_dead_dropped"),
        latches=latches.count(tx),
        failed=failed_tasks.count(tx),
    )


def scan_tasks(tx: Transaction, state: LiveState, limit: int | None) -> list[Entry]:
    """List tasks in claim order, suspects first."""
    rows: list[tuple[Any, ...]] = []
    for name in ("scan_suspects", "scan_queued") if state == "queued" else (f"scan_{state}",):
        room = -1 if limit is None else limit - len(rows)
        rows += tx.execute(_SQL[name], (tx.queue, room)).fetchall()
    return [TaskRow._make(row).to_entry() for row in rows]


def clear(tx: Transaction, what: Collection[Clearable]) -> None:
    """Delete all of these; tell those who wait for what was deleted, and remember the last of it as cancelled."""
    before = in_vain(tx)
    deleted: list[str] = []
    for it in what:
        match it:
            case "queue" | "schedule":
                bound = _bound(tx, it)
                deleted += [id for (id,) in tx.execute(_SQL[f"last_in_{it}"], (tx.queue, tx.keep_ended)).fetchall()]
                tx.execute(_SQL[f"clear_{it}"], (tx.queue,))
                latches.abandon(tx, bound)
            case "dead":
                dead.purge(tx, None)
            case "failed":
                failed_tasks.clear(tx)
            case _:
                tx.execute(_SQL["clear_area"], (tx.queue, AREA_NUMBERS[it]))
    deleted += [id for (id,) in tx.execute(_SQL["drop_unnamed"], (tx.queue,)).fetchall()]
    told = set(in_vain(tx)).difference(before)
    cancel_all(tx, dict.fromkeys((*deleted, *told)))


def pause(tx: Transaction) -> None:
    """Let claims return nothing, and say so to the owners."""
    tx.execute(_SQL["set_paused"], (1, tx.queue))
    tx.noticed = True


def resume(tx: Transaction) -> None:
    """Let claims return tasks again; ring for what is there."""
    tx.execute(_SQL["set_paused"], (0, tx.queue))
    tx.noticed = True
    ring_ready(tx)
    ring_suspects(tx)


def is_paused(tx: Transaction) -> bool:
    """Say whether the queue is paused."""
    return bool(_count(tx, "is_paused"))


def time(tx: Transaction) -> float:
    """Return epoch seconds."""
    return tx.now


def _bound(tx: Transaction, what: str) -> list[Header]:
    """List the tasks that have to do with latches, before they are deleted."""
    if not latches.count(tx):
        return []
    rows = tx.execute(_SQL[f"bound_in_{what}"], (tx.queue,)).fetchall()
    return [latched(id, more) for id, more in rows]


def _count(tx: Transaction, name: str, *more: float) -> int:
    return int(tx.one(_SQL[name], (tx.queue, *more))[0])
