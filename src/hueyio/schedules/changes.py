"""Change a stored schedule in place: its times without reading its call, or the call too.

What is not changed stays byte for byte, so that a schedule keeps a call that nobody can read here. A version says what
somebody saw who wants a change: it differs as soon as a change of somebody else's would be lost.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from hueyio.messages.message import write_task
from hueyio.schedules.switches import read_fields
from hueyio.serializer import Serializer
from hueyio.storage.contract import Session
from hueyio.tasks.task import Task
from hueyio.times.crontab import crontab

__all__ = ["Changed", "ScheduleChange", "change_schedule", "version_of"]

Changed: TypeAlias = Literal["changed", "same", "gone", "moved"]
"""What became of it: ``same`` if nothing differs, ``moved`` if it is another version than the one that was seen."""

_SEEN: Final = ("times", "task", "catch_up")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleChange:
    """What becomes of a schedule; what is None stays as it is."""

    times: crontab | None = None
    catch_up: bool | None = None
    call: Task | None = None


def version_of(data: bytes) -> str:
    """Return what tells a schedule from one with other times, another call, or the other switch."""
    fields = read_fields(data)
    return hashlib.sha256(json.dumps([fields.get(it) for it in _SEEN]).encode()).hexdigest()[:16]


async def change_schedule(
    session: Session, name: str, change: ScheduleChange, serializer: Serializer, now: float, version: str = ""
) -> Changed:
    """Write the change, unless the schedule is no longer of this ``version``; without one, whatever it is.

    Other times count from ``now`` on: what was missed of them before is not made up. Raises TaskArgumentError for
    arguments that cannot be serialised.
    """
    (data,) = await session.peek("schedules", [name])
    if not data:
        return "gone"
    if version and version != version_of(data):
        return "moved"
    before = read_fields(data)
    after = _changed(before, name, change, serializer, now)
    if after == before:
        return "same"
    await session.put("schedules", {name: json.dumps(after).encode()})
    return "changed"


def _changed(
    fields: Mapping[str, Any], name: str, change: ScheduleChange, serializer: Serializer, now: float
) -> dict[str, Any]:
    after = dict(fields)
    if change.times is not None and change.times.to_dict() != fields.get("times"):
        after.update(times=change.times.to_dict(), since=now)
    if change.catch_up is not None:
        after["catch_up"] = change.catch_up
    if change.call is not None:
        after["task"] = base64.b64encode(write_task(change.call, serializer.within("schedule", name))).decode()
    return after
