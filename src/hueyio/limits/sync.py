"""Locks, semaphores and rate limits for code that blocks: what their ``sync`` is, and those of ``hueyio.blocking``.

As the ``with`` statement does, each call waits in the thread of a task for the consumer's loop, so that what it takes
is the task's; elsewhere for the loop of blocking calls.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from hueyio.handles.blocking import Blocking
from hueyio.limits.blocking import block_in_body

__all__ = ["SyncRateLimit", "SyncSemaphore", "SyncTaskLock"]

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class _SyncGuard(Blocking):
    """What they have in common: a decorator and a context manager."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Its name."""
        name: str = self._wrapped.name
        return name

    def of(self, key: object) -> Self:
        """Return the same for one key: each has its own count."""
        return type(self)(self._wrapped.of(key))

    def __call__(self, func: F) -> F:
        """Guard each run of a task; stands below ``@huey.task``."""
        guarded: F = self._wrapped(func)
        return guarded

    def __enter__(self) -> Self:
        self._wrapped.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wrapped.__exit__(kind, error, trace)

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return block_in_body(coroutine, self.name)


class SyncSemaphore(_SyncGuard):
    """A semaphore, for code that blocks; see ``Semaphore``."""

    __slots__ = ()

    # --- made from ``Semaphore`` by `python -m tests.support.facade`; what is above is by hand

    def acquire(self) -> bool:
        """Take a permit until ``release``; True, or raises TaskLockedException."""
        answer: bool = self._wait(self._wrapped.acquire())
        return answer

    def release(self) -> None:
        """Give back what ``acquire`` of this object took last. Raises HueyException if it holds nothing."""
        self._wait(self._wrapped.release())

    def clear(self) -> bool:
        """Free all permits, whoever holds them; say whether anybody did."""
        answer: bool = self._wait(self._wrapped.clear())
        return answer

    def current_usage(self) -> int:
        """Return how many permits are held."""
        answer: int = self._wait(self._wrapped.current_usage())
        return answer

    def is_locked(self) -> bool:
        """Say whether all permits are held."""
        answer: bool = self._wait(self._wrapped.is_locked())
        return answer

    def locked(self) -> bool:
        """Say whether all permits are held."""
        answer: bool = self._wait(self._wrapped.locked())
        return answer


class SyncTaskLock(SyncSemaphore):
    """A lock, for code that blocks; see ``TaskLock``."""

    __slots__ = ()


class SyncRateLimit(_SyncGuard):
    """A rate limit, for code that blocks; see ``RateLimit``."""

    __slots__ = ()

    # --- made from ``RateLimit`` by `python -m tests.support.facade`; what is above is by hand

    def acquire(self) -> bool:
        """Count one run; True, or raises RateLimitExceeded."""
        answer: bool = self._wait(self._wrapped.acquire())
        return answer

    def current_usage(self) -> int:
        """Return how many runs count now: of this window, or tokens that the bucket lacks."""
        answer: int = self._wait(self._wrapped.current_usage())
        return answer

    def reset(self) -> None:
        """Begin to count anew."""
        self._wait(self._wrapped.reset())
