"""The charts of pages: their paths, their words, and the table that says the same to those who do not see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import Any, Final

from hueyio.control.statistics import QueueStatistics
from hueyio.web.charts import Percentiles, Slot, bars, is_short, labels, line, make_scale, merge, slots_of, steps
from hueyio.web.shown import brief, figure

__all__ = ["charts_of"]

_MOST_COLUMNS: Final = 150
"""More are put together: each is a row of three tables, and a page stays small."""

_FACTORS: Final = (1, 2, 3, 4, 6, 8, 12, 24)
"""How many are put together: of hours, what divides a day."""

_UNITS: Final = {60: "minute", 600: "10 minutes", 3600: "hour"}


def charts_of(statistics: QueueStatistics, zone: tzinfo = UTC) -> list[dict[str, Any]]:
    """Return what ended over time, and how long tasks waited and ran; moments are those of ``zone``."""
    slots = slots_of(statistics)
    factor = next((it for it in _FACTORS if len(slots) <= it * _MOST_COLUMNS), _FACTORS[-1])
    span = statistics.slot * factor
    unit = _UNITS.get(int(span.total_seconds()), f"{span.total_seconds() / 3600:g} hours")
    columns = merge(slots, factor)
    axis = {
        "labels": labels(columns, span, zone=zone),
        "from": int(columns[0].at.timestamp()),
        "step": int(span.total_seconds()),
        "is_short": is_short(span, len(columns)),
    }
    charts = [
        _chart_of_ends(columns, unit),
        _chart_of_durations("Waiting", [it.waiting for it in columns], columns),
        _chart_of_durations("Run time", [it.running for it in columns], columns),
    ]
    return [{**it, **axis} for it in charts]


def _chart_of_ends(slots: Sequence[Slot], unit: str) -> dict[str, Any]:
    """Return the chart of what ended: good ends as an area, retries and failures as columns on it."""
    scale = make_scale([it.ended + it.retried for it in slots], is_whole=True)
    done = [float(it.done) for it in slots]
    retried = [float(it.retried) for it in slots]
    edge, area = steps(done, scale)
    on_retried = [it.done + it.retried for it in slots]
    return {
        "title": f"Ended per {unit}",
        "wide": True,
        "rules": [f"{it / 1000:g}k" if it >= 1000 else f"{it:g}" for it in scale.rules],
        "legend": [
            ("sw well", "done", figure(slots[-1].done)),
            ("sw care", "retried", figure(slots[-1].retried)),
            ("sw bad", "failed", figure(slots[-1].failed)),
        ],
        "paths": [
            ("b-well", area),
            ("e-well", edge),
            ("b-care", bars(done, retried, scale)),
            ("b-bad", bars(on_retried, [float(it.failed) for it in slots], scale)),
        ],
        "heads": ["done", "retried", "failed"],
        "rows": [(it.at, figure(it.done), figure(it.retried), figure(it.failed)) for it in slots],
    }


def _chart_of_durations(title: str, values: Sequence[Percentiles], slots: Sequence[Slot]) -> dict[str, Any]:
    """Return the chart of three percentiles."""
    scale = make_scale([it for each in values for it in each])
    names = ("p50", "p95", "p99")
    last = values[-1]
    return {
        "title": title,
        "wide": False,
        "rules": [brief(it) if it else "0" for it in scale.rules],
        "legend": [
            (kind, name, brief(value))
            for kind, name, value in zip(("ln mid", "ln", "ln top"), names, last, strict=True)
        ],
        "paths": [(name, line([it[at] for it in values], scale)) for at, name in enumerate(names)],
        "heads": list(names),
        "rows": [(slot.at, *map(brief, each)) for slot, each in zip(slots, values, strict=True)],
    }
