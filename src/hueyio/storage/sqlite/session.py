"""The session: each operation of the contract as one function for the writer's thread, or for the reader's.

Whatever must see this session's own changes, those of a cancelled call too, goes through the writer in order;
questions that may take long go to the reader. Nothing here runs as a task. An async generator that waits at its yield
is the session's root: when a program forgets ``close``, ``asyncio.run`` closes the loop's generators after it has
cancelled all tasks, so the session outlives whatever those still write. A loop that is closed without that leaves its
sessions to ``engine``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import TypeVar

from hueyio.exceptions import SessionClosed
from hueyio.storage.records import (
    Answer,
    Area,
    Bell,
    Clearable,
    Counts,
    DeadLetter,
    Delivery,
    Enqueued,
    Entry,
    Found,
    Lane,
    Latch,
    LiveState,
    MemberResults,
    Notices,
    Over,
    Owner,
    Promoted,
    Receipt,
    Settlement,
)
from hueyio.storage.sqlite import claim as claiming
from hueyio.storage.sqlite import dead as dead_letters
from hueyio.storage.sqlite import enqueue as enqueueing
from hueyio.storage.sqlite import keys as key_rows
from hueyio.storage.sqlite import latches as latch_rows
from hueyio.storage.sqlite import limits as limiting
from hueyio.storage.sqlite import looking
from hueyio.storage.sqlite import settle as settling
from hueyio.storage.sqlite.engine import SqliteEngine
from hueyio.storage.sqlite.writer import Need, Operation

__all__ = ["SqliteSession"]

T = TypeVar("T")


class SqliteSession:
    """All roles, bound to the loop that opened it."""

    def __init__(self, engine: SqliteEngine, filename: str) -> None:
        self._engine = engine
        self._filename = filename
        self._loop = asyncio.get_running_loop()
        self._pid = os.getpid()
        self._is_closed = False
        self._root = self._wait_at_root()

    async def open(self) -> None:
        """Tie the session to the end of its loop."""
        await anext(self._root)

    async def _wait_at_root(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self._is_closed = True
            # Cancelled or not, the threads carry through what was sent, and end.
            await self._engine.close(self._error())

    # Producing

    async def enqueue(self, entries: Sequence[Entry], latches: Sequence[Latch] = ()) -> list[Enqueued]:
        added = tuple(entries)
        if latches:
            made = tuple(latches)
            return await self._write(lambda tx: latch_rows.enqueue_latched(tx, added, made))
        return await self._write(lambda tx: enqueueing.enqueue(tx, added))

    async def cancel(self, ids: Sequence[str], owner: str) -> list[Delivery]:
        wanted = tuple(ids)
        return await self._write(lambda tx: claiming.cancel(tx, wanted, owner))

    async def locate(self, ids: Sequence[str]) -> list[Found]:
        wanted = tuple(ids)
        return await self._write(lambda tx: looking.locate(tx, wanted), Need.READ)

    # Consuming

    async def register(self, owner: str, info: bytes) -> None:
        await self._write(lambda tx: claiming.register(tx, owner, info))

    async def deregister(self, owner: str) -> None:
        await self._write(lambda tx: claiming.deregister(tx, owner))

    async def owners(self) -> list[Owner]:
        return await self._read(looking.owners)

    async def wait_for_work(self, bells: Collection[Bell], timeout: float) -> frozenset[Bell]:
        self._require_open()
        self._engine.doorbell.listen("work")
        return await self._engine.watcher.wait_for_work(bells, timeout)

    async def claim(self, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
        asked = dict(room)
        deliveries = await self._write(lambda tx: claiming.claim(tx, asked, owner), Need.VOLATILE)
        self._engine.watcher.claimed(asked, deliveries)
        return deliveries

    async def held(self, owner: str) -> list[Delivery]:
        return await self._write(lambda tx: claiming.held(tx, owner), Need.READ)

    async def start(self, receipts: Sequence[Receipt], owner: str) -> list[bool]:
        started = tuple(receipts)
        return await self._write(lambda tx: claiming.start(tx, started, owner))

    async def settle(self, settlements: Sequence[Settlement], owner: str, number: int) -> list[Answer]:
        settled = tuple(settlements)
        return await self._write(lambda tx: settling.settle(tx, settled, owner, number))

    async def notices(self, owner: str, seen: Notices | None) -> Notices:
        self._require_open()
        self._engine.doorbell.listen("work")
        return await self._engine.watcher.notices(owner, seen)

    async def promote(self, now: float, limit: int) -> Promoted:
        return await self._write(lambda tx: claiming.promote(tx, now, limit), Need.VOLATILE)

    async def reclaim(self, owner: str, beat: int) -> int | None:
        return await self._write(lambda tx: claiming.reclaim(tx, owner, beat))

    async def report(self, receipt: Receipt, data: bytes) -> bool:
        return await self._write(lambda tx: claiming.report(tx, receipt, data), Need.VOLATILE)

    async def collect(self, keys: Sequence[str]) -> list[MemberResults | None]:
        wanted = tuple(keys)
        return await self._write(lambda tx: latch_rows.collect(tx, wanted), Need.READ)

    # Waiting

    async def await_outcomes(self, ids: Sequence[str]) -> list[Over]:
        self._require_open()
        return await self._engine.outcomes.wait(tuple(ids))

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        self._require_open()
        self._engine.doorbell.listen("work")
        return await self._engine.watcher.follow(id, seen)

    # Keys

    async def put(self, area: Area, items: Mapping[str, bytes], ttl: float | None = None) -> None:
        written = dict(items)
        await self._write(lambda tx: key_rows.put(tx, area, written, ttl))

    async def put_if_absent(self, area: Area, key: str, value: bytes, ttl: float | None = None) -> bool:
        return await self._write(lambda tx: key_rows.put_if_absent(tx, area, key, value, ttl))

    async def peek(self, area: Area, keys: Sequence[str]) -> list[bytes | None]:
        wanted = tuple(keys)
        return await self._write(lambda tx: key_rows.peek(tx, area, wanted), Need.READ)

    async def pop(self, area: Area, key: str) -> bytes | None:
        return await self._write(lambda tx: key_rows.pop(tx, area, key))

    async def delete(self, area: Area, keys: Sequence[str]) -> int:
        unwanted = tuple(keys)
        return await self._write(lambda tx: key_rows.delete(tx, area, unwanted))

    async def compare_delete(self, area: Area, key: str, expected: bytes) -> bool:
        return await self._write(lambda tx: key_rows.compare_delete(tx, area, key, expected))

    async def compare_extend(self, area: Area, key: str, expected: bytes, ttl: float | None) -> bool:
        return await self._write(lambda tx: key_rows.compare_extend(tx, area, key, expected, ttl))

    async def add(self, area: Area, key: str, amount: int = 1, ttl: float | None = None) -> int:
        return await self._write(lambda tx: key_rows.add(tx, area, key, amount, ttl))

    # Limits

    async def acquire(
        self, key: str, token: str, size: int, lease: float, owner: str | None = None, ttl: float | None = None
    ) -> bool:
        return await self._write(lambda tx: limiting.acquire(tx, key, token, size, lease, owner, ttl))

    async def renew(self, key: str, token: str, lease: float) -> bool:
        return await self._write(lambda tx: limiting.renew(tx, key, token, lease))

    async def release(self, key: str, token: str, owner: str | None = None) -> bool:
        return await self._write(lambda tx: limiting.release(tx, key, token, owner))

    async def holders(self, key: str) -> list[str]:
        return await self._write(lambda tx: limiting.holders(tx, key), Need.READ)

    async def take(self, key: str, rate: float, burst: int) -> float:
        return await self._write(lambda tx: limiting.take(tx, key, rate, burst))

    # Dead

    async def dead(self, limit: int | None = None) -> list[DeadLetter]:
        return await self._read(lambda tx: dead_letters.dead(tx, limit))

    async def requeue(self, ids: Sequence[str]) -> int:
        wanted = tuple(ids)
        return await self._write(lambda tx: dead_letters.requeue(tx, wanted))

    async def purge(self, ids: Sequence[str] | None = None) -> int:
        unwanted = None if ids is None else tuple(ids)
        return await self._write(lambda tx: dead_letters.purge(tx, unwanted))

    # Looking

    async def counts(self) -> Counts:
        return await self._read(looking.counts)

    async def scan_tasks(self, place: LiveState, limit: int | None = None) -> list[Entry]:
        return await self._read(lambda tx: looking.scan_tasks(tx, place, limit))

    async def scan_keys(self, area: Area, limit: int | None = None) -> list[tuple[str, bytes]]:
        return await self._read(lambda tx: key_rows.scan(tx, area, limit))

    async def clear(self, what: Collection[Clearable]) -> None:
        cleared = tuple(what)
        await self._write(lambda tx: looking.clear(tx, cleared))

    async def pause(self) -> None:
        await self._write(claiming.pause)

    async def resume(self) -> None:
        await self._write(claiming.resume)

    async def is_paused(self) -> bool:
        return await self._write(looking.is_paused, Need.READ)

    async def close(self) -> None:
        """Carry through what was sent, wake every wait with SessionClosed, and let go of the file."""
        if not self._is_closed and os.getpid() == self._pid:
            self._is_closed = True
            await self._root.aclose()

    async def _write(self, operation: Operation[T], need: Need = Need.DURABLE) -> T:
        self._require_open()
        return await self._engine.writer.run(operation, need)

    async def _read(self, operation: Operation[T]) -> T:
        self._require_open()
        return await self._engine.reader.run(operation)

    def _require_open(self) -> None:
        if self._is_closed or self._pid != os.getpid() or asyncio.get_running_loop() is not self._loop:
            raise self._error()

    def _error(self) -> SessionClosed:
        if self._pid != os.getpid():
            return SessionClosed(
                f"this session of SQLite file {self._filename} belongs to the process that forked this one"
            )
        if self._is_closed:
            return SessionClosed(f"this session of SQLite file {self._filename} is closed")
        return SessionClosed(f"this session of SQLite file {self._filename} belongs to another event loop")
