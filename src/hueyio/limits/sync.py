"""Locks, semaphores and rate limits for code that blocks: what their ``sync`` is.

As the ``with`` statement does, each call waits in the thread of a task for the consumer's loop, so that what it takes
is the task's; elsewhere for the loop of blocking calls.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

from hueyio.limits.base import block_in_body

__all__ = ["SyncRateLimit", "SyncSemaphore"]


class _Limit(Protocol):
    @property
    def name(self) -> str: ...

    def acquire(self) -> Coroutine[Any, Any, bool]: ...

    def current_usage(self) -> Coroutine[Any, Any, int]: ...


class _Semaphore(_Limit, Protocol):
    def release(self) -> Coroutine[Any, Any, None]: ...

    def clear(self) -> Coroutine[Any, Any, bool]: ...

    def is_locked(self) -> Coroutine[Any, Any, bool]: ...


class _RateLimit(_Limit, Protocol):
    def reset(self) -> Coroutine[Any, Any, None]: ...


class SyncSemaphore:
    """A lock or a semaphore, for code that blocks; see ``Semaphore``."""

    __slots__ = ("_semaphore",)

    def __init__(self, semaphore: _Semaphore) -> None:
        self._semaphore = semaphore

    def acquire(self) -> bool:
        """Take a permit until ``release``; True, or raises TaskLockedException."""
        return block_in_body(self._semaphore.acquire(), self._semaphore.name)

    def release(self) -> None:
        """Give back what ``acquire`` of this object took last. Raises HueyException if it holds nothing."""
        block_in_body(self._semaphore.release(), self._semaphore.name)

    def clear(self) -> bool:
        """Free all permits, whoever holds them; say whether anybody did."""
        return block_in_body(self._semaphore.clear(), self._semaphore.name)

    def current_usage(self) -> int:
        """Return how many permits are held."""
        return block_in_body(self._semaphore.current_usage(), self._semaphore.name)

    def is_locked(self) -> bool:
        """Say whether all permits are held."""
        return block_in_body(self._semaphore.is_locked(), self._semaphore.name)

    def locked(self) -> bool:
        """Say whether all permits are held."""
        return self.is_locked()


class SyncRateLimit:
    """A rate limit, for code that blocks; see ``RateLimit``."""

    __slots__ = ("_limit",)

    def __init__(self, limit: _RateLimit) -> None:
        self._limit = limit

    def acquire(self) -> bool:
        """Count one run; True, or raises RateLimitExceeded."""
        return block_in_body(self._limit.acquire(), self._limit.name)

    def current_usage(self) -> int:
        """Return how many runs count now."""
        return block_in_body(self._limit.current_usage(), self._limit.name)

    def reset(self) -> None:
        """Begin to count anew."""
        block_in_body(self._limit.reset(), self._limit.name)
