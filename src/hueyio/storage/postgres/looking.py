"""Questions and housekeeping; not for the hot path."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from hueyio.storage.postgres.bounds import bounds_of
from hueyio.storage.postgres.core import PostgresCore
from hueyio.storage.postgres.keys import AREA_NUMBERS
from hueyio.storage.postgres.rows import read_header
from hueyio.storage.records import LANES, NOTES_KEPT, Clearable, Counts, Entry, LiveState, Note, Pause

__all__ = ["clear", "counts", "note", "notes", "pause", "paused", "resume", "scan_tasks", "time"]

_LARGEST: Final = 2**63 - 1
_NOTED_AT_ONCE: Final = 10_000


async def counts(core: PostgresCore, most: int | None) -> Counts:
    """Count everything, or each to one more than ``most``."""
    ((*row,),) = await core.call("counts_1", core.queue, most)
    return Counts(dict(zip(LANES, row[:3], strict=True)), *row[3:])


async def scan_tasks(core: PostgresCore, state: LiveState, limit: int | None) -> list[Entry]:
    """List tasks in claim order, suspects first."""
    rows = await core.call(f"scan_{state}_1", core.queue, limit)
    return [Entry(read_header(row), row[7]) for row in rows]


async def clear(core: PostgresCore, what: Collection[Clearable]) -> None:
    """Delete all of these."""
    areas = [number for area, number in AREA_NUMBERS.items() if area in what]
    await core.call("clear_1", core.queue, list(what), areas, bounds_of(core.options))


async def pause(core: PostgresCore, by: str) -> None:
    """Let claims return nothing."""
    await core.call("pause_1", core.queue, by)


async def resume(core: PostgresCore) -> None:
    """Let claims return tasks again."""
    await core.call("resume_1", core.queue)


async def paused(core: PostgresCore) -> Pause | None:
    """Say who paused the queue."""
    rows: list[tuple[Any, ...]] = await core.call("paused_1", core.queue)
    return Pause(*rows[0]) if rows else None


async def note(core: PostgresCore, line: bytes) -> None:
    """Append a line to the audit log: those of one session in the order in which they came."""
    await core.batched(_note_all, [line], _NOTED_AT_ONCE)


async def _note_all(core: PostgresCore, lines: list[bytes]) -> list[None]:
    await core.call_queue("note_1", lines, NOTES_KEPT)
    return [None] * len(lines)


async def notes(core: PostgresCore, limit: int, after: int | None) -> list[Note]:
    """List lines of the audit log, the latest first."""
    before = _LARGEST if after is None else after
    return [Note(*row) for row in await core.call("notes_1", core.queue, before, max(limit, 0))]


async def time(core: PostgresCore) -> float:
    """Return the server's epoch seconds, and set the clock by them."""
    asked_at = core.clock.steady()
    ((now,),) = await core.call("time_1")
    core.clock.hear(now, asked_at)
    return float(now)
