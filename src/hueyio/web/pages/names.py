"""Is this kind of task healthy? All names, and a page about each."""

from __future__ import annotations

import asyncio
from fnmatch import fnmatchcase
from typing import Final

from hueyio.control.listing import list_tasks
from hueyio.control.statistics import read_statistics
from hueyio.schedules.seen import see_schedules
from hueyio.web.filters import RANGES, ListFilter, read_range
from hueyio.web.pages.chart import charts_of
from hueyio.web.pages.courses import Courses
from hueyio.web.portion import portion_of
from hueyio.web.view import Page, View

__all__ = ["read_all", "read_one"]

_PER_PAGE: Final = 45
_MOST_FAILED: Final = 10
_MOST_SCHEDULES: Final = 1000


async def read_all(view: View) -> Page:
    """Read the page of all names: those of which something ended, and behind them what is declared here."""
    asked, wanted = read_range(view.query), view.query.get("name", "").strip()
    courses = Courses()
    statistics = await read_statistics(view.session, RANGES[asked], watch=courses.add)
    counted = {it.name: it for it in statistics.tasks}
    declared = sorted(spec.path for spec in view.source.core.registry) if view.source.app is not None else []
    names = [it for it in dict.fromkeys((*counted, *declared)) if _fits(it, wanted)]
    some = portion_of(view, names, _PER_PAGE)
    drawn = courses.draw(some.items, statistics, view.zone.info)
    return Page(
        "names.html",
        "Names",
        {
            "range": asked,
            "ranges_of": [(it, view.at.page("names", {"range": it, "name": wanted})) for it in RANGES],
            "names": some,
            "rows": [(it, counted.get(it), drawn.get(it)) for it in some.items],
            "wanted": wanted,
            "minutes": statistics.seconds / 60,
        },
    )


def _fits(name: str, wanted: str) -> bool:
    """Say whether a name has a text inside, or fits it as a pattern."""
    return wanted.casefold() in name.casefold() or fnmatchcase(name, wanted)


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
