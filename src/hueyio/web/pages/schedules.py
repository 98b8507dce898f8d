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
from hueyio.web.portion import portion_of
from hueyio.web.view import Page, View

__all__ = ["read"]

_MOST: Final = 1000
_PER_PAGE: Final = 40
_MOST_MARKS: Final = 96
"""One for each three points of the line: closer ones cannot be told apart."""

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
    some = portion_of(view, found, _PER_PAGE)
    return Page(
        "schedules.html",
        "Schedules",
        {
            "schedules": some,
            "rows": [await _row(view, it, by_name.get(it.task or "", [])) for it in some.items],
            "paused": sum(it.paused for it in found),
            "has_code": view.source.app is not None,
        },
    )


async def _row(view: View, schedule: SeenSchedule, ended: Sequence[EndedTask]) -> dict[str, Any]:
    await asyncio.sleep(0)  # the times of a day are some milliseconds of arithmetic
    last = list(reversed(ended[:_ENDS]))
    took = sorted(_took(it) for it in last)
    return {
        "schedule": schedule,
        "marks": _marks(view, schedule),
        "ends": _ends(last),
        "many": len(last),
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
    path, x, at = "", 0.0, times.next(begin)
    for _ in range(_MOST_MARKS):
        if at is None or at > until:
            return path
        here = round((at - begin) / (until - begin) * _DAY_WIDTH, 1)
        path += f"m{here - x:.1f}-12v12" if path else f"M{here} 3v12"
        x, at = here, times.next(at)
    return None


def _ends(ended: Sequence[EndedTask]) -> dict[str, str]:
    """Return columns for the last runs, as a path for good and one for bad ends: a height is how long a run took."""
    most = max((_took(it) for it in ended), default=0.0) or 1.0
    paths = {"o": "", "x": ""}
    for index, it in enumerate(ended):
        paths["o" if it.kind == "done" else "x"] += f"M{index * 6 + 2} 17v-{max(_took(it) / most * 14, 2):.0f}"
    return paths


def _took(ended: EndedTask) -> float:
    return 0.0 if ended.started_at is None else (ended.ended_at - ended.started_at).total_seconds()
