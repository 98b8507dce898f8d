"""The role of locks, semaphores and token buckets."""

from __future__ import annotations

from typing import Any, Final

from hueyio.exceptions import LeaseLost
from hueyio.storage.redis.calls import ScriptCall, Sent, Table, as_bool
from hueyio.storage.redis.records import write_seconds

__all__ = ["LIMITS"]


def _mark(owner: str | None) -> str:
    """Tell an owner whose name is empty from none."""
    return "" if owner is None else "o" + owner


def _read_acquire(reply: Any, key: str, token: str, size: int, lease: float, owner: str | None, _: Any) -> bool:
    if reply is None:
        raise LeaseLost(f"owner {owner} has no live lease")
    return bool(reply)


LIMITS: Final[Table] = {
    "acquire": ScriptCall(
        lambda _, key, token, size, lease, owner, ttl: Sent(
            (key, token, size, write_seconds(lease), _mark(owner), write_seconds(ttl))
        ),
        _read_acquire,
    ),
    "renew": ScriptCall(lambda _, key, token, lease: Sent((key, token, write_seconds(lease))), as_bool),
    "release": ScriptCall(lambda _, key, token, owner: Sent((key, token, _mark(owner))), as_bool),
    "holders": ScriptCall(lambda _, key: Sent((key,)), lambda reply, _: [token.decode() for token in reply]),
    "take": ScriptCall(lambda _, key, rate, burst: Sent((key, repr(float(rate)), burst)), lambda it, *_: float(it)),
}
