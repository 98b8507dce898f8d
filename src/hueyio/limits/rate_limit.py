"""Rate limits: how many runs may begin in a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hueyio.core import core_of
from hueyio.exceptions import ConfigurationError, RateLimitExceeded
from hueyio.execution.unavailable import wait_while_unavailable
from hueyio.handles.telling import telling
from hueyio.limits.base import Guard
from hueyio.limits.sync import SyncRateLimit
from hueyio.tasks.given import check_switches
from hueyio.tasks.task import seconds_from

__all__ = ["RateLimit"]


@telling("limit.sync")
class RateLimit(Guard[None]):
    """At most ``limit`` runs per ``per`` seconds, in the whole fleet; with ``key`` per value that it computes.

    A ``limit`` of 0 refuses all. Without ``burst`` time is cut into windows of ``per`` seconds, and who is refused is
    counted too. With it runs are spread evenly: a bucket that holds ``burst`` tokens gets ``limit`` new ones in ``per``
    seconds.

    Decorator (below ``@huey.task``), ``async with``, and ``with`` in threads that run no loop. Over the limit
    RateLimitExceeded is raised and the task sends RATE_LIMITED. With ``retry=True`` the task is put back until there is
    room, or for its own ``retry_delay`` if it has one, and no retry is consumed. With ``retry=False`` it consumes a
    retry like any failure, and that waits for as long.
    """

    def __init__(
        self,
        huey: Any,
        name: str,
        limit: int,
        per: float | timedelta,
        retry: bool = True,
        *,
        burst: int | None = None,
        key: Callable[..., object] | None = None,
    ) -> None:
        super().__init__(name, key)
        check_switches({f"retry of {name!r}": retry})
        for what, value, least in (("limit", limit, 0), ("burst", 1 if burst is None else burst, 1)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigurationError(
                    f"{what} of {name!r} must be a whole number of at least {least}, not {value!r}"
                )
        self.huey = huey
        self._core = core_of(huey)
        self.limit = limit
        self.per = seconds_from(per, "per")
        if self.per <= 0:
            raise ConfigurationError(f"per of {name!r} must be seconds > 0, not {per!r}")
        self.retry = retry
        self.burst = burst

    async def enter(self) -> None:
        """Count one run; raises RateLimitExceeded."""
        delay = await wait_while_unavailable(self._count)
        if delay > 0:
            raise RateLimitExceeded(self.name, delay, self.retry)

    async def leave(self, state: None) -> None:
        """Do nothing: what has begun counts."""

    async def acquire(self) -> bool:
        """Count one run; True, or raises RateLimitExceeded."""
        await self.enter()
        return True

    @property
    def sync(self) -> SyncRateLimit:
        """The same methods for code that blocks, without ``await``."""
        return SyncRateLimit(self)

    async def current_usage(self) -> int:
        """Return how many runs count now: of this window, or tokens that the bucket lacks."""
        session = await self._core.session()
        now = self._core.now()
        if self.burst is None:
            (count,) = await session.peek("windows", [self._window_key(now)])
            return int(count or b"0")
        (full_at,) = await session.peek("windows", [self._bucket_key])
        return math.ceil(max(float(full_at or b"0") - now, 0.0) * self.limit / self.per)

    async def reset(self) -> None:
        """Begin to count anew."""
        session = await self._core.session()
        await session.delete("windows", [self._window_key(self._core.now()), self._bucket_key])

    async def _count(self) -> float:
        """Count one run; return the seconds after which there is room, 0 if there is."""
        if self.limit == 0:  # closed: it is looked at again in the next window
            return self.per if self.burst is not None else self._window_end(self._core.now()) - self._core.now()
        session = await self._core.session()
        if self.burst is not None:
            return await session.take(self._bucket_key, self.limit / self.per, self.burst)
        now = self._core.now()
        count = await session.add("windows", self._window_key(now), ttl=self.per)
        return self._window_end(now) - now if count > self.limit else 0.0

    def _window_key(self, now: float) -> str:
        return f"window:{self.name}:{math.floor(now / self.per)}"

    def _window_end(self, now: float) -> float:
        return (math.floor(now / self.per) + 1) * self.per

    @property
    def _bucket_key(self) -> str:
        return f"bucket:{self.name}"
