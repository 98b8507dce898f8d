"""A session on PostgreSQL: the operations that do not wait by a table, and the four waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from hueyio.storage.operations import OPERATIONS, OperationSession
from hueyio.storage.postgres import examining
from hueyio.storage.postgres.actions import ACTIONS, RIDES_OUT
from hueyio.storage.postgres.consuming import settle_and_claim
from hueyio.storage.postgres.core import PostgresCore
from hueyio.storage.records import Answer, Bell, Delivery, HistoryBatch, Lane, Notices, Over, Settlement, Unknown

__all__ = ["PostgresSession"]

T = TypeVar("T")


class PostgresSession(OperationSession):
    """All roles, bound to the loop that was running when it was opened."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    @classmethod
    async def open(cls, core: PostgresCore) -> PostgresSession:
        """Connect; raises StorageUnavailable or ConfigurationError."""
        await core.lifetime.begin()
        try:
            await core.through_outage(core.open, is_idempotent=True)
        except BaseException:
            await core.lifetime.end()
            raise
        return cls(core)

    def _do(self, name: str, /, *args: Any) -> Awaitable[T]:  # pyright: ignore[reportInvalidTypeVarUse]
        self._core.lifetime.check()
        call: Callable[[], Awaitable[T]] = partial(ACTIONS[name], self._core, *args)
        if name not in RIDES_OUT:
            return call()
        return self._core.through_outage(call, is_idempotent=OPERATIONS[name].is_idempotent)

    async def claim(self, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
        """Take ready tasks, and let the others who wait on this session hear of what is left."""
        asked = dict(room)
        deliveries: list[Delivery] = await self._do("claim", asked, owner)
        self._core.doorbell.note_claim(asked, deliveries)
        return deliveries

    async def settle_and_claim(
        self,
        settlements: Sequence[Settlement],
        owner: str,
        number: int,
        history: HistoryBatch | None,
        room: Mapping[Lane, int],
    ) -> tuple[list[Answer], list[Delivery] | None]:
        asked = dict(room)
        self._core.lifetime.check()
        answers, deliveries = await settle_and_claim(self._core, tuple(settlements), owner, number, history, asked)
        if deliveries is not None:
            self._core.doorbell.note_claim(asked, deliveries)
        return answers, deliveries

    async def wait_for_work(self, bells: Collection[Bell], timeout: float) -> frozenset[Bell]:
        self._core.lifetime.check()
        return await self._core.doorbell.wait(bells, timeout)

    async def notices(self, owner: str, seen: Notices | None) -> Notices:
        self._core.lifetime.check()
        return await self._core.notice_board.wait(owner, seen)

    async def await_outcomes(self, ids: Sequence[str], unknown: Unknown = "return") -> list[Over]:
        """Return when all ids are over. An outage does not end the wait: it goes on when the server is back."""
        core = self._core
        core.lifetime.check()
        # What fails could not begin.
        return await core.through_outage(lambda: core.waiters.wait(ids, unknown), is_idempotent=True)

    async def tell_outcomes(self, ids: Sequence[str], hear: Callable[[Over], object]) -> None:
        """Have each end told as it comes (``Telling``); an outage ends it as little as ``await_outcomes``."""
        core, asked = self._core, tuple(ids)
        core.lifetime.check()
        await core.through_outage(lambda: core.waiters.hear(asked, hear), is_idempotent=True)

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        self._core.lifetime.check()
        return await self._core.progress_board.follow(id, seen)

    async def find_dangers(self) -> list[str]:
        self._core.lifetime.check()
        return [*await examining.find_dangers(self._core), *await examining.find_tasks_of_huey(self._core)]

    async def find_tasks_of_huey(self) -> list[str]:
        self._core.lifetime.check()
        return await examining.find_tasks_of_huey(self._core)

    async def find_neighbours(self) -> list[str]:
        self._core.lifetime.check()
        return await examining.find_neighbours(self._core)

    async def close(self) -> None:
        await self._core.close()
