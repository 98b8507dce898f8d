"""The producer's role: add tasks, take them back, look where they are."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, Final

from hueyio.exceptions import StorageUnavailable
from hueyio.storage.records import Enqueued, Entry, Found, Latch, State
from hueyio.storage.redis.calls import ScriptCall, Sent, Table, composed
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.large import LARGE, fetch_large
from hueyio.storage.redis.records import no_utf8, read_deliveries, read_record, write_bundle, write_record
from hueyio.storage.redis.scripts import Argument
from hueyio.storage.shared.ended import KINDS

__all__ = ["PRODUCING", "read_found"]

_MOST_IN_A_CALL: Final = 1000
_ADDED: Final = Enqueued("added")
_VERDICTS: Final = {ord("a"): _ADDED, ord("l"): Enqueued("alive"), ord("d"): Enqueued("done")}
_TAKEN: Final = ord("t")
_STATES: Final[dict[bytes, State]] = {
    state.encode(): state
    for state in ("queued", "scheduled", "running", "expected", "stored", "dead", "ended", "unknown")
}


class Enqueueing:
    """Adds entries in one step, if they are at most 1,000 or have latches; more are added a thousand at a time.

    A call that finds the connection idle is sent at once; those that come in the same turn of the loop, or while others
    are under way, share a round trip. What fails because the server cannot be used is repeated for a while: an id that
    is alive is left alone.
    """

    def __init__(self, core: RedisCore, _: str) -> None:
        self._core = core
        self._lifetime = core.lifetime
        self._entries = core.batch(self._enqueue, _MOST_IN_A_CALL)

    async def __call__(self, entries: Sequence[Entry], latches: Sequence[Latch]) -> list[Enqueued]:
        self._lifetime.check()
        try:
            records = [(entry.header.id.encode(), write_record(entry)) for entry in entries]
        except UnicodeEncodeError as error:
            raise no_utf8(error) from None
        if not records and not latches:
            return []
        since = self._core.time()
        try:
            # Nearly all calls: on the way of each task, a call more counts, and a turn of the loop more still.
            if not latches and self._entries.is_idle and self._core.wire.is_idle and len(records) <= _MOST_IN_A_CALL:
                return await self._enqueue(records)  # is written before it waits, so that nobody can cancel it
            return await self._submit(records, latches)
        except StorageUnavailable as error:
            return await self._core.ride_out(lambda: self._submit(records, latches), error, since)

    def _submit(self, records: list[tuple[bytes, bytes]], latches: Sequence[Latch]) -> Awaitable[list[Enqueued]]:
        return self._enqueue_latched(records, latches) if latches else self._entries.submit(records)

    async def _enqueue_latched(
        self, records: Sequence[tuple[bytes, bytes]], latches: Sequence[Latch]
    ) -> list[Enqueued]:
        """Make latches and add their members, in a step of its own however many they are."""
        args: list[Argument] = [self._core.half_kept, len(latches)]
        for latch in latches:
            callback = latch.callback
            record = write_record(callback._replace(stages=()))
            row = b"%d:%d:%b%b" % (latch.size, len(latch.absent), latch.absent, record)
            args += (callback.header.id, write_bundle(row, callback.stages) if callback.stages else row)
        args += [value for record in records for value in record]
        return _read_verdicts(await self._core.run("enqueue_latched", args))

    async def _enqueue(self, records: list[tuple[bytes, bytes]]) -> list[Enqueued]:
        # Without the check of `core.run`: a session that closes finishes what was submitted.
        reply = await self._core.scripts.run("enqueue", [value for record in records for value in record])
        return [_ADDED] * len(records) if reply is None else _read_verdicts(reply)


def _read_verdicts(reply: Sequence[Any]) -> list[Enqueued]:
    letters, *holders = reply
    taken = iter(holders)
    return [Enqueued("taken", next(taken).decode()) if letter == _TAKEN else _VERDICTS[letter] for letter in letters]


def read_found(id: str, name: bytes, data: bytes | None, cancelled: Any, letter: bytes | None) -> Found:
    """Read where an id is, as ``lua/parts/_whereabouts.lua`` says it."""
    state = _STATES[name]
    if data is not None and state in ("queued", "scheduled", "running", "dead"):
        data = _message_of(id, data)
    return Found(id, state, data, bool(cancelled), None if letter is None else KINDS[letter.decode()])


def _message_of(id: str, record: bytes) -> bytes:
    try:
        return read_record(id, record)[1]
    except (ValueError, LookupError, TypeError):
        return record  # no hueyio wrote it: nobody can read that either


async def _locate(core: RedisCore, ids: Sequence[str]) -> list[Found]:
    """Say where each id is now, in the order asked."""
    return await core.through_outage(lambda: _locate_once(core, ids), is_idempotent=True)


async def _locate_once(core: RedisCore, ids: Sequence[str]) -> list[Found]:
    reply = await core.run_over_fleet("locate", ids)
    rows = [reply[at : at + 4] for at in range(0, len(reply), 4)]
    data = await fetch_large(core.layout, core.wire, ids, [row[1] for row in rows])
    return [_read_located(id, row, it) for id, row, it in zip(ids, rows, data, strict=True)]


def _read_located(id: str, row: Sequence[Any], data: bytes | None) -> Found:
    state, answered, cancelled, letter = row
    if answered == LARGE and data is None:  # another reader was faster
        state = b"unknown" if letter is None else b"ended"
    return read_found(id, state, data, cancelled, letter)


PRODUCING: Final[Table] = {
    "enqueue": Enqueueing,
    "cancel": ScriptCall(
        lambda _, ids, owner: Sent([owner, *ids]),
        lambda reply, _, owner: read_deliveries(reply, owner),
        rides_out=True,
        is_over_fleet=True,
    ),
    "locate": composed(_locate),
}
