"""Locks, semaphores and rate limits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hueyio.app.base import Base
from hueyio.limits.lock import LOCK_PREFIX, Semaphore, TaskLock
from hueyio.limits.permits import Permits
from hueyio.limits.rate_limit import RateLimit

__all__ = ["Limiting"]


class Limiting(Base):
    """Keep runs from being too many."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.permits = Permits(self)
        self._lock_names: set[str] = set()

    def lock_task(
        self,
        lock_name: str,
        ttl: float | timedelta | None = None,
        *,
        key: Callable[..., object] | None = None,
        retry: bool = False,
    ) -> TaskLock:
        """Make a lock: one run at a time. See ``TaskLock``.

        ``ttl`` (seconds) is an upper bound; a lock ends anyway when its holder does. ``key`` computes from the task's
        arguments which lock of that name it is.
        """
        lock = TaskLock(self, lock_name, ttl=ttl, key=key, retry=retry)
        self._lock_names.add(lock_name)
        return lock

    def limit(
        self,
        name: str,
        size: int,
        *,
        key: Callable[..., object] | None = None,
        ttl: float | timedelta | None = None,
        retry: bool = True,
    ) -> Semaphore:
        """Make a semaphore: at most ``size`` runs at the same time, or so many per ``key``. See ``Semaphore``."""
        return Semaphore(self, name, size, key=key, ttl=ttl, retry=retry)

    def rate_limit(
        self,
        name: str,
        limit: int,
        per: float | timedelta,
        retry: bool = True,
        *,
        burst: int | None = None,
        key: Callable[..., object] | None = None,
    ) -> RateLimit:
        """Make a rate limit: at most ``limit`` runs per ``per`` seconds. See ``RateLimit``."""
        return RateLimit(self, name, limit, per, retry, burst=burst, key=key)

    async def is_locked(self, lock_name: str) -> bool:
        """Say whether anybody holds the lock of this name."""
        return await TaskLock(self, lock_name).is_locked()

    async def flush_locks(self, *names: str) -> set[str]:
        """Free the locks that ``lock_task`` made here, those of all their keys, and these; return those that were held.

        It does not matter who holds them. Nothing needs this after a crash: a lock ends with its holder.
        """
        known = self._lock_names.union(names)
        session = await self.session()
        held = {key.removeprefix(LOCK_PREFIX) for key, _ in await session.scan_keys("locks") if _is_lock(key)}
        freed = {name for name in held if name in known or any(name.startswith(f"{one}:") for one in known)}
        await session.delete("locks", [LOCK_PREFIX + name for name in freed])
        return freed


def _is_lock(key: str) -> bool:
    return key.startswith(LOCK_PREFIX)
