"""Rows of tasks as records, and entries as the arguments of our functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hueyio.storage.postgres.texts import to_json
from hueyio.storage.records import LANES, Delivery, Entry, Header, Lane, Receipt, Stage
from hueyio.storage.stages import join

__all__ = [
    "LANE_NUMBERS",
    "is_plain",
    "pack_entries",
    "read_delivery",
    "read_header",
    "rest_of",
    "rooms_of",
    "whole",
    "write_entries",
]

LANE_NUMBERS: Final[dict[Lane, int]] = {lane: number for number, lane in enumerate(LANES)}

_REST: Final = Header("")[6:]
_EXPECTS: Final = Header._fields.index("expects") - 6
_ONCE_TTL: Final = Header._fields.index("once_ttl") - 6
_FIRST_SEEN: Final = Header._fields.index("first_seen") - 6


def rest_of(header: Header) -> tuple[Any, ...] | None:
    """Return the fields that have no column of their own; nearly every task has none of them."""
    rest = header[6:]
    return None if rest == _REST else rest


def read_header(row: Sequence[Any]) -> Header:
    """Build the header from a row that begins with id, lane, rank, eta, max_deliveries, unique_key, more."""
    id, lane, rank, eta, max_deliveries, unique_key, more = row[:7]
    priority = -rank if rank else 0.0
    if more is None:
        return Header(id, LANES[lane], priority, eta, max_deliveries, unique_key)
    rest = list(more)
    rest[_EXPECTS] = tuple(rest[_EXPECTS])
    for number in (_ONCE_TTL, _FIRST_SEEN):
        if rest[number] is not None:
            rest[number] = float(rest[number])
    return Header._make((id, LANES[lane], priority, eta, max_deliveries, unique_key, *rest))


def read_delivery(row: Sequence[Any], owner: str) -> Delivery:
    """Build what the owner gets."""
    data, deliveries, started, cancelled, unrevoked, following = row[7:13]
    receipt = Receipt(owner, row[0], deliveries)
    return Delivery(receipt, read_header(row), data, started, cancelled, unrevoked, following)


def is_plain(entry: Entry) -> bool:
    """Say whether only the id of an entry can be in the way of it, and nothing follows."""
    header = entry.header
    return header.unique_key is None and header.once_token is None and not header.expects and not entry.stages


def pack_entries(entries: Sequence[Entry], blobs: list[bytes]) -> list[list[Any]]:
    """Write entries as ``entries_1`` reads them; their messages are added to ``blobs``."""
    packed: list[list[Any]] = []
    for header, data, stages in entries:
        id, lane, priority, eta, max_deliveries, unique_key = header[:6]
        place = len(blobs)
        blobs.append(data)
        blobs += [stage.data for stage in stages]
        packed.append([
            id, LANE_NUMBERS[lane], _number(-priority), None if eta is None else _number(eta), max_deliveries,
            unique_key, rest_of(header), place, [stage.id for stage in stages],
        ])  # fmt: skip
    return packed


def write_entries(entries: Sequence[Entry]) -> tuple[str, list[bytes]]:
    """Write entries as a jsonb parameter and the messages beside it."""
    blobs: list[bytes] = []
    return to_json(pack_entries(entries, blobs)), blobs


def rooms_of(room: dict[Lane, int]) -> list[int]:
    """Return for how many tasks of each lane there is room."""
    return [min(max(room.get(lane, 0), 0), 2**31 - 1) for lane in LANES]


def whole(id: str, data: bytes, stage_ids: Sequence[str] | None, stage_data: Sequence[bytes] | None) -> bytes:
    """Return a task's message with those of its later stages."""
    if not stage_ids:
        return data
    return join(id, data, [Stage(*it) for it in zip(stage_ids, stage_data or (), strict=True)])


def _number(value: float) -> float | str:
    """Return a number as JSON has it: without infinity."""
    return value if abs(value) < float("inf") else ("Infinity" if value > 0 else "-Infinity")
