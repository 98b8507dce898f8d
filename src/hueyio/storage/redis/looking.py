"""The role of those who look. All operations ride out an outage."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, Final

from hueyio.storage.records import AREAS, LANES, NOTES_KEPT, Area, Clearable, Counts, Entry, Note, Pause
from hueyio.storage.redis.calls import ScriptCall, Sent, Table, composed
from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.records import read_record

__all__ = ["LOOKING"]

_ALL: Final = 2**31
_CLEAR_CHUNK: Final = 5000
"""Tasks deleted in one step, so that the server is never busy with it for long."""
_SCAN_CHUNK: Final = 500


def _read_counts(reply: Any, *_: Any) -> Counts:
    return Counts(dict(zip(LANES, reply[:3], strict=True)), *reply[3:])


def _read_scan_tasks(reply: Any, *_: Any) -> list[Entry]:
    return [Entry(*read_record(id.decode(), record)) for id, record in zip(reply[::2], reply[1::2], strict=True)]


async def _scan_keys(core: RedisCore, area: Area, limit: int | None) -> list[tuple[str, bytes]]:
    """List a part of the keys at a time: not at one moment if there are many."""
    # A cursor is worth nothing on a server that was started again, or on another one: then from the beginning.
    room = _ALL if limit is None else limit
    return await core.through_outage(lambda: _scan_parts(core, area, room), is_idempotent=True)


async def _scan_parts(core: RedisCore, area: Area, room: int) -> list[tuple[str, bytes]]:
    found: dict[str, bytes] = {}
    cursor = b"0"
    while len(found) < room:
        cursor, part = await core.run("scan_keys", (cursor, _SCAN_CHUNK), core.layout.area(area))
        for key, value in zip(part[::2], part[1::2], strict=True):
            found[key.decode()] = value
        if cursor == b"0":
            break
    return list(found.items())[:room]


async def _clear(core: RedisCore, what: Collection[Clearable]) -> None:
    """Delete all of these; tasks 5,000 at a time, each part with its waiters told in one step."""
    for it in what:
        if it == "queue" or it == "schedule":
            await _clear_tasks(core, it)
        elif it == "dead" or it == "failed":
            await core.through_outage(partial(core.run, "purge", (it, "")), is_idempotent=True)
        elif it == "history":
            await core.through_outage(partial(core.run, "clear_history"), is_idempotent=True)
        elif it in AREAS:
            await core.through_outage(partial(core.run, "clear_area", (), core.layout.area(it)), is_idempotent=True)
        else:
            raise ValueError(f"cannot clear {it!r}")


async def _clear_tasks(core: RedisCore, what: Clearable) -> None:
    """Delete as many as there are now: what comes meanwhile is not meant, and must not keep this going."""
    counts = _read_counts(await core.through_outage(lambda: core.run_over_fleet("counts"), is_idempotent=True))
    left = counts.scheduled if what == "schedule" else sum(counts.queued.values()) + counts.suspects
    while left > 0 and await core.run("clear_tasks", (what, _CLEAR_CHUNK, core.half_kept)) == _CLEAR_CHUNK:
        left -= _CLEAR_CHUNK


async def _paused(core: RedisCore) -> Pause | None:
    core.lifetime.check()
    command = pack("GET", core.layout.key("PAUSED"))
    written: bytes | None = await core.through_outage(lambda: core.wire.call(command), is_idempotent=True)
    if written is None:
        return None
    at, space, by = written.partition(b" ")  # an earlier hueyio wrote "1"
    return Pause(by.decode(), float(at)) if space else Pause()


def _read_notes(reply: Sequence[bytes], *_: Any) -> list[Note]:
    return [_read_note(*it.split(b" ", 2)) for it in reversed(reply)]


def _read_note(number: bytes, at: bytes, line: bytes) -> Note:
    return Note(int(number), float(at), line)


async def _time(core: RedisCore) -> float:
    core.lifetime.check()

    async def ask() -> float:
        asked_at = core.clock.steady()
        seconds, micros = await core.wire.call(pack("TIME"))
        told = int(seconds) + int(micros) / 1e6
        core.clock.hear(told, asked_at)
        return told

    return await core.through_outage(ask, is_idempotent=True)


LOOKING: Final[Table] = {
    "counts": ScriptCall(lambda _, most: Sent(), _read_counts, rides_out=True, is_over_fleet=True),
    "scan_tasks": ScriptCall(
        lambda _, state, limit: Sent((state, _ALL if limit is None else limit)) if limit is None or limit > 0 else None,
        _read_scan_tasks,
        rides_out=True,
        is_over_fleet=True,
    ),
    "scan_keys": composed(_scan_keys),
    "clear": composed(_clear),
    "pause": ScriptCall(lambda layout, by: Sent((layout.notice_channel, by)), rides_out=True),
    "resume": ScriptCall(lambda layout: Sent((layout.notice_channel,)), rides_out=True),
    "paused": composed(_paused),
    "note": ScriptCall(lambda _, line: Sent((NOTES_KEPT, line)), rides_out=True),
    "notes": ScriptCall(
        lambda _, limit, after: Sent((limit, "" if after is None else after)) if limit > 0 else None,
        _read_notes,
        rides_out=True,
    ),
    "time": composed(_time),
}
