"""The consumer's role: leases, claims, settlements."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hueyio.storage.records import LANES, Answer, Delivery, HistoryBatch, Lane, Owner, Promoted, Receipt, Settlement
from hueyio.storage.redis.calls import ScriptCall, Sent, Table, as_bool, composed
from hueyio.storage.redis.connection.eviction import warn_of_eviction
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.large_tasks import read_claimed
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.records import no_utf8, read_deliveries
from hueyio.storage.redis.scripts import Argument
from hueyio.storage.redis.settlements import read_answers, write_settlements
from hueyio.storage.redis.trial import try_consuming
from hueyio.storage.shared.sweeping import next_sweep

__all__ = ["CONSUMING", "prepare_consuming", "settle_and_claim"]

logger = logging.getLogger(__name__)

_SWEEP_CHUNK: Final = 200


async def prepare_consuming(core: RedisCore) -> None:
    """Find out whether this session can serve a consumer, once; raises StorageUnavailable or ConfigurationError."""
    if not core.may_consume:
        await try_consuming(core)
        core.may_consume = True
        core.lifetime.spawn(warn_of_eviction(core.wire))


async def _deregister(core: RedisCore, owner: str) -> None:
    await core.run("deregister", (owner,), [core.layout.held(owner)])
    await core.notice_board.forget(owner)


async def settle_and_claim(
    core: RedisCore,
    settlements: Sequence[Settlement],
    owner: str,
    number: int,
    history: HistoryBatch | None,
    room: Mapping[Lane, int],
) -> tuple[list[Answer], list[Delivery] | None]:
    """Write settlements, and claim with them; what was claimed is None where that takes a script of its own."""
    try:
        args = write_settlements(settlements, owner, number, history, core.bounds, room)
    except UnicodeEncodeError as error:
        raise no_utf8(error) from None
    letters, dropped, claimed = await core.run("settle", args, [core.layout.held(owner)])
    if dropped:
        logger.warning("dropped the oldest %d dead letters: no more than %d are kept", dropped, core.bounds.dead_limit)
    # Whether the lease is gone, an ordinary claim finds out.
    return read_answers(letters), await read_claimed(core, claimed, owner) if isinstance(claimed, list) else None


async def _settle(
    core: RedisCore, settlements: Sequence[Settlement], owner: str, number: int, history: HistoryBatch | None
) -> list[Answer]:
    answers, _ = await settle_and_claim(core, settlements, owner, number, history, {})
    return answers


def _read_owners(reply: Any) -> list[Owner]:
    rows = [reply[at : at + 5] for at in range(0, len(reply), 5)]
    return [Owner(owner.decode(), int(beat), info, held, float(silence)) for owner, beat, info, held, silence in rows]


async def _claim(core: RedisCore, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
    args: list[Argument] = [owner, *[max(room.get(lane, 0), 0) for lane in LANES]]
    return await read_claimed(core, await core.run("claim", args, [core.layout.held(owner)]), owner)


def _write_claim_awaited(_: Layout, ids: Sequence[str], room: Mapping[Lane, int], owner: str, alone: bool) -> Sent:
    return Sent((owner, *[max(room.get(lane, 0), 0) for lane in LANES], int(alone), *ids))


def _write_start(layout: Layout, receipts: Sequence[Receipt], owner: str) -> Sent:
    args: list[Argument] = []
    for receipt in receipts:
        args += (receipt.id, receipt.deliveries if receipt.owner == owner else -1)
    return Sent(args, [layout.held(owner)])


async def _promote(core: RedisCore, now: float, limit: int) -> Promoted:
    asked_at = core.clock.steady()
    history = core.bounds.keep_history, core.bounds.history_ttl
    args = (repr(now), limit, _SWEEP_CHUNK, core.failed_ttl, *history)
    moved, next_eta, swept, told = await core.run("promote", args)
    core.clock.hear(float(told), asked_at)
    return Promoted(moved, None if next_eta is None else float(next_eta), next_sweep(swept, _SWEEP_CHUNK))


def _write_report(layout: Layout, receipt: Receipt, data: bytes) -> Sent:
    args = (receipt.id, receipt.deliveries, layout.progress_channel(receipt.id), data)
    return Sent(args, [layout.held(receipt.owner)])


CONSUMING: Final[Table] = {
    "register": ScriptCall(lambda _, owner, info: Sent((owner, info)), lambda *_: None),
    "deregister": composed(_deregister),
    "owners": ScriptCall(lambda _: Sent(), _read_owners, rides_out=True, is_over_fleet=True),
    "claim": composed(_claim),
    "claim_awaited": ScriptCall(
        _write_claim_awaited,
        lambda reply, _ids, _room, owner, _alone: read_deliveries(reply, owner),
        is_over_fleet=True,
    ),
    "held": ScriptCall(lambda layout, owner: Sent((owner,), [layout.held(owner)]), read_deliveries),
    "start": ScriptCall(_write_start, lambda reply, *_: [answer == 1 for answer in reply]),
    "settle": composed(_settle),
    "promote": composed(_promote),
    "reclaim": ScriptCall(lambda layout, owner, beat: Sent((owner, beat), [layout.held(owner)])),
    "report": ScriptCall(_write_report, as_bool),
    "collect": ScriptCall(
        lambda _, keys: Sent(keys) if keys else None,
        lambda reply, _: [None if values is None else tuple(values) for values in reply],
    ),
}
