"""For whoever adds tasks, takes them back, or asks where they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hueyio.exceptions import StorageError, StorageUnavailable
from hueyio.storage.postgres.bounds import bounds_of
from hueyio.storage.postgres.core import PostgresCore
from hueyio.storage.postgres.rows import LANE_NUMBERS, is_plain, pack_entries, read_delivery, rest_of, whole
from hueyio.storage.postgres.texts import to_json
from hueyio.storage.records import Delivery, Enqueued, Entry, Found, Latch, State
from hueyio.storage.shared.ended import KINDS

__all__ = ["cancel", "enqueue", "locate", "read_verdict"]

_MOST_IN_A_CALL: Final = 1_000
_ADDED: Final = Enqueued("added")
_ALIVE: Final = Enqueued("alive")
_VERDICTS: Final = {"a": _ADDED, "l": _ALIVE, "d": Enqueued("done")}
_STATES: Final[dict[str, State]] = {
    "q": "queued", "s": "scheduled", "r": "running", "e": "expected", "d": "dead", "v": "stored", "t": "ended",
    "u": "unknown",
}  # fmt: skip


async def enqueue(core: PostgresCore, entries: Sequence[Entry], latches: Sequence[Latch]) -> list[Enqueued]:
    """Add all entries, with the latches of which they are members."""
    if latches or not all(is_plain(entry) for entry in entries):
        return await _enqueue_any(core, entries, latches)
    if len(entries) == 1:
        (answer,) = await core.batched(_enqueue_each, entries, _MOST_IN_A_CALL)
        if isinstance(answer, Exception):
            raise answer
        return [answer]
    return await _enqueue_plain(core, entries) if entries else []


def read_verdict(verdict: str, holder: str | None) -> Enqueued:
    """Read what ``add_1`` says of an entry."""
    return Enqueued("taken", holder) if verdict == "t" else _VERDICTS[verdict]


async def cancel(core: PostgresCore, ids: Sequence[str], owner: str) -> list[Delivery]:
    """Flag what is alive; take what no owner holds yet."""
    return [read_delivery(row, owner) for row in await core.call("cancel_1", core.queue, list(ids), owner)]


async def locate(core: PostgresCore, ids: Sequence[str]) -> list[Found]:
    """Say where each id is."""
    rows = await core.call("locate_1", core.queue, list(ids), bounds_of(core.options))
    found: list[Found] = []
    for id, (letter, data, cancelled, kind, stage_ids, stage_data) in zip(ids, rows, strict=True):
        full = None if data is None else whole(id, data, stage_ids, stage_data)
        found.append(Found(id, _STATES[letter], full, cancelled, KINDS.get(kind)))
    return found


async def _enqueue_each(core: PostgresCore, entries: Sequence[Entry]) -> list[Enqueued | Exception]:
    """Add what several callers have at the same time; what one of them gives must not fail the others."""
    try:
        return [*await _enqueue_plain(core, entries)]
    except StorageUnavailable:
        raise
    except StorageError as error:
        if len(entries) == 1:
            return [error]
    return [answer for entry in entries for answer in await _enqueue_each(core, [entry])]


async def _enqueue_plain(core: PostgresCore, entries: Sequence[Entry]) -> list[Enqueued]:
    headers = [entry.header for entry in entries]
    rest = [rest_of(header) for header in headers]
    ((added,),) = await core.call(
        "enqueue_plain_1",
        core.queue,
        [header.id for header in headers],
        [LANE_NUMBERS[header.lane] for header in headers],
        [-float(header.priority) for header in headers],
        [None if header.eta is None else float(header.eta) for header in headers],
        [header.max_deliveries for header in headers],
        [None if it is None else to_json(it) for it in rest],
        [entry.data for entry in entries],
        bounds_of(core.options),
    )
    return [_ADDED if it else _ALIVE for it in added]


async def _enqueue_any(core: PostgresCore, entries: Sequence[Entry], latches: Sequence[Latch]) -> list[Enqueued]:
    blobs: list[bytes] = []
    rows = await core.call(
        "enqueue_1",
        core.queue,
        to_json(pack_entries(entries, blobs)),
        to_json(pack_entries([latch.callback for latch in latches], blobs)),
        [latch.size for latch in latches],
        [latch.absent for latch in latches],
        blobs,
        bounds_of(core.options),
    )
    return [read_verdict(verdict, holder) for verdict, holder in rows]
