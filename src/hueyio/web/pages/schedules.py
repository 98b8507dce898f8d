"""When does it run next, and did it run?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from hueyio.control.history import EndedTask, read_history
from hueyio.schedules.seen import SeenSchedule, see_schedules
from hueyio.storage.records import ALL_LETTERS
from hueyio.times.timetable import CrontabTimes
from hueyio.web.view import Page, View

__all__ = ["read"]

_MOST: Final = 1000
_MOST_MARKS: Final = 288
_MOST_DRAWN: Final = 100
"""Schedules of which the times are drawn."""

_DAY_WIDTH: Final = 288
_ENDS: Final = 20
_HISTORY_LOOKED_AT: Final = 1000


async def read(view: View) -> Page:
    """Read the page."""
    core = view.source.core
    found, ended = await asyncio.gather(
        see_schedules(core, view.session, _MOST, view.now.timestamp(), with_code=view.source.app is not None),
        read_history(view.session, _HISTORY_LOOKED_AT, None, ALL_LETTERS),
    )
    by_name: dict[str, list[EndedTask]] = {}
    for it in ended.items:
        by_name.setdefault(it.name, []).append(it)
    return Page(
        "schedules.html",
        "Schedules",
        {
            "schedules": [await _row(view, at, it, by_name.get(it.task or "", [])) for at, it in enumerate(found)],
            "paused": sum(it.paused for it in found),
            "has_code": view.source.app is not None,
        },
    )


async def _row(view: View, at: int, schedule: SeenSchedule, ended: Sequence[EndedTask]) -> dict[str, Any]:
    await asyncio.sleep(0)  # the times of a day are some milliseconds of arithmetic
    last = list(reversed(ended[:_ENDS]))
    took = sorted(_took(it) for it in last)
    return {
        "schedule": schedule,
        "marks": _marks(view, schedule) if at < _MOST_DRAWN else None,
        "ends": _ends(last),
        "well": sum(it.kind == "done" for it in last),
        "median": took[len(took) // 2] if took else None,
        "is_stored": schedule.source == "storage",
    }


def _marks(view: View, schedule: SeenSchedule) -> str | None:
    """Return the path of the times in the next 24 hours, empty if nobody can say them; None: too many to tell apart."""
    times = schedule.timetable
    if schedule.paused or not isinstance(times, CrontabTimes):
        return ""
    begin = view.now.timestamp()
    until = begin + timedelta(days=1).total_seconds()
    path, at = "", times.next(begin)
    for _ in range(_MOST_MARKS):
        if at is None or at > until:
            return path
        path += f"M{(at - begin) / (until - begin) * _DAY_WIDTH:.1f} 3v12"
        at = times.next(at)
    return None


def _ends(ended: Sequence[EndedTask]) -> list[dict[str, Any]]:
    """Return a column for each of the last runs: its height is how long it took, compared with the longest."""
    most = max((_took(it) for it in ended), default=0.0) or 1.0
    return [
        {
            "x": index * 6,
            "y": f"{17 - max(_took(it) / most * 14, 2):.0f}",
            "height": f"{max(_took(it) / most * 14, 2):.0f}",
            "kind": "o" if it.kind == "done" else "x",
        }
        for index, it in enumerate(ended)
    ]


def _took(ended: EndedTask) -> float:
    return 0.0 if ended.started_at is None else (ended.ended_at - ended.started_at).total_seconds()
