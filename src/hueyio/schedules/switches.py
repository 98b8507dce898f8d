"""Pause, resume and remove a schedule, whatever call it makes: that call is not read."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Final

from hueyio.messages.glance import glance_at_path
from hueyio.storage.contract import Session
from hueyio.times.crontab import crontab

__all__ = ["REMOVED", "Outline", "outline", "read_fields", "remove_schedule", "set_paused", "tick_key"]

REMOVED: Final = b""

_REMOVED_TTL: Final = 3600.0
"""A removal is written, because a deletion would give no notice; nobody needs to read it later than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What can be said of a schedule without reading its call. ``times`` None: it cannot be read."""

    name: str
    task: str | None
    times: crontab | None
    catch_up: bool
    paused: bool


def tick_key(name: str) -> str:
    """Return where the last tick of a schedule is noted."""
    return f"schedule:{name}"


def outline(name: str, data: bytes) -> Outline:
    """Read a row of the area ``schedules`` as far as it can be."""
    fields = read_fields(data)
    try:
        times = crontab.from_dict(fields["times"])
    except (LookupError, TypeError, ValueError):
        times = None
    return Outline(
        name=name,
        task=_task_of(fields),
        times=times,
        catch_up=fields.get("catch_up") is True,
        paused=fields.get("paused") is True,
    )


async def remove_schedule(session: Session, name: str) -> bool:
    """Forget a schedule; False if there is none of that name."""
    (data,) = await session.peek("schedules", [name])
    if not data:
        return False
    await session.put("schedules", {name: REMOVED}, _REMOVED_TTL)
    await session.delete("ticks", [tick_key(name)])
    return True


async def set_paused(session: Session, name: str, paused: bool, now: float) -> bool:
    """Let a schedule rest, or go on from ``now``; False if there is none of that name."""
    (data,) = await session.peek("schedules", [name])
    if not data:
        return False
    fields = read_fields(data)
    if fields.get("paused") is not paused:
        changed = {**fields, "paused": paused, "since": now}
        await session.put("schedules", {name: json.dumps(changed).encode()})
    return True


def read_fields(data: bytes) -> dict[str, Any]:
    """Return what stands in a row of the area ``schedules``; of what cannot be read, nothing."""
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _task_of(fields: dict[str, Any]) -> str | None:
    try:
        return glance_at_path(base64.b64decode(fields["task"]))
    except (LookupError, TypeError, ValueError):
        return None
