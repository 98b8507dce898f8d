"""Locks and semaphores: how many runs may be inside at the same time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from hueyio.core import core_of
from hueyio.exceptions import ConfigurationError, HueyException, TaskLockedException
from hueyio.handles.telling import telling
from hueyio.limits.base import Guard
from hueyio.limits.permits import Permit, Permits
from hueyio.limits.sync import SyncSemaphore, SyncTaskLock
from hueyio.tasks.given import check_switches
from hueyio.tasks.task import seconds_from

__all__ = ["LOCK_PREFIX", "Semaphore", "TaskLock"]

LOCK_PREFIX: Final = "lock:"
_SEMAPHORE_PREFIX: Final = "semaphore:"

_AGAIN: Final = 1.0
"""Seconds after which a task tries again that does not use up a retry for it."""


@telling("lock.sync")
class Semaphore(Guard[Permit]):
    """At most ``size`` runs at the same time (0: none), in the whole fleet; with ``key`` per value that it computes.

    Decorator (below ``@huey.task``), ``async with``, and ``with`` in threads that run no loop. Nobody waits: where
    no permit is free, TaskLockedException is raised and the task sends LOCKED. With ``retry=True`` the task is put back
    after its ``retry_delay`` (1 s by default) and no retry is consumed. With ``retry=False`` it consumes a retry like
    any failure.
    """

    _prefix = _SEMAPHORE_PREFIX
    _noun = "a place of"

    def __init__(
        self,
        huey: Any,
        name: str,
        size: int,
        *,
        key: Callable[..., object] | None = None,
        ttl: float | timedelta | None = None,
        retry: bool = True,
    ) -> None:
        super().__init__(name, key)
        check_switches({f"retry of {name!r}": retry})
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise ConfigurationError(f"size of {name!r} must be a whole number of at least 0, not {size!r}")
        self.huey = huey
        self._core = core_of(huey)
        self.size = size
        self.ttl = None if ttl is None else seconds_from(ttl, "ttl")
        if self.ttl is not None and self.ttl <= 0:
            raise ConfigurationError(f"ttl of {name!r} must be seconds > 0, not {ttl!r}")
        self.retry = retry
        self._acquired: list[Permit] = []

    async def enter(self) -> Permit:
        """Take a permit; raises TaskLockedException if none is free."""
        permit = await self._permits.take(self._storage_key, self.size, self.ttl) if self.size else None
        if permit is None:
            raise TaskLockedException(f"unable to acquire {self._noun} {self.name}", _AGAIN if self.retry else None)
        return permit

    async def leave(self, state: Permit) -> None:
        """Give a permit back."""
        await self._permits.give_back(state)

    async def acquire(self) -> bool:
        """Take a permit until ``release``; True, or raises TaskLockedException."""
        self._acquired.append(await self.enter())
        return True

    async def release(self) -> None:
        """Give back what ``acquire`` of this object took last. Raises HueyException if it holds nothing."""
        if not self._acquired:
            raise HueyException(f"{self.name!r} was not acquired here; clear() frees it whoever holds it")
        await self.leave(self._acquired.pop())

    async def clear(self) -> bool:
        """Free all permits, whoever holds them; say whether anybody did."""
        was_held = await self.current_usage() > 0
        await (await self._core.session()).delete("locks", [self._storage_key])
        return was_held

    @property
    def sync(self) -> SyncSemaphore:
        """The same methods for code that blocks, without ``await``."""
        return SyncSemaphore(self)

    async def current_usage(self) -> int:
        """Return how many permits are held."""
        return len(await (await self._core.session()).holders(self._storage_key))

    async def is_locked(self) -> bool:
        """Say whether all permits are held."""
        return await self.current_usage() >= self.size

    async def locked(self) -> bool:
        """Say whether all permits are held."""
        return await self.is_locked()

    @property
    def _permits(self) -> Permits:
        return self._core.part(Permits, Permits)

    @property
    def _storage_key(self) -> str:
        return self._prefix + self.name


class TaskLock(Semaphore):
    """One run at a time, in the whole fleet. It belongs to its task: nobody else can release it."""

    _prefix = LOCK_PREFIX
    _noun = "lock"

    def __init__(
        self,
        huey: Any,
        name: str,
        *,
        ttl: float | timedelta | None = None,
        key: Callable[..., object] | None = None,
        retry: bool = False,
    ) -> None:
        super().__init__(huey, name, 1, key=key, ttl=ttl, retry=retry)

    @property
    def sync(self) -> SyncTaskLock:
        """The same methods for code that blocks, without ``await``."""
        return SyncTaskLock(self)
