"""The session: each operation of the contract as one step or one question for the engine's thread."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping
from typing import Any

from hueyio.storage.file import heartbeat
from hueyio.storage.file.engine import FileEngine
from hueyio.storage.file.options import FileOptions
from hueyio.storage.file.queues import count_tasks_of_huey, find_queues
from hueyio.storage.file.state import FileState
from hueyio.storage.memory.actions import ACTIONS
from hueyio.storage.memory.waiting import find_notices, find_progress
from hueyio.storage.operations import Durability, durability_of
from hueyio.storage.records import Bell, Delivery, Lane, Notices, Owner
from hueyio.storage.shared.seen_rings import SeenRings
from hueyio.storage.shared.threaded import ThreadedSession

__all__ = ["FileSession"]


class FileSession(ThreadedSession[FileEngine]):
    """All roles, bound to the loop that opened it."""

    def __init__(self, engine: FileEngine, options: FileOptions) -> None:
        super().__init__(engine, f"folder {options.root}")
        self._options = options
        self._seen_rings = SeenRings()

    def _do(self, name: str, /, *args: Any) -> Awaitable[Any]:
        self._require_open()
        durability = durability_of(name, args)
        if durability is Durability.READ:
            question = ACTIONS[name]
            return self._engine.read(lambda state: question(state, *args))
        if name == "settle":
            *before, history = args
            args = (*before, True, history)
        return self._engine.write(durability, name, *args)

    async def claim(self, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
        """Take ready tasks, and let the others who wait on this session hear of what is left."""
        asked = dict(room)
        deliveries = await super().claim(asked, owner)
        if self._seen_rings.note_claim(asked, deliveries):
            self._engine.show()
        return deliveries

    async def owners(self) -> list[Owner]:
        """List the owners with a live lease, each with the heartbeat that its file says."""
        self._require_open()
        found: list[Owner] = await self._engine.read(self._list_owners)
        return found

    async def wait_for_work(self, bells: Collection[Bell], timeout: float) -> frozenset[Bell]:
        self._require_open()
        answer = self._seen_rings.begin(bells)
        return self._seen_rings.end(await self._engine.wait(lambda state: answer(state.bells.rings), timeout) or {})

    async def notices(self, owner: str, seen: Notices | None) -> Notices:
        self._require_open()
        found = await self._engine.wait(lambda state: find_notices(state, owner, seen))
        assert found is not None
        return found

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        self._require_open()
        found = await self._engine.wait(lambda state: find_progress(state, id, seen))
        assert found is not None
        return found[0]

    async def find_dangers(self) -> list[str]:
        return await self.find_tasks_of_huey()

    async def find_tasks_of_huey(self) -> list[str]:
        self._require_open()
        count: str = await self._engine.read(lambda _: count_tasks_of_huey(self._options.root))
        return [f"the folder holds {count} tasks of Huey; `hueyio import-huey` moves them"] if count else []

    async def find_neighbours(self) -> list[str]:
        self._require_open()
        found: list[str] = await self._engine.read(lambda _: find_queues(self._options.root))
        return found

    def _list_owners(self, state: FileState) -> list[Owner]:
        found: list[Owner] = []
        for owner, lease in state.leases.items():
            beat = heartbeat.read(self._options, owner)
            silence = max(state.now - max(lease.seen, beat.at), 0.0)
            found.append(Owner(owner, beat.number, lease.info, len(lease.held), silence))
        return found
