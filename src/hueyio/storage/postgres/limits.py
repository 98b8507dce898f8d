"""Locks, semaphores and token buckets: values of the key table, on which the server decides with the key locked."""

from __future__ import annotations

from hueyio.storage.postgres.core import PostgresCore

__all__ = ["acquire", "holders", "release", "renew", "take"]


async def acquire(
    core: PostgresCore, key: str, token: str, size: int, lease: float, owner: str | None, ttl: float | None
) -> bool:
    """Take one of ``size`` permits."""
    ((is_taken,),) = await core.call("acquire_1", core.queue, key, token, size, lease, owner, ttl)
    return bool(is_taken)


async def renew(core: PostgresCore, key: str, token: str, lease: float) -> bool:
    """Prolong a permit that has no owner."""
    ((is_there,),) = await core.call("renew_1", core.queue, key, token, lease)
    return bool(is_there)


async def release(core: PostgresCore, key: str, token: str, owner: str | None) -> bool:
    """Give a permit back, if this owner holds it."""
    ((is_released,),) = await core.call("release_1", core.queue, key, token, owner)
    return bool(is_released)


async def holders(core: PostgresCore, key: str) -> list[str]:
    """List the tokens that hold a permit."""
    return [token for (token,) in await core.call("holders_1", core.queue, key)]


async def take(core: PostgresCore, key: str, rate: float, burst: int) -> float:
    """Take a token from a bucket, or say how long to wait."""
    ((wait,),) = await core.call("take_1", core.queue, key, rate, burst)
    return float(wait)
