"""Lists of tasks, a part at a time, and all that is known of one id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any, Final

from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import (
    LANES,
    LISTED_AT_ONCE,
    LISTED_BYTES,
    Described,
    Found,
    Header,
    Listed,
    ListedState,
    Listing,
)
from hueyio.storage.shared.places import read_place, write_place
from hueyio.storage.sqlite import dead, latches
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.producing import locate
from hueyio.storage.sqlite.rows import HELD, LANE_NUMBERS, SCHEDULED, header
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.stages import header_of_whole

__all__ = ["describe", "page"]

_SQL = statements("listing.sql")
_STATES: Final[dict[int, ListedState]] = {SCHEDULED: "scheduled", HELD: "running"}


class _Segment(NamedTuple):
    """A list in one order: its statements, the rank before its first, and which column has a row's rank."""

    name: str
    first: float | str
    column: int
    lane: int | None = None


_PRIORITY: Final = 3
_ETA: Final = 4
_PLACE: Final = 12
_OWNER: Final = 14
_ROW: Final = 0
_SEGMENTS: Final[dict[ListedState, tuple[_Segment, ...]]] = {
    "ready": (
        _Segment("suspects", inf, _PRIORITY),
        *(_Segment("ready", inf, _PRIORITY, LANE_NUMBERS[lane]) for lane in LANES),
    ),
    "scheduled": (_Segment("scheduled", -inf, _ETA),),
    "running": (_Segment("running", "", _OWNER),),
}


def page(tx: Transaction, state: ListedState, limit: int, after: str | None) -> Listing:
    """List tasks of a state. One more than there is room for is sought: it tells whether there is more."""
    room = min(limit, LISTED_AT_ONCE)
    items = _waiting(tx, after, room + 1) if state == "waiting" else _standing(tx, state, after, room + 1)
    if len(items) <= room:
        return Listing(items)
    return Listing(items[:room], items[room - 1].place if room > 0 else after)


def describe(tx: Transaction, ids: Sequence[str]) -> list[Described]:
    """Say all that is known of each id."""
    return [_describe_one(tx, found) for found in locate(tx, ids)]


def _describe_one(tx: Transaction, found: Found) -> Described:
    match found.state:
        case "queued" | "scheduled" | "running":
            given = {"queue": tx.queue, "id": found.id, "bytes": LISTED_BYTES}
            (row,) = tx.execute(_SQL["task"], given).fetchall()
            listed = _listed(row)
            if listed.header is not None and found.data is not None:
                listed = listed._replace(header=header_of_whole(listed.header, found.data))
            return Described(found, listed)
        case "expected":
            return Described(found, _expected(tx, found.id))
        case "dead":
            return Described(found, letter=dead.find(tx, found.id))
        case _:
            return Described(found)


def _standing(tx: Transaction, state: ListedState, after: str | None, room: int) -> list[Listed]:
    segments = _SEGMENTS[state]
    kinds: tuple[Callable[[str], Any], ...] = (int, str if state == "running" else float, int)
    number, rank, place = (0, segments[0].first, -inf) if after is None else read_place(after, *kinds)
    items: list[Listed] = []
    for at in range(number, len(segments)):
        if len(items) < room:
            items += _seek(tx, at, segments[at], rank, place, room - len(items))
        rank, place = segments[0].first, -inf
    return items


def _seek(tx: Transaction, number: int, segment: _Segment, rank: Any, place: float, room: int) -> list[Listed]:
    given = {"queue": tx.queue, "bytes": LISTED_BYTES, "lane": segment.lane, "rank": rank, "place": place}
    rows = tx.execute(_SQL[f"{segment.name}_same"], {**given, "limit": room}).fetchall()
    rows += tx.execute(_SQL[f"{segment.name}_next"], {**given, "limit": room - len(rows)}).fetchall()
    among = _ROW if segment.name == "running" else _PLACE
    return [_listed(row, write_place(number, row[segment.column], row[among])) for row in rows]


def _listed(row: tuple[Any, ...], place: str = "") -> Listed:
    deliveries, started, cancelled, _, state, owner, progress = row[9:]
    return Listed(
        row[1],
        _STATES.get(state, "ready"),
        place,
        _read_header(row),
        row[8] if isinstance(row[8], bytes) else b"",
        deliveries,
        bool(started),
        bool(cancelled),
        owner if state == HELD else None,  # before that it may be what keeps room for one
        progress,
    )


def _read_header(row: tuple[Any, ...]) -> Header | None:
    try:
        return header(row)
    except (ValueError, TypeError, LookupError):  # somebody else wrote it, or the file is damaged
        return None


def _waiting(tx: Transaction, after: str | None, room: int) -> list[Listed]:
    # No text stands between an id and the same with a NUL behind it.
    first = "" if after is None else f"{read_place(after, int, str)[1]}\0"
    rows = tx.execute(_SQL["expected"], {"queue": tx.queue, "id": first, "limit": room}).fetchall()
    return [_expected(tx, id)._replace(place=write_place(0, id)) for (id,) in rows]


def _expected(tx: Transaction, id: str) -> Listed:
    rows = tx.execute(_SQL["namers"], {"queue": tx.queue, "id": id}).fetchall()
    namers = tuple([namer for (namer,) in rows])
    callback = latches.find_callback(tx, id)
    if callback is None:
        return Listed(id, "waiting", namers=namers)
    return Listed(id, "waiting", header=callback.header, head=callback.data[:LISTED_BYTES], namers=namers)
