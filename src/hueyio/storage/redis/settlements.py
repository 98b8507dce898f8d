"""Settlements as the arguments of ``lua/consuming/settle.lua``, which says what they look like."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, assert_never

from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import LANES, Answer, Bury, Defer, Finish, HistoryBatch, Lane, Release, Settlement
from hueyio.storage.redis.records import write_record, write_start
from hueyio.storage.redis.scripts import Argument
from hueyio.storage.shared.ended import LETTERS
from hueyio.storage.shared.letters import unkept
from hueyio.storage.shared.packed_ids import pack_ids

__all__ = ["Bounds", "read_answers", "write_settlements"]

_ANSWERS: Final[dict[int, Answer]] = {ord("a"): "accepted", ord("f"): "fired", ord("s"): "stale", ord("u"): "untaken"}

_NO_HISTORY: Final = HistoryBatch()
_NO_ROOM: Final[Mapping[Lane, int]] = {}

_NEVER: Final = "-1"
"""Deliveries that no row has: for a receipt of another owner."""


class Bounds(NamedTuple):
    """How much of what is over the storage keeps; a 0 switches it off, but for dead letters."""

    dead_limit: int
    half_kept: int
    """Half of the ended ids."""
    keep_failed: int
    failed_bytes: int
    keep_history: int
    history_ttl: float


def write_settlements(
    settlements: Sequence[Settlement],
    owner: str,
    number: int,
    history: HistoryBatch | None,
    bounds: Bounds,
    room: Mapping[Lane, int] = _NO_ROOM,
) -> list[Argument]:
    """Return the arguments of a batch, with which as much is claimed as there is room for."""
    dead_limit, half_kept, keep_failed, failed_bytes, keep_history, _ = bounds
    if history is None or not keep_history:
        history = _NO_HISTORY
    if not keep_failed:
        settlements = [unkept(it) if isinstance(it, Bury) and it.into == "failed" else it for it in settlements]
    plain_ttl = _usual_ttl(settlements)
    prefix = _usual_prefix(settlements)
    ids: list[Argument] = []
    rest: list[Argument] = []
    for it in settlements:
        receipt = it.receipt
        ids.append(receipt.id)
        deliveries = str(receipt.deliveries) if receipt.owner == owner else _NEVER
        match it:
            case Finish():
                _write_finish(rest, it, deliveries, plain_ttl, prefix)
            case Release():
                rest.append(("B" if it.counted else "b") + deliveries)
            case Defer(header=header):
                rest += ("d" + deliveries, write_start(header))
            case Bury():
                _write_burial(rest, it, deliveries, plain_ttl, prefix)
            case _:
                assert_never(it)
    ttl = "" if plain_ttl is None else repr(plain_ttl)
    packed, places = (pack_ids(history.ids), " ".join(map(str, history.places))) if history.ids else (b"", "")
    attempts = [part for attempt in history.attempts for part in attempt]
    return [
        *(owner, number, dead_limit, ttl, len(ids), prefix, half_kept, keep_failed, failed_bytes),
        *(keep_history, packed, history.data, len(history.ids), places, len(history.attempts)),
        *[max(room.get(lane, 0), 0) for lane in LANES],
        *ids,
        *rest,
        *attempts,
    ]


def read_answers(letters: bytes) -> list[Answer]:
    """Read the answers, a letter each."""
    return [_ANSWERS[letter] for letter in letters]


def _usual_ttl(settlements: Sequence[Settlement]) -> float | None:
    """Return the ttl of the first result; most often all of a batch have the same."""
    for it in settlements:
        if isinstance(it, Finish | Bury) and it.result is not None and it.ttl is not None:
            return it.ttl
    return None


def _usual_prefix(settlements: Sequence[Settlement]) -> str:
    """Return what stands before a task's id in the key of its revocation, which nearly every end of a run deletes."""
    for it in settlements:
        if isinstance(it, Finish | Bury) and len(it.deletes) == 1 and it.deletes[0][1].endswith(it.receipt.id):
            return it.deletes[0][1].removesuffix(it.receipt.id)
    return ""


