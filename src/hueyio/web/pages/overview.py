"""Is something wrong, and since when?"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from typing import Any, Final

from hueyio.control.consumers import ConsumerInfo, read_consumers
from hueyio.control.statistics import QueueStatistics, read_statistics
from hueyio.core import Core
from hueyio.doctor.diagnosis import Finding, diagnose
from hueyio.doctor.examination import examine
from hueyio.named_tuple import NamedTuple
from hueyio.storage.contract import Session
from hueyio.storage.records import COUNTED, LANES
from hueyio.web.charts import Slot, merge, slots_of, spark
from hueyio.web.filters import RANGES, read_range
from hueyio.web.frame import counted_to
from hueyio.web.pages.chart import charts_of
from hueyio.web.shown import brief, figure
from hueyio.web.view import Page, View
from hueyio.wording import counted, seconds

__all__ = ["Figure", "figures_of", "findings_of", "read"]

_MOST_ROWS: Final = 6
_MOST_DRAWN: Final = 75
"""Points of a word-sized line, which is as wide."""

_FRESH: Final = 5.0
"""Seconds for which findings are kept: they take several reads, and are the same for all who look."""


class Figure(NamedTuple):
    """A number with its name, its unit, a word about it, and its course."""

    label: str
    value: str
    unit: str
    note: str
    spark: Any = None


async def read(view: View) -> Page:
    """Read the page."""
    asked = read_range(view.query)
    statistics, owners, findings = await asyncio.gather(
        read_statistics(view.session, RANGES[asked]),
        view.session.owners(),
        findings_of(view),
    )
    statistics, consumers = view.redaction.statistics(statistics), read_consumers(owners)
    slots = slots_of(statistics)
    is_new = not (statistics.total.ended or statistics.enqueued or consumers or _ready(statistics))
    return Page(
        "overview.html",
        "Overview",
        {
            "range": asked,
            "ranges_of": [(it, view.at.page("overview", {"range": it})) for it in RANGES],
            "findings": findings,
            "is_new": is_new,
            "figures": figures_of(statistics, consumers, slots),
            "charts": charts_of(statistics, view.zone.info),
            "tasks": statistics.tasks[:_MOST_ROWS],
            "many_names": len(statistics.tasks),
            "minutes": statistics.seconds / 60,
            "failures": statistics.failures[:_MOST_ROWS],
            "many_failures": len(statistics.failures),
            "lanes": _lanes(statistics, consumers),
            "longest": _longest(consumers)[:_MOST_ROWS],
        },
    )


class _Findings:
    """What the doctor found last."""

    def __init__(self, core: Core, session: Session) -> None:
        self._core = core
        self._session = session
        self._found: list[Finding] = []
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def get(self, app: str | None) -> list[Finding]:
        """Return it, examined anew if it is old."""
        async with self._lock:
            if time.monotonic() >= self._until:
                self._found = diagnose(await examine(self._core, self._session, app=app, most=COUNTED))
                self._until = time.monotonic() + _FRESH
        return self._found


async def findings_of(view: View) -> list[Finding]:
    """Return what the doctor finds, some seconds old at most."""
    core = view.source.core
    kept = await core.beside_session(_Findings, lambda session: _Findings(core, session))
    return await kept.get(view.source.app)


def figures_of(statistics: QueueStatistics, consumers: Sequence[ConsumerInfo], slots: Sequence[Slot]) -> list[Figure]:
    """Return the six figures at the head of the page."""
    total, minutes = statistics.total, statistics.seconds / 60
    rate_in = "" if statistics.enqueued is None else f"in {_rate(statistics.enqueued / minutes)} /min"
    failed = 100 * total.failed / total.ended if total.ended else 0.0
    oldest = max(((it.oldest, lane) for lane, it in statistics.lanes.items() if it.oldest is not None), default=None)
    used = sum(sum(it.used.values()) for it in consumers)
    room = sum(sum(it.slots.values()) for it in consumers)
    silent = sum(it.is_silent for it in consumers)
    workers = counted(len(consumers), "worker") + (f", {silent} silent" if silent else "")
    slots = merge(slots, math.ceil(len(slots) / _MOST_DRAWN))
    return [
        Figure("Ended", _rate(total.ended / minutes), "/min", rate_in, spark([it.ended for it in slots])),
        Figure("Failed", _rate(failed), "%", f"{figure(total.failed)} in all", spark([it.failed for it in slots])),
        _duration_figure("Waiting p95", total.waiting.p95, total.waiting.p50, [it.waiting[1] for it in slots]),
        _duration_figure("Run p95", total.running.p95, total.running.p50, [it.running[1] for it in slots]),
        Figure(
            "Ready",
            counted_to(_ready(statistics)),
            "",
            "nothing waits" if oldest is None else f"oldest {seconds(oldest[0])}, in {oldest[1]}",
        ),
        Figure("Running", figure(used), f"of {figure(room)}", workers),
    ]


def _duration_figure(label: str, p95: float | None, p50: float | None, values: Sequence[float | None]) -> Figure:
    value, _, unit = brief(p95).partition(" ")
    return Figure(label, value, unit, f"p50 {brief(p50)}", spark(values))


def _ready(statistics: QueueStatistics) -> int:
    return sum(it.ready for it in statistics.lanes.values())


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def _lanes(statistics: QueueStatistics, consumers: Sequence[ConsumerInfo]) -> list[dict[str, Any]]:
    return [
        {
            "lane": lane,
            "ready": statistics.lanes[lane].ready,
            "oldest": statistics.lanes[lane].oldest,
            "used": sum(it.used.get(lane, 0) for it in consumers),
            "slots": sum(it.slots.get(lane, 0) for it in consumers),
            "rate": _rate(statistics.lanes[lane].enqueued / (statistics.seconds / 60)),
        }
        for lane in LANES
    ]


def _longest(consumers: Sequence[ConsumerInfo]) -> list[dict[str, Any]]:
    found = [
        {"id": task.id, "name": task.name, "since": task.since, "worker": f"{it.host}:{it.pid}"}
        for it in consumers
        for task in it.longest
    ]
    return sorted(found, key=lambda it: it["since"])
