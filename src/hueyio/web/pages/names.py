"""Is this kind of task healthy? All names, and a page about each."""

from __future__ import annotations

import asyncio
from typing import Final

from hueyio.control.listing import list_tasks
from hueyio.control.statistics import read_statistics
from hueyio.schedules.seen import see_schedules
from hueyio.web.filters import RANGES, ListFilter, read_range
from hueyio.web.pages.chart import charts_of
from hueyio.web.pages.courses import Courses
from hueyio.web.view import Page, View

__all__ = ["read_all", "read_one"]

_MOST_FAILED: Final = 10
_MOST_SCHEDULES: Final = 1000


async def read_all(view: View) -> Page:
    """Read the page of all names."""
    asked = read_range(view.query)
    courses = Courses()
    statistics = await read_statistics(view.session, RANGES[asked], watch=courses.add)
    drawn = courses.draw(statistics, view.zone.info)
    counted = {it.name for it in statistics.tasks}
    declared = sorted(spec.path for spec in view.source.core.registry if spec.path not in counted)
    return Page(
        "names.html",
        "Names",
        {
            "range": asked,
            "ranges_of": [(it, view.at.page("names", {"range": it})) for it in RANGES],
            "tasks": [(it, drawn.get(it.name)) for it in statistics.tasks],
            "minutes": statistics.seconds / 60,
            "idle": declared if view.source.app is not None else [],
        },
    )


async def read_one(view: View) -> Page:
    """Read the page of one name."""
    name, asked = view.part, read_range(view.query)
    core = view.source.core
    has_code = view.source.app is not None
    # A name is taken as it is: what looks like a pattern in it is none.
    wish = ListFilter(name=_literal(name)).wish(("failed",), view.now)
    statistics, failed, schedules = await asyncio.gather(
        read_statistics(view.session, RANGES[asked], name),
        list_tasks(view.session, wish, _MOST_FAILED),
        see_schedules(core, view.session, _MOST_SCHEDULES, view.now.timestamp(), with_code=has_code),
    )
    spec = core.registry.get(name) if has_code else None
    options = None if spec is None else spec.options
    return Page(
        "name.html",
        name,
        {
            "name": name,
            "range": asked,
            "ranges_of": [(it, view.at.name(name, {"range": it})) for it in RANGES],
            "total": statistics.total,
            "minutes": statistics.seconds / 60,
            "charts": charts_of(statistics, view.zone.info),
            "failed": [view.redaction.task(it) for it in failed.tasks],
            "schedules": [it for it in schedules if it.task == name],
            "options": options,
            "module": None if spec is None else spec.module,
            "lists": [(it, view.at.tasks(it, {"name": _literal(name)})) for it in ("ready", "running", "failed")],
        },
    )


def _literal(name: str) -> str:
    """Return a pattern that fits this name alone."""
    return "".join(f"[{it}]" if it in "*?[" else it for it in name)
