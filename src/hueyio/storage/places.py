"""The places of locks and semaphores as one value per key: what storages without a script language decide with.

A value is JSON, ``{token: {"until", "deadline", "owner", "grace"}}``, times in epoch seconds, what is not there left
out; ``lua/_places.lua`` reads and writes the same. ``until`` is the end of a place that must be renewed, ``deadline``
the end of its ttl, ``grace`` how long it lasts when the lease of its ``owner`` has ended.
"""

from __future__ import annotations

import json
from math import inf
from typing import Any, NamedTuple, TypeAlias

__all__ = ["Change", "acquire", "end_owner", "holders", "release", "renew", "take"]

Places: TypeAlias = dict[str, dict[str, Any]]


class Change(NamedTuple):
    """What becomes of a key: its new value (None: delete it) and its time to live (None: for ever)."""

    done: bool
    value: bytes | None = None
    ttl: float | None = None


def acquire(
    value: bytes | None,
    token: str,
    size: int,
    lease: float,
    owner: str | None,
    ttl: float | None,
    now: float,
) -> Change:
    """Take a place if one is free or is the token's already."""
    places = _alive(value, now)
    if token not in places and len(places) >= size:
        return Change(False)
    place: dict[str, Any] = {"until": now + lease} if owner is None else {"owner": owner, "grace": lease}
    if ttl is not None:
        place["deadline"] = now + ttl
    return _written({**places, token: place}, now)


def renew(value: bytes | None, token: str, lease: float, now: float) -> Change:
    """Prolong a place that has no owner."""
    places = _alive(value, now)
    place = places.get(token)
    if place is None or "owner" in place:
        return Change(False)
    return _written({**places, token: {**place, "until": now + lease}}, now)


def release(value: bytes | None, token: str, owner: str | None, now: float) -> Change:
    """Give a place back, if this owner holds it."""
    places = _alive(value, now)
    if token not in places or places[token].get("owner") != owner:
        return Change(False)
    return _written({other: place for other, place in places.items() if other != token}, now)


def end_owner(value: bytes, owner: str, now: float) -> Change:
    """Let the places of an owner whose lease has ended last only for their grace; not done if it has none."""
    places = _alive(value, now)
    if all(place.get("owner") != owner for place in places.values()):
        return Change(False)
    return _written({token: _orphaned(place, owner, now) for token, place in places.items()}, now)


def holders(value: bytes | None, now: float) -> list[str]:
    """List the tokens that hold a place."""
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


def _orphaned(place: dict[str, Any], owner: str, now: float) -> dict[str, Any]:
    if place.get("owner") != owner:
        return place
    left: dict[str, Any] = {"until": now + place.get("grace", 0.0)}
    if "deadline" in place:
        left["deadline"] = place["deadline"]
    return left


def _alive(value: bytes | None, now: float) -> Places:
    return {token: place for token, place in _read(value).items() if _end(place) > now}


def _read(value: bytes | None) -> Places:
    """Read what stands there; what is no places at all counts as none."""
    if value is None:
        return {}
    try:
        places = json.loads(value)
    except ValueError:
        return {}
    if not isinstance(places, dict):
        return {}
    return {token: place for token, place in places.items() if isinstance(place, dict)}


def _end(place: dict[str, Any]) -> float:
    end: float = min(place.get("until", inf), place.get("deadline", inf))
    return end


def _written(places: Places, now: float) -> Change:
    if not places:
        return Change(True)
    last = max(_end(place) for place in places.values())
    return Change(True, json.dumps(places).encode(), None if last == inf else last - now)
