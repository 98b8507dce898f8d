"""The session: each operation of the contract as one step or one question for the engine's thread.

Nothing here runs as a task. An async generator that waits at its yield is the session's root: when a program forgets
``close``, ``asyncio.run`` closes the loop's generators after it has cancelled all tasks, so the session outlives
whatever those still write. A loop that is closed without that leaves its sessions to ``engine``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from hueyio.exceptions import SessionClosed
from hueyio.storage.file import beats
from hueyio.storage.file.engine import FileEngine, Need
from hueyio.storage.file.options import FileOptions
from hueyio.storage.file.state import FileState
from hueyio.storage.memory import areas, looking
from hueyio.storage.memory import claim as claiming
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
from hueyio.storage.shared.seen_rings import Hearing

__all__ = ["FileSession"]

T = TypeVar("T")


class FileSession:
    """All roles, bound to the loop that opened it."""

    def __init__(self, engine: FileEngine, options: FileOptions) -> None:
        self._engine = engine
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._pid = os.getpid()
        self._is_closed = False
        self._hearing = Hearing()
        self._root = self._wait_at_root()

    async def open(self) -> None:
        """Tie the session to the end of its loop."""
        await anext(self._root)

    async def _wait_at_root(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self._is_closed = True
            # Cancelled or not, the thread carries through what was sent, and ends.
            await self._engine.close(self._error())

    # Producing

    async def enqueue(self, entries: Sequence[Entry], latches: Sequence[Latch] = ()) -> list[Enqueued]:
        answer: list[Enqueued] = await self._write("enqueue", tuple(entries), tuple(latches))
        return answer

    async def cancel(self, ids: Sequence[str], owner: str) -> list[Delivery]:
        answer: list[Delivery] = await self._write("cancel", tuple(ids), owner)
        return answer

    async def locate(self, ids: Sequence[str]) -> list[Found]:
        wanted = tuple(ids)
        return await self._read(lambda state: [looking.locate(state, id) for id in wanted])

    # Consuming

    async def register(self, owner: str, info: bytes) -> None:
        await self._write("register", owner, info)

    async def deregister(self, owner: str) -> None:
        await self._write("deregister", owner)

    async def owners(self) -> list[Owner]:
        return await self._read(self._list_owners)

    def _list_owners(self, state: FileState) -> list[Owner]:
        found: list[Owner] = []
        for owner, lease in state.leases.items():
            beat = beats.read(self._options, owner)
            silence = max(state.now - max(lease.seen, beat.at), 0.0)
            found.append(Owner(owner, beat.number, lease.info, len(lease.held), silence))
        return found

    async def wait_for_work(self, bells: Collection[Bell], timeout: float) -> frozenset[Bell]:
        self._require_open()
        answer = self._hearing.listen(bells)
        return self._hearing.hear(await self._engine.wait(lambda state: answer(state.bells.rings), timeout) or {})

    async def claim(self, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
        asked = dict(room)
        deliveries: list[Delivery] = await self._write("claim", asked, owner, need=Need.VOLATILE)
        if self._hearing.claimed(asked, deliveries):
            self._engine.show()
        return deliveries

    async def held(self, owner: str) -> list[Delivery]:
        return await self._read(lambda state: claiming.held(state, owner))

    async def start(self, receipts: Sequence[Receipt], owner: str) -> list[bool]:
        answer: list[bool] = await self._write("start", tuple(receipts), owner)
        return answer

    async def settle(self, settlements: Sequence[Settlement], owner: str, number: int) -> list[Answer]:
        answer: list[Answer] = await self._write("settle", tuple(settlements), owner, number)
        return answer

    async def notices(self, owner: str, seen: Notices | None) -> Notices:
        def answer(state: FileState) -> Notices | None:
            now = claiming.notices(state, owner)
            return None if now == seen else now

        self._require_open()
        found = await self._engine.wait(answer)
        assert found is not None
        return found

    async def promote(self, now: float, limit: int) -> Promoted:
        answer: Promoted = await self._write("promote", now, limit, need=Need.VOLATILE)
        return answer

    async def reclaim(self, owner: str, beat: int) -> int | None:
        answer: int | None = await self._write("reclaim", owner, beat)
        return answer

    async def report(self, receipt: Receipt, data: bytes) -> bool:
        answer: bool = await self._write("report", receipt, data, need=Need.VOLATILE)
        return answer

    async def collect(self, keys: Sequence[str]) -> list[MemberResults | None]:
        wanted = tuple(keys)

        def read(state: FileState) -> list[MemberResults | None]:
            latches = [state.latches.get(key) for key in wanted]
            return [None if latch is None else latch.reported() for latch in latches]

        return await self._read(read)

    # Waiting

    async def await_outcomes(self, ids: Sequence[str]) -> list[Over]:
        self._require_open()
        return await self._engine.outcomes.wait(tuple(ids))

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        def answer(state: FileState) -> tuple[bytes | None] | None:
            task = state.tasks.get(id)
            if task is None:
                return None if id in state.expected else (None,)
            return None if task.progress is None or task.progress == seen else (task.progress,)

        self._require_open()
        found = await self._engine.wait(answer)
        assert found is not None
        return found[0]

    # Keys

    async def put(self, area: Area, items: Mapping[str, bytes], ttl: float | None = None) -> None:
        await self._write("put", area, dict(items), ttl)

    async def put_if_absent(self, area: Area, key: str, value: bytes, ttl: float | None = None) -> bool:
        answer: bool = await self._write("put_if_absent", area, key, value, ttl)
        return answer

    async def peek(self, area: Area, keys: Sequence[str]) -> list[bytes | None]:
        wanted = tuple(keys)
        return await self._read(lambda state: areas.peek(state, area, wanted))

    async def pop(self, area: Area, key: str) -> bytes | None:
        answer: bytes | None = await self._write("pop", area, key)
        return answer

    async def delete(self, area: Area, keys: Sequence[str]) -> int:
        answer: int = await self._write("delete", area, tuple(keys))
        return answer

    async def compare_delete(self, area: Area, key: str, expected: bytes) -> bool:
        answer: bool = await self._write("compare_delete", area, key, expected)
        return answer

    async def compare_extend(self, area: Area, key: str, expected: bytes, ttl: float | None) -> bool:
        answer: bool = await self._write("compare_extend", area, key, expected, ttl)
        return answer

    async def add(self, area: Area, key: str, amount: int = 1, ttl: float | None = None) -> int:
        answer: int = await self._write("add", area, key, amount, ttl)
        return answer

    # Limits

    async def acquire(
        self, key: str, token: str, size: int, lease: float, owner: str | None = None, ttl: float | None = None
    ) -> bool:
        answer: bool = await self._write("acquire", key, token, size, lease, owner, ttl)
        return answer

    async def renew(self, key: str, token: str, lease: float) -> bool:
        answer: bool = await self._write("renew", key, token, lease)
        return answer

    async def release(self, key: str, token: str, owner: str | None = None) -> bool:
        answer: bool = await self._write("release", key, token, owner)
        return answer

    async def holders(self, key: str) -> list[str]:
        return await self._read(lambda state: areas.holders(state, key))

    async def take(self, key: str, rate: float, burst: int) -> float:
        answer: float = await self._write("take", key, rate, burst)
        return answer

    # Dead

    async def dead(self, limit: int | None = None) -> list[DeadLetter]:
        return await self._read(lambda state: looking.dead(state, limit))

    async def requeue(self, ids: Sequence[str]) -> int:
        answer: int = await self._write("requeue", tuple(ids))
        return answer

    async def purge(self, ids: Sequence[str] | None = None) -> int:
        answer: int = await self._write("purge", None if ids is None else tuple(ids))
        return answer

    # Looking

    async def counts(self) -> Counts:
        return await self._read(looking.counts)

    async def scan_tasks(self, place: LiveState, limit: int | None = None) -> list[Entry]:
        return await self._read(lambda state: looking.scan_tasks(state, place, limit))

    async def scan_keys(self, area: Area, limit: int | None = None) -> list[tuple[str, bytes]]:
        return await self._read(lambda state: areas.scan(state, area, limit))

    async def clear(self, what: Collection[Clearable]) -> None:
        await self._write("clear", tuple(what))

    async def pause(self) -> None:
        await self._write("pause")

    async def resume(self) -> None:
        await self._write("resume")

    async def is_paused(self) -> bool:
        return await self._read(lambda state: state.paused)

    async def close(self) -> None:
        """Carry through what was sent, wake every wait with SessionClosed, and let go of the files."""
        if not self._is_closed and os.getpid() == self._pid:
            self._is_closed = True
            await self._root.aclose()

    async def _write(self, name: str, *args: Any, need: Need = Need.DURABLE) -> Any:
        self._require_open()
        return await self._engine.write(need, name, *args)

    async def _read(self, question: Callable[[FileState], T]) -> T:
        self._require_open()
        return await self._engine.read(question)

    def _require_open(self) -> None:
        if self._is_closed or self._pid != os.getpid() or asyncio.get_running_loop() is not self._loop:
            raise self._error()

    def _error(self) -> SessionClosed:
        whose = f"this session of folder {self._options.root}"
        if self._pid != os.getpid():
            return SessionClosed(f"{whose} belongs to the process that forked this one")
        if self._is_closed:
            return SessionClosed(f"{whose} is closed")
        return SessionClosed(f"{whose} belongs to another event loop")
