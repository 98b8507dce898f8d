"""The producer's role: add tasks, take them back, look where they are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, Final

from hueyio.exceptions import LeaseLost, StorageError, StorageUnavailable
from hueyio.storage.records import Delivery, Enqueued, Entry, Found, Latch, State
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.dead import read_letter
from hueyio.storage.redis.records import read_deliveries, read_record, write_record
from hueyio.storage.redis.scripts import Argument
from hueyio.storage.shared.batching import Batcher

__all__ = ["RedisProducing"]

_MOST_IN_A_CALL: Final = 1000
_ADDED: Final = Enqueued("added")
_VERDICTS: Final = {ord("a"): _ADDED, ord("l"): Enqueued("alive"), ord("d"): Enqueued("done")}
_TAKEN: Final = ord("t")


class RedisProducing:
    """Producing."""

    def __init__(self, core: RedisCore) -> None:
        self._core = core
        self._loop = asyncio.get_running_loop()
        self._entries: Batcher[tuple[bytes, bytes], Enqueued] = Batcher(
            self._enqueue, _MOST_IN_A_CALL, core.lifetime.spawn
        )
        core.drains.append(self._entries.drain)

    async def enqueue(self, entries: Sequence[Entry], latches: Sequence[Latch] = ()) -> list[Enqueued]:
        """Add all entries in one step, if they are at most 1,000 or have latches; more are added a thousand at a time.

        The calls of one turn of the loop share a round trip. What fails because the server cannot be used is
        repeated for a while: an id that is alive is left alone.
        """
        self._core.lifetime.check()
        try:
            records = [(entry.header.id.encode(), write_record(entry)) for entry in entries]
        except UnicodeEncodeError as error:
            raise StorageError(f"{error.object!r} is no text that UTF-8 can hold") from None
        if not records and not latches:
            return []
        since = self._loop.time()
        try:
            return await self._submit(records, latches)
        except StorageUnavailable as error:
            return await self._core.ride_out(lambda: self._submit(records, latches), error, since)

    async def cancel(self, ids: Sequence[str], owner: str) -> list[Delivery]:
        """Flag what is alive; hand over what nobody holds."""
        reply = await self._core.through_outage(
            lambda: self._core.run_over_fleet("cancel", [owner, *ids]), is_idempotent=False
        )
        if reply is None:
            raise LeaseLost(f"owner {owner} has no live lease")
        return read_deliveries(reply, owner)

    async def locate(self, ids: Sequence[str]) -> list[Found]:
        """Say where each id is."""
        reply = await self._core.through_outage(lambda: self._core.run_over_fleet("locate", ids), is_idempotent=True)
        return [_read_found(id, *reply[3 * at : 3 * at + 3]) for at, id in enumerate(ids)]

    def _submit(self, records: list[tuple[bytes, bytes]], latches: Sequence[Latch]) -> Awaitable[list[Enqueued]]:
        return self._enqueue_latched(records, latches) if latches else self._entries.submit(records)

    async def _enqueue_latched(
        self, records: Sequence[tuple[bytes, bytes]], latches: Sequence[Latch]
    ) -> list[Enqueued]:
        """Make latches and add their members, in a step of its own however many they are."""
        args: list[Argument] = [len(latches)]
        for latch in latches:
            row = b"%d:%d:%b%b" % (latch.size, len(latch.absent), latch.absent, write_record(latch.callback))
            args += (latch.callback.header.id, row)
        args += [value for record in records for value in record]
        return _read_verdicts(await self._core.run("enqueue_latched", args))

    async def _enqueue(self, records: list[tuple[bytes, bytes]]) -> list[Enqueued]:
        args: list[Argument] = [value for record in records for value in record]
        reply = await self._core.wire.call(self._core.scripts.command("enqueue", args))
        if reply is None:
            return [_ADDED] * len(records)
        return _read_verdicts(reply)


def _read_verdicts(reply: Sequence[Any]) -> list[Enqueued]:
    letters, *holders = reply
    taken = iter(holders)
    return [Enqueued("taken", next(taken).decode()) if letter == _TAKEN else _VERDICTS[letter] for letter in letters]


_STATES: Final[dict[bytes, State]] = {
    place.encode(): place for place in ("queued", "scheduled", "running", "expected", "stored", "dead", "gone")
}


def _read_found(id: str, place: bytes, data: bytes | None, cancelled: Any) -> Found:
    where = _STATES[place]
    if data is not None and where in ("queued", "scheduled", "running"):
        data = read_record(id, data)[1]
    elif data is not None and where == "dead":
        data = read_letter(id, data)[1]
    return Found(id, where, data, bool(cancelled))
