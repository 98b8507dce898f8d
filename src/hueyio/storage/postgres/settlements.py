"""Settlements as the arguments of ``settle_1``, which says what they look like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, assert_never

from hueyio.storage.postgres.rows import pack_entries
from hueyio.storage.postgres.texts import to_json
from hueyio.storage.records import AREAS, Answer, Area, Bury, Defer, Entry, Finish, HistoryBatch, Release, Settlement
from hueyio.storage.shared.ended import LETTERS
from hueyio.storage.shared.letters import unkept

__all__ = ["pack_settlement", "pack_settlements", "read_answers"]

_ANSWERS: Final[dict[str, Answer]] = {"a": "accepted", "f": "fired", "s": "stale", "u": "untaken"}
_AREA_NUMBERS: Final[dict[Area, int]] = {area: number for number, area in enumerate(AREAS)}
_NEVER: Final = -1
"""Deliveries that no row has: for a receipt of another owner."""


def pack_settlements(
    settlements: Sequence[Settlement], owner: str, number: int, history: HistoryBatch | None, keeps_failed: bool
) -> list[Any]:
    """Return the arguments of a batch, from the owner's on up to the history."""
    if not keeps_failed:
        settlements = [unkept(it) if isinstance(it, Bury) and it.into == "failed" else it for it in settlements]
    tags, letters = "", ""
    results: list[bytes | None] = []
    ttls: list[float | None] = []
    revoked: list[str | None] = []
    latch_keys: list[str | None] = []
    latch_positions: list[int | None] = []
    latch_values: list[bytes | None] = []
    others: dict[str, Any] = {}
    blobs: list[bytes] = []
    for place, it in enumerate(settlements):
        is_plain = isinstance(it, Finish) and _is_plain(it, owner)
        if isinstance(it, Finish) and is_plain:
            tags += "p"
            letters += LETTERS[it.kind]
            results.append(it.result)
            ttls.append(None if it.ttl is None else float(it.ttl))
            revoked.append(it.deletes[0][1] if it.deletes else None)
            latch = it.latch
        else:
            tags += "x"
            letters += "-"
            others[str(place)] = _pack_other(it, blobs)
            results.append(None)
            ttls.append(None)
            revoked.append(None)
            latch = None
        latch_keys.append(None if latch is None else latch.key)
        latch_positions.append(None if latch is None else _position(latch.position))
        latch_values.append(None if latch is None else latch.value)
    return [
        owner,
        number,
        [it.receipt.id for it in settlements],
        [it.receipt.deliveries if it.receipt.owner == owner else _NEVER for it in settlements],
        tags,
        results,
        ttls,
        letters,
        revoked,
        latch_keys,
        latch_positions,
        latch_values,
        to_json(others),
        blobs,
        *_pack_history(settlements, history),
    ]


def pack_settlement(settlement: Settlement, history: HistoryBatch | None, keeps_failed: bool) -> list[Any]:
    """Return the arguments of ``complete_1`` for one settlement, from the owner's on up to the history."""
    if not keeps_failed and isinstance(settlement, Bury) and settlement.into == "failed":
        settlement = unkept(settlement)
    blobs: list[bytes] = []
    receipt = settlement.receipt
    what = to_json(_pack_other(settlement, blobs))
    return [receipt.owner, receipt.id, receipt.deliveries, what, blobs, *_pack_history([settlement], history)]


def read_answers(letters: str) -> list[Answer]:
    """Read the answers, a letter each."""
    return [_ANSWERS[letter] for letter in letters]


def _pack_history(settlements: Sequence[Settlement], history: HistoryBatch | None) -> list[Any]:
    if history is None:
        history = HistoryBatch()
    places = [place for place, _ in history.attempts]
    return [
        list(history.ids),
        list(history.places),
        history.data,
        places,
        [settlements[place].receipt.id for place in places],
        [data for _, data in history.attempts],
    ]


def _is_plain(it: Finish, owner: str) -> bool:
    """Say whether nothing but a result, the end of a revocation, and a member's result follows."""
    receipt = it.receipt
    if receipt.deliveries or receipt.owner != owner or it.follow_ups or it.also or it.take is not None:
        return False
    return not it.deletes or (len(it.deletes) == 1 and it.deletes[0][0] == "revocations")


def _pack_other(it: Settlement, blobs: list[bytes]) -> dict[str, Any]:
    match it:
        case Release():
            return {"t": "r", "counted": int(it.counted)}
        case Defer():
            (entry,) = pack_entries([Entry(it.header, b"")], [])
            entry[7] = -2  # no message: it keeps its own
            return {"t": "d", "entry": entry}
        case Finish():
            return _pack_finish(it, blobs)
        case Bury():
            packed = _pack_end(it, blobs) | {"t": "b", "reason": it.reason, "name": it.name, "into": it.into}
            _add_blob(packed, "again", it.again, blobs)
            return packed
        case _:
            assert_never(it)


def _pack_finish(it: Finish, blobs: list[bytes]) -> dict[str, Any]:
    packed = _pack_end(it, blobs) | {"t": "f"}
    if it.take is not None:
        packed["take"] = [_AREA_NUMBERS[it.take[0]], it.take[1]]
    _add_blob(packed, "intermediate", it.intermediate, blobs)
    return packed


def _pack_end(it: Finish | Bury, blobs: list[bytes]) -> dict[str, Any]:
    packed: dict[str, Any] = {"kind": LETTERS[it.kind]}
    _add_blob(packed, "result", it.result, blobs)
    if it.ttl is not None:
        packed["ttl"] = it.ttl
    if it.also:
        packed["also"] = list(it.also)
    if it.follow_ups:
        packed["follow_ups"] = pack_entries(it.follow_ups, blobs)
    if it.deletes:
        packed["deletes"] = [[_AREA_NUMBERS[area], key] for area, key in it.deletes]
    if it.latch is not None:
        packed["latch"] = [it.latch.key, _position(it.latch.position), len(blobs)]
        blobs.append(it.latch.value)
    return packed


def _add_blob(packed: dict[str, Any], name: str, data: bytes | None, blobs: list[bytes]) -> None:
    if data is not None:
        packed[name] = len(blobs)
        blobs.append(data)


def _position(position: int) -> int:
    """Return a position that fits a column; no latch has one beyond."""
    return position if -(2**31) < position < 2**31 else -1
