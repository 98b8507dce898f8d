"""Lists of tasks, a part at a time, and all that is known of one id. ``lua/parts/_rows.lua`` says what a row is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from hueyio.storage.records import (
    LISTED_AT_ONCE,
    LISTED_BYTES,
    Described,
    Header,
    Listed,
    ListedState,
    Listing,
)
from hueyio.storage.redis.calls import ScriptCall, Sent, Table
from hueyio.storage.redis.dead import read_letters
from hueyio.storage.redis.layout import Layout, QueueKind
from hueyio.storage.redis.producing import read_found
from hueyio.storage.redis.records import read_record
from hueyio.storage.shared.places import read_place, write_place
from hueyio.storage.stages import header_of_whole

__all__ = ["LISTING"]

_MOST_READ: Final = 2**20
"""Bytes of records that one part reads: whoever has large messages gets short parts."""

_INDEXED: Final = 2
"""Parts of the place of a ready task whose queue is a list, as the script says it: the queue's number, and an index."""

_Kinds = tuple[Callable[[str], Any], ...]

_READY: Final[dict[QueueKind, _Kinds]] = {"list": (int, int, str), "sorted": (int, float, int)}
_PLACES: Final[dict[ListedState, _Kinds]] = {
    "scheduled": (float, str),
    "running": (str, str),
    "waiting": (int, int),
}
"""What the parts of a place are; of ready tasks that depends on what their queue is."""


def _kinds(state: ListedState, queue: QueueKind) -> _Kinds:
    return _READY[queue] if state == "ready" else _PLACES[state]


def _write_page(layout: Layout, state: ListedState, limit: int, after: str | None) -> Sent:
    parts = [] if after is None else read_place(after, *_kinds(state, layout.flavour.queue))
    texts = [it if isinstance(it, str) else repr(it) for it in parts]
    return Sent((state, max(min(limit, LISTED_AT_ONCE), 0), LISTED_BYTES, _MOST_READ, *texts))


def _write_describe(_: Layout, ids: Sequence[str]) -> Sent:
    return Sent((LISTED_BYTES, *ids))


def _read_page(reply: Any, state: ListedState, limit: int, after: str | None) -> Listing:
    is_more, last, last_id, rows = reply
    items: list[Listed] = []
    for at in range(0, len(rows), 3):
        place, id, row = rows[at : at + 3]
        text = _place_of(state, place, id)
        items.append(_read_plain(id, state, row, text) if isinstance(row, bytes) else _read_row(row, text))
    return Listing(items, (after if last is None else _place_of(state, last, last_id)) if is_more else None)


def _place_of(state: ListedState, place: bytes, id: bytes) -> str:
    """Write a place: what the script says of it, and the id where that is a part of it."""
    parts = [place] if state == "running" else place.split(b" ")
    texts = [part.decode(errors="surrogateescape") for part in parts]
    is_by_id = state in ("scheduled", "running") or (state == "ready" and len(parts) == _INDEXED)
    return write_place(*texts, id.decode(errors="surrogateescape")) if is_by_id else write_place(*texts)


def _read_plain(id: bytes, state: ListedState, record: bytes, place: str) -> Listed:
    name = id.decode(errors="replace")
    header, head = _read_head(name, record)
    return Listed(name, state, place, header, head)


def _read_row(row: Sequence[Any], place: str = "") -> Listed:
    raw, state, record, deliveries, flags, cancelled, owner, progress, namers = row
    id = raw.decode(errors="replace")
    header, head = (None, b"") if record is None else _read_head(id, record)
    return Listed(
        id,
        state.decode(),
        place,
        header,
        head,
        deliveries,
        b"s" in flags,
        bool(cancelled),
        None if owner is None else owner.decode(),
        progress,
        () if namers is None else _read_namers(namers),
    )


def _read_head(id: str, record: bytes) -> tuple[Header | None, bytes]:
    try:
        return read_record(id, record)
    except (ValueError, LookupError, TypeError):  # no hueyio wrote it
        return None, b""


def _read_namers(row: bytes) -> tuple[str, ...]:
    """Read a row of ``lua/parts/_expected.lua``."""
    namers: list[str] = []
    while row:
        length, _, rest = row.partition(b":")
        namers.append(rest[: int(length)].decode())
        row = rest[int(length) :]
    return tuple(sorted(namers))


def _read_described(reply: Any, ids: Sequence[str]) -> list[Described]:
    return [_describe(id, *reply[3 * at : 3 * at + 3]) for at, id in enumerate(ids)]


def _describe(id: str, where: Sequence[Any], row: Sequence[Any], letter: Sequence[Any]) -> Described:
    listed, found = _read_row(row) if row else None, read_found(id, *where)
    if listed is not None and listed.header is not None and found.data is not None:
        listed = listed._replace(header=header_of_whole(listed.header, found.data))
    return Described(found, listed, read_letters(letter)[0] if letter else None)


LISTING: Final[Table] = {
    "page": ScriptCall(_write_page, _read_page, rides_out=True, is_over_fleet=True),
    "describe": ScriptCall(_write_describe, _read_described, rides_out=True, is_over_fleet=True),
}