def _write_finish(rest: list[Argument], it: Finish, deliveries: str, plain_ttl: float | None, prefix: str) -> None:
    receipt, result, ttl, also, intermediate, follow_ups, deletes, take, latch, kind = it
    none, lasting, plain = "n", "r", "t"
    if kind != "done":
        deliveries += LETTERS[kind]
    if deletes == (("revocations", prefix + receipt.id),):
        none, lasting, plain, deletes = "N", "R", "T", ()
    is_more = also or deletes or take is not None or intermediate is not None or latch is not None
    if follow_ups and not is_more and _is_next_stage(it, plain_ttl):
        ((header, _, _),) = follow_ups
        with_result, without = ("S", "M") if none == "N" else ("s", "m")
        rest.append((without if result is None else with_result) + deliveries)
        if result is not None:
            rest.append(result)
        rest += (header.id, write_record(follow_ups[0]))
    elif is_more or follow_ups:
        _write_other(rest, it, deliveries, {} if take is None else {"take": take})
    elif result is None:
        rest.append(none + deliveries)
    elif ttl is None:
        rest += (lasting + deliveries, result)
    elif ttl == plain_ttl:
        rest += (plain + deliveries, result)
    else:
        _write_other(rest, it, deliveries, {})


def _is_next_stage(it: Finish, plain_ttl: float | None) -> bool:
    """Say whether nothing but the next stage of a pipeline follows it."""
    return (
        it.kind == "done"
        and len(it.follow_ups) == 1
        and it.follow_ups[0].header.id != it.receipt.id
        and (it.result is None or (it.ttl is not None and it.ttl == plain_ttl))
    )


def _write_burial(rest: list[Argument], it: Bury, deliveries: str, plain_ttl: float | None, prefix: str) -> None:
    tag, deletes = "f", it.deletes
    if deletes == (("revocations", prefix + it.receipt.id),):
        tag, deletes = "F", ()
    head = f"{LETTERS[it.kind]}{len(it.name.encode())}:{it.name}"
    is_bound = it.into != "failed" or it.also or it.follow_ups or deletes or it.latch or it.again == b""
    if is_bound or it.result is None or it.ttl is None or it.ttl != plain_ttl:
        _write_other(rest, it, deliveries, {"reason": it.reason, "head": head, "into": it.into})
    else:
        ending = "" if it.kind == "done" else LETTERS[it.kind]
        rest += (f"{tag}{deliveries}{ending}", it.result, head, it.reason, it.again or b"")


def _write_other(rest: list[Argument], it: Finish | Bury, deliveries: str, more: dict[str, Any]) -> None:
    """Write one with anything in it: what Lua must know as JSON, then the bytes."""
    id = it.receipt.id
    more["kind"] = LETTERS[it.kind]
    lives_on = isinstance(it, Finish) and any(entry.header.id == id for entry in it.follow_ups)
    intermediate = it.intermediate if isinstance(it, Finish) and lives_on else None
    more["also"] = [later for later in dict.fromkeys(it.also) if later != id]
    more["deletes"] = it.deletes
    more["follow_ups"] = len(it.follow_ups)
    more["lives_on"] = lives_on
    if it.ttl is not None:
        more["ttl"] = it.ttl
    blobs: list[Argument] = []
    for name, data in (("result", it.result), ("intermediate", intermediate)):
        if data is not None:
            more[name] = True
            blobs.append(data)
    if it.latch is not None:
        # The position as text: Lua would write a number in its own way.
        more["latch"] = (it.latch.key, str(it.latch.position))
        blobs.append(it.latch.value)
    if isinstance(it, Bury) and it.again is not None:
        more["again"] = True
        blobs.append(it.again)
    rest += ("x" + deliveries, json.dumps(more, ensure_ascii=False, separators=(",", ":")), *blobs)
    for entry in it.follow_ups:
        rest += (entry.header.id, write_record(entry))
