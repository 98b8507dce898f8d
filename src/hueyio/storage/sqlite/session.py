"""The session: each operation of the contract as one function for the writer, or for the reader's thread.

Whatever must see this session's own changes, those of a cancelled call too, goes through the writer in order;
questions that may take long go to the reader.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hueyio.storage.operations import Durability, durability_of
from hueyio.storage.records import Answer, Bell, Delivery, HistoryBatch, Lane, Notices, Settlement
from hueyio.storage.shared.threaded import ThreadedSession
from hueyio.storage.sqlite.actions import ACTIONS, LONG
from hueyio.storage.sqlite.efforts import effort_of
from hueyio.storage.sqlite.engine.calls import TOO_MUCH
from hueyio.storage.sqlite.engine.engine import SqliteEngine
from hueyio.storage.sqlite.examining import find_tasks_of_huey, list_queues
from hueyio.storage.sqlite.settling import settle_and_claim

__all__ = ["SqliteSession"]


class SqliteSession(ThreadedSession[SqliteEngine]):
    """All roles, bound to the loop that opened it."""

    def __init__(self, engine: SqliteEngine, filename: str, name: str) -> None:
        super().__init__(engine, f"SQLite file {filename}")
        self._name = name

    def _do(self, name: str, /, *args: Any) -> asyncio.Future[Any]:
        self._require_open()
        action = ACTIONS[name]
        if name in LONG:
            return self._engine.reader.run(lambda tx: action(tx, *args))
        durability, writer = durability_of(name, args), self._engine.writer
        effort = effort_of(name, args) if writer.asks_effort(durability) else TOO_MUCH
        return writer.run(lambda tx: action(tx, *args), durability, effort)

    async def claim(self, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
        """Take ready tasks, and let the others who wait on this session hear of what is left."""
        asked = dict(room)
        deliveries: list[Delivery] = await self._do("claim", asked, owner)
        self._engine.waits.note_claim(asked, deliveries)
        return deliveries

    async def settle_and_claim(
        self,
        settlements: Sequence[Settlement],
        owner: str,
        number: int,
        history: HistoryBatch | None,
        room: Mapping[Lane, int],
    ) -> tuple[list[Answer], list[Delivery] | None]:
        """Settle and claim in one transaction: a pipeline's stage is one commit."""
        self._require_open()
        settled, asked = (tuple(settlements), owner, number, history), dict(room)
        writer, effort = self._engine.writer, TOO_MUCH
        if writer.asks_effort(Durability.DURABLE):
            effort = effort_of("settle", settled) + effort_of("claim", (asked, owner))
        answers, deliveries = await writer.run(
            lambda tx: settle_and_claim(tx, *settled, asked), Durability.DURABLE, effort
        )
        if deliveries is not None:
            self._engine.waits.note_claim(asked, deliveries)
        return answers, deliveries

    async def wait_for_work(self, bells: Collection[Bell], timeout: float) -> frozenset[Bell]:
        self._require_open()
        return await self._engine.waits.wait_for_work(bells, timeout)

    async def find_dangers(self) -> list[str]:
        return await self.find_tasks_of_huey()

    async def find_tasks_of_huey(self) -> list[str]:
        self._require_open()
        name = self._name
        return await self._engine.reader.run(lambda tx: find_tasks_of_huey(tx, name))

    async def find_neighbours(self) -> list[str]:
        self._require_open()
        return await self._engine.reader.run(list_queues)

    async def notices(self, owner: str, seen: Notices | None) -> Notices:
        self._require_open()
        return await self._engine.waits.notices(owner, seen)

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        self._require_open()
        return await self._engine.waits.follow(id, seen)
