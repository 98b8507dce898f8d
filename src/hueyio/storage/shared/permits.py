"""The permits of locks and semaphores as one value per key: what storages without a script language decide with.

A value is JSON, ``{token: {"until", "deadline", "owner", "grace"}}``, times in epoch seconds, what is not there left
out; the Lua scripts of Redis read and write the same. ``until`` is the end of a permit that must be renewed,
``deadline`` the end of its ttl, ``grace`` how long it lasts when the lease of its ``owner`` has ended.
"""

from __future__ import annotations

import json
from math import inf
from typing import Any, TypeAlias

from hueyio.named_tuple import NamedTuple

__all__ = ["Change", "acquire", "end_owner", "holders", "release", "renew", "take"]

Permits: TypeAlias = dict[str, dict[str, Any]]


class Change(NamedTuple):
    """What becomes of a key: its new value (None: delete it) and its time to live (None: for ever)."""

    done: bool
    value: bytes | None = None
    ttl: float | None = None


def acquire(
    value: bytes | None, token: str, size: int, lease: float, owner: str | None, ttl: float | None, now: float
) -> Change:
    """Take a permit if one is free or is the token's already."""
    permits = _alive(value, now)
    if token not in permits and len(permits) >= size:
        return Change(False)
    permit: dict[str, Any] = {"until": now + lease} if owner is None else {"owner": owner, "grace": lease}
    if ttl is not None:
        permit["deadline"] = now + ttl
    return _written({**permits, token: permit}, now)


def renew(value: bytes | None, token: str, lease: float, now: float) -> Change:
    """Prolong a permit that has no owner."""
    permits = _alive(value, now)
    permit = permits.get(token)
    if permit is None or "owner" in permit:
        return Change(False)
    return _written({**permits, token: {**permit, "until": now + lease}}, now)


def release(value: bytes | None, token: str, owner: str | None, now: float) -> Change:
    """Give a permit back, if this owner holds it."""
    permits = _alive(value, now)
    if token not in permits or permits[token].get("owner") != owner:
        return Change(False)
    return _written({other: permit for other, permit in permits.items() if other != token}, now)


def end_owner(value: bytes, owner: str, now: float) -> Change:
    """Let the permits of an owner whose lease has ended last only for their grace; not done if it has none."""
    permits = _alive(value, now)
    if all(permit.get("owner") != owner for permit in permits.values()):
        return Change(False)
    return _written({token: _orphaned(permit, owner, now) for token, permit in permits.items()}, now)


def holders(value: bytes | None, now: float) -> list[str]:
    """List the tokens that hold a permit."""
    return list(_alive(value, now))


def take(value: bytes | None, rate: float, burst: int, now: float) -> tuple[float, Change]:
    """Take a token from a bucket; return the seconds to wait, and what becomes of its value.

    The value is the time at which the bucket is full again. (Known as GCRA: one number says it all.)
    """
    full_at = max(float(value or b"0"), now)
    wait = full_at - now - (burst - 1) / rate
    if wait > 1e-6:
        return wait, Change(False)
    full_at += 1 / rate
    return 0.0, Change(True, b"%.17g" % full_at, full_at - now)


def _orphaned(permit: dict[str, Any], owner: str, now: float) -> dict[str, Any]:
    if permit.get("owner") != owner:
        return permit
    left: dict[str, Any] = {"until": now + permit.get("grace", 0.0)}
    if "deadline" in permit:
        left["deadline"] = permit["deadline"]
    return left


def _alive(value: bytes | None, now: float) -> Permits:
    return {token: permit for token, permit in _read(value).items() if _end(permit) > now}


def _read(value: bytes | None) -> Permits:
    """Read what stands there; what is no permits at all counts as none."""
    if value is None:
        return {}
    try:
        permits = json.loads(value)
    except ValueError:
        return {}
    if not isinstance(permits, dict):
        return {}
    return {token: permit for token, permit in permits.items() if isinstance(permit, dict)}


def _end(permit: dict[str, Any]) -> float:
    end: float = min(permit.get("until", inf), permit.get("deadline", inf))
    return end


def _written(permits: Permits, now: float) -> Change:
    if not permits:
        return Change(True)
    last = max(_end(permit) for permit in permits.values())
    return Change(True, json.dumps(permits).encode(), None if last == inf else last - now)
