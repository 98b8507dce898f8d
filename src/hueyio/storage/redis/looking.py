"""The roles of those who wait and of those who look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final, TypeVar

from hueyio.storage.records import AREAS, LANES, Area, Clearable, Counts, Entry, LiveState, Over
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.records import check_text, read_record
from hueyio.storage.redis.scripts import Argument
from hueyio.storage.redis.wire import pack

__all__ = ["RedisLooking", "RedisWaiting"]

T = TypeVar("T")

_ALL: Final = 2**31
_CLEAR_CHUNK: Final = 5000
"""Tasks deleted in one step, so that the server is never busy with it for long."""
_SCAN_CHUNK: Final = 500


class RedisWaiting:
    """Waiting."""

    def __init__(self, core: RedisCore) -> None:
        self._core = core

    async def await_outcomes(self, ids: Sequence[str]) -> list[Over]:
        """Return when all ids are over. An outage does not end the wait: it goes on when the server is back."""
        self._core.lifetime.check()
        check_text(ids)
        # What fails could not begin.
        return await self._core.through_outage(
            lambda: self._core.outcomes.wait(ids, self._core.mailbox), is_idempotent=True
        )

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        """Return a task's progress when it differs from ``seen``, or None when the task is over."""
        self._core.lifetime.check()
        check_text([id])
        return await self._core.progress_board.follow(id, seen, self._core.mailbox)


class RedisLooking:
    """Looking."""

    def __init__(self, core: RedisCore) -> None:
        self._core = core

    async def counts(self) -> Counts:
        """Count everything."""
        found = await self._through(lambda: self._core.run_over_fleet("counts"))
        return Counts(dict(zip(LANES, found[:3], strict=True)), *found[3:])

    async def scan_tasks(self, place: LiveState, limit: int | None = None) -> list[Entry]:
        """List tasks in claim order, suspects first; scheduled ones the earliest first."""
        if limit is not None and limit <= 0:
            return []
        args = (place, _ALL if limit is None else limit)
        found = await self._through(lambda: self._core.run_over_fleet("scan_tasks", args))
        return [Entry(*read_record(found[at].decode(), found[at + 1])) for at in range(0, len(found), 2)]

    async def scan_keys(self, area: Area, limit: int | None = None) -> list[tuple[str, bytes]]:
        """List the keys of an area with their values, a part at a time: not at one moment if there are many."""
        # A cursor is worth nothing on a server that was started again, or on another one: then from the beginning.
        return await self._through(lambda: self._scan_keys(area, _ALL if limit is None else limit))

    async def _scan_keys(self, area: Area, room: int) -> list[tuple[str, bytes]]:
        found: dict[str, bytes] = {}
        cursor = b"0"
        while len(found) < room:
            cursor, part = await self._core.run("scan_keys", (cursor, _SCAN_CHUNK), self._core.layout.area(area))
            for at in range(0, len(part), 2):
                found[part[at].decode()] = part[at + 1]
            if cursor == b"0":
                break
        return list(found.items())[:room]

    async def clear(self, what: Collection[Clearable]) -> None:
        """Delete all of these; tasks 5,000 at a time, each part with its waiters told in one step."""
        for it in what:
            if it == "queue" or it == "schedule":
                await self._clear_tasks(it)
            elif it == "dead":
                await self._run("purge")
            elif it in AREAS:
                await self._run("clear_area", (), self._core.layout.area(it))
            else:
                raise ValueError(f"cannot clear {it!r}")

    async def pause(self) -> None:
        """Let claims return nothing."""
        await self._run("pause", (self._core.layout.notice_channel,))

    async def resume(self) -> None:
        """Undo ``pause``."""
        await self._run("resume", (self._core.layout.notice_channel,))

    async def is_paused(self) -> bool:
        """Say whether the queue is paused."""
        self._core.lifetime.check()
        command = pack("EXISTS", self._core.layout.key("PAUSED"))
        return bool(await self._through(lambda: self._core.wire.call(command)))

    async def _through(self, call: Callable[[], Awaitable[T]]) -> T:
        return await self._core.through_outage(call, is_idempotent=True)

    async def _run(self, script: str, args: Sequence[Argument] = (), keys: Sequence[bytes] = ()) -> Any:
        return await self._through(lambda: self._core.run(script, args, keys))

    async def _clear_tasks(self, what: Clearable) -> None:
        """Delete as many as there are now: what comes meanwhile is not meant, and must not keep this going."""
        counts = await self.counts()
        left = counts.scheduled if what == "schedule" else sum(counts.queued.values()) + counts.suspects
        while left > 0 and await self._core.run("clear_tasks", (what, _CLEAR_CHUNK)) == _CLEAR_CHUNK:
            left -= _CLEAR_CHUNK
