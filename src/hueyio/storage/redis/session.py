"""A session on Redis: the tables of the roles put together, and the four waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

from hueyio.storage.operations import OperationSession
from hueyio.storage.records import Answer, Bell, Delivery, HistoryBatch, Lane, Notices, Over, Settlement, Unknown
from hueyio.storage.redis import examining
from hueyio.storage.redis.calls import Table
from hueyio.storage.redis.consuming import CONSUMING, prepare_consuming, settle_and_claim
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.counting import COUNTING
from hueyio.storage.redis.dead import DEAD
from hueyio.storage.redis.history import HISTORY
from hueyio.storage.redis.keys import KEYS
from hueyio.storage.redis.limits import LIMITS
from hueyio.storage.redis.listing import LISTING
from hueyio.storage.redis.looking import LOOKING
from hueyio.storage.redis.producing import PRODUCING
from hueyio.storage.redis.records import check_text
from hueyio.storage.redis.tombstones import WAITING
from hueyio.storage.redis.trial import try_producing

__all__ = ["TABLE", "RedisSession"]

T = TypeVar("T")

TABLE: Final[Table] = {
    **PRODUCING,
    **CONSUMING,
    **WAITING,
    **KEYS,
    **LIMITS,
    **DEAD,
    **HISTORY,
    **LOOKING,
    **LISTING,
    **COUNTING,
}
"""All operations but the waits."""


class RedisSession(OperationSession):
    """All roles, bound to the loop that was running when it was opened."""

    def __init__(self, core: RedisCore, name: str) -> None:
        self._core = core
        self._name = name
        self._operations = {name: bind(core, name) for name, bind in TABLE.items()}

    @classmethod
    async def open(cls, core: RedisCore, name: str) -> RedisSession:
        """Connect to the queue of this name.

        Raises StorageUnavailable, ConfigurationError, or StorageError where another kind of storage has tasks under
        this name.
        """
        await core.lifetime.begin()
        try:
            await try_producing(core)
            core.listen_for_successors()
        except BaseException:
            await core.lifetime.end()
            raise
        return cls(core, name)

    def _do(self, name: str, /, *args: Any) -> Awaitable[T]:  # pyright: ignore[reportInvalidTypeVarUse]
        return self._operations[name](*args)

    async def settle_and_claim(
        self,
        settlements: Sequence[Settlement],
        owner: str,
        number: int,
        history: HistoryBatch | None,
        room: Mapping[Lane, int],
    ) -> tuple[list[Answer], list[Delivery] | None]:
        return await settle_and_claim(self._core, tuple(settlements), owner, number, history, dict(room))

    async def prepare_consuming(self) -> None:
        """Raise ConfigurationError if a consumer lacks a right here; warn if the server may evict the queue."""
        self._core.lifetime.check()
        await prepare_consuming(self._core)

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
        check_text(ids)
        # What fails could not begin.
        return await core.through_outage(lambda: core.waiters.wait(ids, unknown), is_idempotent=True)

    async def tell_outcomes(self, ids: Sequence[str], hear: Callable[[Over], object]) -> None:
        """Have each end told as it comes (``Telling``); an outage ends it as little as ``await_outcomes``."""
        core, asked = self._core, tuple(ids)
        core.lifetime.check()
        check_text(asked)
        await core.through_outage(lambda: core.waiters.hear(asked, hear), is_idempotent=True)

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        self._core.lifetime.check()
        check_text([id])
        return await self._core.progress_board.follow(id, seen)

    async def find_dangers(self) -> list[str]:
        self._core.lifetime.check()
        return await examining.find_dangers(self._core.wire, self._name)

    async def find_tasks_of_huey(self) -> list[str]:
        """Return nothing: a worker has no right to Huey's key, and to ask would be noted as an attack (ACL LOG)."""
        self._core.lifetime.check()
        return []

    async def find_neighbours(self) -> list[str]:
        self._core.lifetime.check()
        return await examining.find_neighbours(self._core.wire)

    async def close(self) -> None:
        await self._core.close()
