"""Locks, semaphores and token buckets."""

from __future__ import annotations

from hueyio.exceptions import LeaseLost
from hueyio.storage.redis.core import RedisCore

__all__ = ["RedisLimits"]


class RedisLimits:
    """Limits."""

    def __init__(self, core: RedisCore) -> None:
        self._core = core

    async def acquire(
        self, key: str, token: str, size: int, lease: float, owner: str | None = None, ttl: float | None = None
    ) -> bool:
        """Take one of ``size`` places."""
        args = (key, token, size, repr(float(lease)), _marked(owner), "" if ttl is None else repr(float(ttl)))
        taken = await self._core.run("acquire", args)
        if taken is None:
            raise LeaseLost(f"owner {owner} has no live lease")
        return bool(taken)

    async def renew(self, key: str, token: str, lease: float) -> bool:
        """Prolong a place that has no owner."""
        return bool(await self._core.run("renew", (key, token, repr(float(lease)))))

    async def release(self, key: str, token: str, owner: str | None = None) -> bool:
        """Give a place back, if this owner holds it."""
        return bool(await self._core.run("release", (key, token, _marked(owner))))

    async def holders(self, key: str) -> list[str]:
        """List the tokens that hold a place."""
        return [token.decode() for token in await self._core.run("holders", (key,))]

    async def take(self, key: str, rate: float, burst: int) -> float:
        """Take a token from a bucket, or say how long to wait."""
        return float(await self._core.run("take", (key, repr(float(rate)), burst)))


def _marked(owner: str | None) -> str:
    """Tell an owner whose name is empty from none."""
    return "" if owner is None else "o" + owner
