"""The geometry of charts: from numbers to paths of SVG. Pure; words stand in HTML, so that no text is stretched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final, TypeAlias

from hueyio.control.statistics import Point, QueueStatistics
from hueyio.named_tuple import NamedTuple

__all__ = [
    "HEIGHT",
    "WIDTH",
    "Percentiles",
    "Scale",
    "Slot",
    "bars",
    "is_short",
    "labels",
    "line",
    "make_scale",
    "merge",
    "sketch",
    "slots_of",
    "spark",
    "steps",
    "ticks",
]

WIDTH: Final = 600
HEIGHT: Final = 140
_SPARK_WIDTH: Final = 76
_SPARK_HEIGHT: Final = 20
_ROUND: Final = (1, 2, 3, 4, 5, 6, 8, 10)


Percentiles: TypeAlias = tuple[float | None, float | None, float | None]


class Slot(NamedTuple):
    """One column of a chart. A percentile is None where nothing was measured."""

    at: datetime
    done: int = 0
    retried: int = 0
    failed: int = 0
    waiting: Percentiles = (None, None, None)
    running: Percentiles = (None, None, None)

    @property
    def ended(self) -> int:
        """How many ended, well or not."""
        return self.done + self.failed


class Scale(NamedTuple):
    """From 0 to ``top``, with the value of each rule from above."""

    top: float
    rules: tuple[float, ...]


def slots_of(statistics: QueueStatistics) -> list[Slot]:
    """Return all columns of a range, those too in which nothing was counted."""
    span = statistics.slot
    found = {it.at: _slot(it) for it in statistics.series}
    count = max(math.ceil((statistics.until - statistics.since) / span), 1)
    moments = [statistics.since + index * span for index in range(count)]
    return [found.get(at, Slot(at)) for at in moments]


def _slot(point: Point) -> Slot:
    return Slot(
        at=point.at,
        done=point.ended - point.failed,
        retried=point.retried,
        failed=point.failed,
        waiting=(point.waiting_p50, point.waiting_p95, point.waiting_p99),
        running=(point.running_p50, point.running_p95, point.running_p99),
    )


def merge(slots: Sequence[Slot], factor: int) -> list[Slot]:
    """Put so many slots into one column: counts are added, of percentiles the highest counts."""
    return [_merged(slots[at : at + factor]) for at in range(0, len(slots), factor)] if factor > 1 else list(slots)


def _merged(slots: Sequence[Slot]) -> Slot:
    return Slot(
        at=slots[0].at,
        done=sum(it.done for it in slots),
        retried=sum(it.retried for it in slots),
        failed=sum(it.failed for it in slots),
        waiting=_highest([it.waiting for it in slots]),
        running=_highest([it.running for it in slots]),
    )


def _highest(each: Sequence[Percentiles]) -> Percentiles:
    p50, p95, p99 = (max((it for it in column if it is not None), default=None) for column in zip(*each, strict=True))
    return p50, p95, p99


def make_scale(values: Sequence[float | None], *, is_whole: bool = False) -> Scale:
    """Return a scale that ends at a round number above the highest value."""
    most = max((it for it in values if it is not None), default=0.0)
    if most <= 0:
        top = 1.0
    else:
        unit = 10.0 ** math.floor(math.log10(most))
        top = next((it * unit for it in _ROUND if it * unit >= most), 10 * unit)
    if is_whole:
        top = float(max(math.ceil(top), 2))
    return Scale(top, (top, top / 2, 0.0))


def steps(values: Sequence[float], scale: Scale) -> tuple[str, str]:
    """Return the path of the upper edge of columns without gaps, and that of the area below it."""
    if not values:
        return "", ""
    width = WIDTH / len(values)
    edge = f"M0 {_y(values[0], scale)}"
    for index, value in enumerate(values):
        edge += f"V{_y(value, scale)}H{_number((index + 1) * width)}"
    return edge, f"{edge}V{HEIGHT}H0Z"


def bars(lower: Sequence[float], heights: Sequence[float], scale: Scale) -> str:
    """Return the path of columns that stand on others; those of no height are left out."""
    width = WIDTH / max(len(heights), 1)
    path = ""
    for index, (below, height) in enumerate(zip(lower, heights, strict=True)):
        if height > 0:
            left, bottom = _number(index * width + width * 0.1), _y(below, scale)
            path += f"M{left} {bottom}V{_y(below + height, scale)}h{_number(width * 0.8)}V{bottom}Z"
    return path


def line(values: Sequence[float | None], scale: Scale) -> str:
    """Return the path through the middles of columns. Where nothing was measured there is a gap."""
    width = WIDTH / max(len(values), 1)
    path = ""
    is_drawn = False
    for index, value in enumerate(values):
        if value is None:
            is_drawn = False
            continue
        x = (index + 0.5) * width
        y = _y(value, scale)
        if is_drawn:
            path += f"L{_number(x)} {y}"
        else:  # a measured column between two gaps is a short dash: a path of one point shows nothing
            path += f"M{_number(x - width * 0.3)} {y}h{_number(width * 0.3)}"
        is_drawn = True
    return path


def spark(values: Sequence[float | None]) -> tuple[str, str, tuple[str, str] | None]:
    """Return a word-sized line, the area below it, and its last point."""
    points = _turns([it or 0.0 for it in values])
    if not points:
        return "", "", None
    path = "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points)
    x, y = points[-1]
    return path, f"{path}V{_SPARK_HEIGHT - 1}H1Z", (_number(x), _number(y))


def sketch(values: Sequence[float]) -> tuple[str, tuple[str, str] | None]:
    """Return such a line and its last point in few characters: from point to point, and in whole heights."""
    points = [(round(x, 1), round(y)) for x, y in _turns(values)]
    if not points:
        return "", None
    steps = [(_number(x - before), y - level) for (before, level), (x, y) in pairwise(points)]
    path = f"M1 {points[0][1]}l" + " ".join(f"{across}{'' if up < 0 else ' '}{up}" for across, up in steps)
    return path, (_number(points[-1][0]), str(points[-1][1]))


def _turns(values: Sequence[float]) -> list[tuple[float, float]]:
    """Return the points of a word-sized line. Where it stays level its ends are enough: many stand on one page."""
    if len(values) < 2:
        return []
    most = max(values) or 1.0
    step = (_SPARK_WIDTH - 4) / (len(values) - 1)
    turns = [i for i, it in enumerate(values) if values[i - 1 : i] != [it] or values[i + 1 : i + 2] != [it]]
    return [(1 + i * step, _SPARK_HEIGHT - 2 - values[i] / most * 15) for i in turns]


def ticks(values: Sequence[float]) -> str:
    """Return marks at the foot of a word-sized line, wherever a value is more than nothing."""
    step = (_SPARK_WIDTH - 4) / max(len(values) - 1, 1)
    at = [round(1 + i * step, 1) for i, it in enumerate(values) if it > 0]
    return "".join(
        [f"M{_number(it)} {_SPARK_HEIGHT}v-5" for it in at[:1]]
        + [f"m{_number(it - before)} 5v-5" for before, it in pairwise(at)]
    )


def is_short(span: timedelta, count: int) -> bool:
    """Say whether so many columns of this span fit into a day, so that the time of day tells them apart."""
    return span * count <= timedelta(days=1, hours=1)


def labels(slots: Sequence[Slot], span: timedelta, count: int = 5, zone: tzinfo = UTC) -> list[str]:
    """Return what stands below a chart: moments, evenly over it."""
    if not slots:
        return []
    form = "%H:%M" if is_short(span, len(slots)) else "%d %b"
    last = len(slots) - 1
    return [slots[round(last * index / (count - 1))].at.astimezone(zone).strftime(form) for index in range(count)]


def _y(value: float, scale: Scale) -> str:
    return str(round(HEIGHT - min(value / scale.top, 1.0) * HEIGHT))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
