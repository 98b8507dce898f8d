"""Rows of ``hueyio_tasks`` as records, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import LANES, Delivery, Header, Lane, Receipt

__all__ = [
    "HELD",
    "LANE_NUMBERS",
    "READY",
    "SCHEDULED",
    "SUSPECT",
    "TaskRow",
    "delivery",
    "header",
    "in_order",
    "latched",
    "more",
]

READY: Final = 0
SUSPECT: Final = 1
SCHEDULED: Final = 2
HELD: Final = 3

LANE_NUMBERS: Final[dict[Lane, int]] = {lane: number for number, lane in enumerate(LANES)}

_REST: Final = Header("")[6:]
_EXPECTS: Final = Header._fields.index("expects") - 6


class TaskRow(NamedTuple):
    """The columns of a task in the order of every statement that returns one."""

    row: int
    id: str
    lane: int
    priority: float
    eta: float | None
    max_deliveries: int
    unique_key: str | None
    more: str | None
    data: bytes
    deliveries: int = 0
    started: int = 0
    cancelled: int = 0
    place: int = 0

    @property
    def is_suspect(self) -> bool:
        """Given up by an owner, with a single delivery left."""
        return self.deliveries > 0 and self.max_deliveries - self.deliveries == 1


def more(of: Header) -> str | None:
    """Encode the fields that SQL need not see; nearly every task has none of them."""
    rest = of[6:]
    return None if rest == _REST else json.dumps(rest)


def header(of: tuple[Any, ...]) -> Header:
    """Build the header from a row that begins as ``TaskRow`` does."""
    _, id, lane, priority, eta, max_deliveries, unique_key, rest = of[:8]
    # RETURNING gives whole numbers of a REAL column as int.
    priority = float(priority)
    if eta is not None:
        eta = float(eta)
    if rest is None:
        return Header(id, LANES[lane], priority, eta, max_deliveries, unique_key)
    return Header._make((id, LANES[lane], priority, eta, max_deliveries, unique_key, *_read_more(rest)))


def latched(id: str, rest: str) -> Header:
    """Build the part of a header that says what it has to do with latches."""
    return Header._make((*Header(id)[:6], *_read_more(rest)))


def delivery(of: tuple[Any, ...], owner: str, unrevoked: bool) -> Delivery:
    """Build what the owner gets from a task's row."""
    return Delivery(Receipt(owner, of[1], of[9]), header(of), of[8], bool(of[10]), bool(of[11]), unrevoked)


def _read_more(text: str) -> list[Any]:
    rest: list[Any] = json.loads(text)
    rest[_EXPECTS] = tuple(rest[_EXPECTS])
    return rest


def in_order(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Sort rows of one lane as they are claimed: highest priority first, then by place."""
    return sorted(rows, key=lambda row: (-row[3], row[12]))
