"""Lists of tasks, a part at a time, and all that is known of one id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any, Final

from hueyio.storage.postgres.core import PostgresCore
from hueyio.storage.postgres.letters import find_letters
from hueyio.storage.postgres.producing import locate
from hueyio.storage.postgres.rows import read_header
from hueyio.storage.records import (
    LISTED_AT_ONCE,
    LISTED_BYTES,
    DeadLetter,
    Described,
    Found,
    Listed,
    ListedState,
    Listing,
)
from hueyio.storage.shared.places import read_place, write_place
from hueyio.storage.stages import header_of_whole

__all__ = ["describe", "page"]

_FIRST: Final = -(2**63)
_TRIES: Final = 3


async def page(core: PostgresCore, state: ListedState, limit: int, after: str | None) -> Listing:
    """List tasks of a state. One more than there is room for is sought: it tells whether there is more."""
    room = min(limit, LISTED_AT_ONCE)
    items = await _PAGES[state](core, after, room + 1)
    if len(items) <= room:
        return Listing(items)
    return Listing(items[:room], items[room - 1].place if room > 0 else after)


async def describe(core: PostgresCore, ids: Sequence[str]) -> list[Described]:
    """Say all that is known of each id. What moves between two questions is asked about once more."""
    described: dict[str, Described] = {}
    for _ in range(_TRIES):
        missing = [id for id in dict.fromkeys(ids) if id not in described]
        if missing:
            described.update(await _describe_some(core, missing))
    return [described.get(id) or Described(Found(id, "unknown")) for id in ids]


async def _describe_some(core: PostgresCore, ids: Sequence[str]) -> dict[str, Described]:
    found = {it.id: it for it in await locate(core, ids)}
    listed = {it.id: it for it in await _find_live(core, _among(found, "queued", "scheduled", "running"))}
    listed.update({it.id: it for it in await _find_expected(core, _among(found, "expected"))})
    letters = await find_letters(core, _among(found, "dead"))
    return {
        id: described
        for id, it in found.items()
        if (described := _describe_one(it, listed.get(id), letters.get(id))) is not None
    }


def _among(found: dict[str, Found], *states: str) -> list[str]:
    return [id for id, it in found.items() if it.state in states]


def _describe_one(found: Found, listed: Listed | None, letter: DeadLetter | None) -> Described | None:
    """Put together what is known of an id; None if it has moved meanwhile."""
    match found.state:
        case "dead":
            return None if letter is None else Described(found, letter=letter)
        case "queued" | "scheduled" | "running" | "expected":
            if listed is None or listed.state != _LISTED[found.state]:
                return None
            if listed.header is not None and found.data is not None:
                listed = listed._replace(header=header_of_whole(listed.header, found.data))
            return Described(found, listed)
        case _:
            return Described(found)


_LISTED: Final[dict[str, ListedState]] = {
    "queued": "ready", "scheduled": "scheduled", "running": "running", "expected": "waiting"
}  # fmt: skip


async def _find_live(core: PostgresCore, ids: list[str]) -> list[Listed]:
    rows = await core.call("describe_tasks_1", core.queue, ids, LISTED_BYTES) if ids else []
    return [_listed(row) for row in rows]


async def _find_expected(core: PostgresCore, ids: list[str]) -> list[Listed]:
    rows = await core.call("describe_expected_1", core.queue, ids, LISTED_BYTES) if ids else []
    return [_expected(row) for row in rows]


async def _page_ready(core: PostgresCore, after: str | None, room: int) -> list[Listed]:
    part, rank, place = (0, -inf, _FIRST) if after is None else read_place(after, _up_to(3), float, _number)
    rows = await core.call("page_ready_1", core.queue, part, rank, place, LISTED_BYTES, room)
    return [_listed(row, write_place(row[15], row[3], row[12])) for row in rows]


async def _page_scheduled(core: PostgresCore, after: str | None, room: int) -> list[Listed]:
    _, eta, place = (0, -inf, _FIRST) if after is None else read_place(after, _up_to(0), float, _number)
    rows = await core.call("page_scheduled_1", core.queue, eta, place, LISTED_BYTES, room)
    return [_listed(row, write_place(0, row[4], row[12])) for row in rows]


async def _page_running(core: PostgresCore, after: str | None, room: int) -> list[Listed]:
    _, owner, place = (0, "", _FIRST) if after is None else read_place(after, _up_to(0), str, _number)
    rows = await core.call("page_running_1", core.queue, owner, place, LISTED_BYTES, room)
    return [_listed(row, write_place(0, row[13], row[12])) for row in rows]


async def _page_waiting(core: PostgresCore, after: str | None, room: int) -> list[Listed]:
    last = None if after is None else read_place(after, _up_to(0), str)[1]
    rows = await core.call("page_expected_1", core.queue, last, LISTED_BYTES, room)
    return [_expected(row)._replace(place=write_place(0, row[0])) for row in rows]


_PAGES: Final[dict[ListedState, Callable[[PostgresCore, str | None, int], Any]]] = {
    "ready": _page_ready,
    "scheduled": _page_scheduled,
    "running": _page_running,
    "waiting": _page_waiting,
}


def _number(text: str) -> int:
    """Read a place; raises ValueError for one that PostgreSQL does not have."""
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError(text)
    return number


def _up_to(last: int) -> Callable[[str], int]:
    """Return what reads the number of a part."""

    def read(text: str) -> int:
        number = int(text)
        if not 0 <= number <= last:
            raise ValueError(text)
        return number

    return read


def _listed(row: tuple[Any, ...], place: str = "") -> Listed:
    id, state = row[:2]
    head, deliveries, started, cancelled, _, owner, progress = row[8:15]
    header = read_header((id, *row[2:8]))
    is_held = owner is not None
    shown: ListedState = "running" if is_held else "scheduled" if state == _SCHEDULED else "ready"
    return Listed(id, shown, place, header, head, deliveries, started, cancelled, owner, progress)


_SCHEDULED: Final = 2


def _expected(row: tuple[Any, ...]) -> Listed:
    id, namers, lane = row[:3]
    names = tuple(namers or ())
    if lane is None:
        return Listed(id, "waiting", namers=names)
    return Listed(id, "waiting", header=read_header((id, *row[2:8])), head=row[8], namers=names)
