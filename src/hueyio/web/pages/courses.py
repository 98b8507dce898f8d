"""How the tasks of each name went over a range, as word-sized charts with words for those who do not see them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta, tzinfo
from typing import Final

from hueyio.control.statistics import QueueStatistics, ends_in
from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import CountedTask
from hueyio.web.charts import sketch, ticks
from hueyio.wording import seconds

__all__ = ["Course", "Courses"]

_MOST_COLUMNS: Final = 40


class Course(NamedTuple):
    """The line of what ended, marks where something failed, where the line ends, and all of it in words."""

    line: str
    failed: str
    end: tuple[str, str] | None
    words: str


class Courses:
    """Takes the rows from which statistics are made, so that all names together need no other read."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[int, int, int]]] = {}

    def add(self, row: CountedTask) -> None:
        """Take what was counted of one name in one slot."""
        ended, failed = ends_in(row.counters)
        if ended:
            self._rows.setdefault(row.name, []).append((row.at, ended, failed))

    def draw(self, names: Iterable[str], statistics: QueueStatistics, zone: tzinfo) -> dict[str, Course]:
        """Return the course of those of the names of which something ended."""
        rows = {name: self._rows[name] for name in names if name in self._rows}
        return {name: _drawn(it, statistics, zone) for name, it in rows.items()}


def _drawn(rows: Iterable[tuple[int, int, int]], statistics: QueueStatistics, zone: tzinfo) -> Course:
    slots = max(math.ceil((statistics.until - statistics.since) / statistics.slot), 1)
    span = statistics.slot * math.ceil(slots / _MOST_COLUMNS)
    count = math.ceil(slots * statistics.slot / span)
    begin, length = statistics.since.timestamp(), span.total_seconds()
    ended, failed = [0] * count, [0] * count
    for at, ends, failures in rows:
        column = min(max(int((at - begin) // length), 0), count - 1)
        ended[column] += ends
        failed[column] += failures
    line, end = sketch(ended)
    return Course(line, ticks(failed), end, _said(ended, failed, statistics, span, zone))


def _said(ended: list[int], failed: list[int], statistics: QueueStatistics, span: timedelta, zone: tzinfo) -> str:
    is_long = statistics.until - statistics.since > timedelta(days=1, hours=1)

    def moment(column: int) -> str:
        at = (statistics.since + column * span).astimezone(zone)
        return at.strftime("%d %b %H:%M %Z" if is_long else "%H:%M %Z")

    most = max(ended)
    length = seconds(span.total_seconds())
    said = f"{sum(ended):,} ended, most from {moment(ended.index(most))} on: {most:,} in {length}"
    if not any(failed):
        return f"{said}; none failed"
    last = max(at for at, it in enumerate(failed) if it)
    return f"{said}; {sum(failed):,} failed, last from {moment(last)} on"
