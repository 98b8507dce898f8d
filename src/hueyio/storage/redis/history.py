"""The role of the history, as it is read; ``lua/parts/_history.lua`` says what it looks like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from hueyio.storage.records import HISTORY_LOOKED_AT, Cursor, HistoryEntry, Page
from hueyio.storage.redis.calls import ScriptCall, Sent, Table, composed
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.records import check_text
from hueyio.storage.shared.packed_ids import mark_of, unpack_ids

__all__ = ["HISTORY"]

_ENTRY: Final = re.compile(rb"(\S+) \d+ (\d+):")
_ATTEMPT: Final = re.compile(rb"\S+ (\d+):")


def _write_history(_: Layout, limit: int, start: Cursor | None) -> Sent:
    return Sent((limit, HISTORY_LOOKED_AT, "" if start is None else start[1]))


def _read_history(reply: Any, *_: Any) -> Page[HistoryEntry]:
    following, *found = reply
    entries = [_read_entry(number, entry) for number, entry in zip(found[::2], found[1::2], strict=True)]
    return Page(entries, (0.0, following.decode()) if following else None)


def _read_entry(number: bytes, entry: bytes) -> HistoryEntry:
    head = _ENTRY.match(entry)
    assert head is not None
    stop = head.end() + int(head[2])
    return HistoryEntry((float(head[1]), number.decode()), unpack_ids(entry[head.end() : stop]), entry[stop:])


async def _find_ended(core: RedisCore, id: str) -> HistoryEntry | None:
    """Look for an id, a part of the entries in each step, so that the server is never busy with it for long."""
    check_text([id])
    found: list[bytes] = [b""]
    while len(found) == 1:
        core.lifetime.check()
        args = (mark_of(id), HISTORY_LOOKED_AT, found[0])
        found = await core.through_outage(partial(core.run, "find_ended", args), is_idempotent=True)
    return _read_entry(*found) if found else None


def _read_attempts(reply: Sequence[bytes], *_: Any) -> list[tuple[bytes, ...]]:
    return [tuple(_parts_of(parts)) for parts in reply]


def _parts_of(parts: bytes) -> list[bytes]:
    found: list[bytes] = []
    at = 0
    while (head := _ATTEMPT.match(parts, at)) is not None:
        at = head.end() + int(head[1])
        found.append(parts[head.end() : at])
    return found


HISTORY: Final[Table] = {
    "history": ScriptCall(_write_history, _read_history, rides_out=True),
    "find_ended": composed(_find_ended),
    "attempts": ScriptCall(lambda _, ids: Sent(ids) if ids else None, _read_attempts, rides_out=True),
}
