"""Questions and housekeeping; not for the hot path."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from hueyio.storage.records import LANES, NOTES_KEPT, Clearable, Counts, Entry, Header, LiveState, Note, Pause
from hueyio.storage.sqlite import dead, failed_tasks, latches, past_runs
from hueyio.storage.sqlite.engine.transaction import AREA_NUMBERS, Transaction
from hueyio.storage.sqlite.rows import LANE_NUMBERS, header, latched
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.tasks import ring_ready, ring_suspects
from hueyio.storage.sqlite.waiting import cancel_all, in_vain
from hueyio.storage.sqlite.waiting_stages import whole

__all__ = ["clear", "counts", "note", "notes", "pause", "paused", "resume", "scan_tasks", "time"]

_SQL = statements("looking.sql")

_PAUSED_BY_SOMEBODY: Final = 2
"""A pause that says whose it is, see ``schema_audit.sql``."""

_LARGEST: Final = 2**63 - 1


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
    headers = [header(row) for row in rows]
    return [Entry(it, whole(tx, it, row[8])) for it, row in zip(headers, rows, strict=True)]


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
            case "history":
                past_runs.clear(tx)
            case _:
                tx.execute(_SQL["clear_area"], (tx.queue, AREA_NUMBERS[it]))
    deleted += [id for (id,) in tx.execute(_SQL["drop_unnamed"], (tx.queue,)).fetchall()]
    told = set(in_vain(tx)).difference(before)
    cancel_all(tx, dict.fromkeys((*deleted, *told)))


def pause(tx: Transaction, by: str) -> None:
    """Let claims return nothing, and say so to the owners."""
    tx.execute(_SQL["pause"], (by, tx.now, tx.queue))
    tx.noticed = True


def resume(tx: Transaction) -> None:
    """Let claims return tasks again; ring for what is there."""
    tx.execute(_SQL["resume"], (tx.queue,))
    tx.noticed = True
    ring_ready(tx)
    ring_suspects(tx)


def paused(tx: Transaction) -> Pause | None:
    """Say who paused the queue."""
    written, by, at = tx.one(_SQL["paused"], (tx.queue,))
    if not written:
        return None
    return Pause(by, at) if written == _PAUSED_BY_SOMEBODY else Pause()


def note(tx: Transaction, line: bytes) -> None:
    """Append a line to the audit log."""
    tx.execute(_SQL["note"], (tx.queue, tx.now, line))
    tx.execute(_SQL["drop_notes"], (tx.queue, tx.queue, NOTES_KEPT))


def notes(tx: Transaction, limit: int, after: int | None) -> list[Note]:
    """List lines of the audit log, the latest first."""
    rows = tx.execute(_SQL["notes"], (tx.queue, _LARGEST if after is None else after, max(limit, 0)))
    return [Note(*row) for row in rows.fetchall()]


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
