"""For whoever runs tasks: the leases of owners, and tasks on their way out to them and back."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from hueyio.storage.postgres.bounds import bounds_of
from hueyio.storage.postgres.core import PostgresCore
from hueyio.storage.postgres.rows import read_delivery, rooms_of
from hueyio.storage.postgres.settlements import pack_settlements, read_answers
from hueyio.storage.records import Answer, Delivery, HistoryBatch, Lane, Owner, Promoted, Receipt, Settlement
from hueyio.storage.shared.sweeping import next_sweep

__all__ = [
    "claim",
    "claim_awaited",
    "deregister",
    "held",
    "owners",
    "promote",
    "reclaim",
    "register",
    "report",
    "settle",
    "settle_and_claim",
    "start",
]

log = logging.getLogger(__name__)

_SWEEP_CHUNK: Final = 1_000
_LARGEST: Final = 2**31 - 1


async def register(core: PostgresCore, owner: str, info: bytes) -> None:
    """Begin a lease, or replace its info."""
    await core.call("register_owner_1", core.queue, owner, info)


async def deregister(core: PostgresCore, owner: str) -> None:
    """End a lease; what it held goes to the front."""
    await core.call("deregister_1", core.queue, owner)
    await core.notice_board.forget(owner)


async def reclaim(core: PostgresCore, owner: str, beat: int) -> int | None:
    """End the lease of an owner whose heartbeat stands still; what it held comes with one delivery more."""
    ((held_,),) = await core.call("reclaim_1", core.queue, owner, beat)
    return None if held_ is None else int(held_)


async def owners(core: PostgresCore) -> list[Owner]:
    """List the owners with a live lease."""
    return [Owner._make(row) for row in await core.call("owners_1", core.queue)]


async def claim(core: PostgresCore, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
    """Take ready tasks, or one suspect alone."""
    rows = await core.call("claim_1", core.queue, owner, rooms_of(dict(room)), *core.floors.arguments())
    return [read_delivery(row, owner) for row in core.floors.take(rows)]


async def claim_awaited(
    core: PostgresCore, ids: Sequence[str], room: Mapping[Lane, int], owner: str, alone: bool
) -> list[Delivery]:
    """Take these tasks, as far as they are ready and their lanes have room; or one suspect of them alone."""
    rows = await core.call("claim_awaited_1", core.queue, owner, list(ids), rooms_of(dict(room)), alone)
    return [read_delivery(row, owner) for row in rows]


async def held(core: PostgresCore, owner: str) -> list[Delivery]:
    """List what is under a lease."""
    return [read_delivery(row, owner) for row in await core.call("held_1", core.queue, owner)]


async def start(core: PostgresCore, receipts: Sequence[Receipt], owner: str) -> list[bool]:
    """Mark bodies as started, fenced."""
    times = [it.deliveries if it.owner == owner else -1 for it in receipts]
    rows = await core.call("start_1", core.queue, owner, [it.id for it in receipts], times)
    return [is_started for (is_started,) in rows]


async def settle(
    core: PostgresCore, settlements: Sequence[Settlement], owner: str, number: int, history: HistoryBatch | None
) -> list[Answer]:
    """Apply a batch of an owner, or repeat what it was told."""
    answers, _ = await settle_and_claim(core, settlements, owner, number, history, {})
    return answers


async def settle_and_claim(
    core: PostgresCore,
    settlements: Sequence[Settlement],
    owner: str,
    number: int,
    history: HistoryBatch | None,
    room: Mapping[Lane, int],
) -> tuple[list[Answer], list[Delivery] | None]:
    """Apply a batch, and claim with it; None as deliveries: nothing was claimed, by whatever reason."""
    options = core.options
    rooms = rooms_of(dict(room)) if any(limit > 0 for limit in room.values()) else None
    packed = pack_settlements(settlements, owner, number, history, options.keeps_failed)
    first, *rest = await core.call("settle_1", core.queue, *packed, rooms, *core.floors.arguments(), bounds_of(options))
    letters, dropped, is_claimed = first[:3]
    if dropped:
        log.warning("dropped the oldest %d dead letters: no more than %d are kept", dropped, options.dead_limit)
    if not is_claimed:
        return read_answers(letters), None
    return read_answers(letters), [read_delivery(row, owner) for row in core.floors.take([it[3:] for it in rest])]


async def promote(core: PostgresCore, now: float, limit: int) -> Promoted:
    """Move what is due to the back of its lane; sweep a little of what is over."""
    asked_at = core.clock.steady()
    most = min(limit, _LARGEST)
    ((moved, next_eta, swept, told),) = await core.call(
        "promote_1", core.queue, float(now), most, bounds_of(core.options)
    )
    core.clock.hear(told, asked_at)
    return Promoted(moved, next_eta, next_sweep(swept, _SWEEP_CHUNK))


async def report(core: PostgresCore, receipt: Receipt, data: bytes) -> bool:
    """Keep the progress of a running task, fenced."""
    ((is_kept,),) = await core.call("report_1", core.queue, receipt.id, receipt.owner, receipt.deliveries, data)
    return bool(is_kept)
