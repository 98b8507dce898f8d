"""What happened in a queue: rates, durations and failures, from what its consumers have counted.

``read_statistics`` asks the storage, in calls of a bounded size; the rest is arithmetic. A range is cut to whole slots:
of a minute up to two hours, of ten minutes up to a day, else of an hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final, Protocol, get_args

from hueyio.control.failure_group import split_group
from hueyio.control.histogram import percentile
from hueyio.exceptions import ConfigurationError
from hueyio.storage.contract import Counting, Looking
from hueyio.storage.records import COUNTED, LANES, OTHERS, CountedSlot, CountedTask, Counters, EndKind, Header, Lane
from hueyio.tasks.ids import time_in
from hueyio.times.moments import moment

__all__ = [
    "Durations",
    "FailureGroup",
    "LaneStatistics",
    "Point",
    "QueueStatistics",
    "TaskStatistics",
    "ends_in",
    "oldest_ages",
    "read_statistics",
]

_SPANS: Final = ((60, 2 * 3600.0), (600, 24 * 3600.0), (3600, 30 * 86400.0))
"""The span of a slot, and the longest range that is read in such slots."""

_SLOTS_A_CALL: Final = 100
_FIELDS_A_CALL: Final = 1000
"""So that no call keeps a server busy for more than some milliseconds."""

_MOST_LISTED: Final = 10
_KINDS: Final[tuple[EndKind, ...]] = tuple(kind for kind in get_args(EndKind) if kind != "revoked")
_BAD: Final = frozenset(_KINDS) - {"done", "expired", "cancelled"}


class _Session(Counting, Looking, Protocol):
    """What is asked of a session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long something took, in seconds. Percentiles are wrong by 19 % at most; None: nothing was measured."""

    count: int
    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatistics:
    """The tasks of one name. All names beyond the first hundred are counted together, as ``~other``."""

    name: str
    ended: int
    ends: Mapping[EndKind, int]
    """How many ended in which way; what was revoked is cancelled."""
    retried: int
    """Attempts after which the task went on: it was retried, or put back by a limit or a snooze."""
    waiting: Durations
    """From the enqueue, or from the time that was set, to the start of the first attempt."""
    running: Durations
    """Each attempt by itself."""

    @property
    def failed(self) -> int:
        """How many ended badly: failed, lost, undeclared or unreadable."""
        return sum(count for kind, count in self.ends.items() if kind in _BAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Failures that are alike: of one task, with errors that differ in numbers and ids only.

    The hundred first ones of a slot are told apart; the rest has the name ``~other``.
    """

    name: str
    error: str
    count: int
    last: datetime
    """When the slot began that has the last of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneStatistics:
    """One lane: ``loop``, ``thread`` or ``process``."""

    enqueued: int
    ready: int
    """Now. A figure above 10,000 is a lower bound."""
    oldest: float | None
    """For how many seconds the first has been ready that is next, or that is of the lowest priority; the longer of
    both. None: nothing is ready, or its id does not say when it was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One slot of time, for a chart."""

    at: datetime
    """When it begins."""
    enqueued: int | None
    """None: that is not counted by name."""
    ended: int
    failed: int
    waiting_p50: float | None
    waiting_p95: float | None
    running_p50: float | None
    running_p95: float | None
    retried: int = 0
    """Attempts after which a task went on, as in ``TaskStatistics``."""
    waiting_p99: float | None = None
    running_p99: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatistics:
    """A queue, or the tasks of one name in it, from ``since`` to ``until``.

    Ends are exact, but for what a killed consumer had not told yet, which is 5 s at most, and for what immediate mode
    ran. Durations are measured of every end, or of every fourth good one where a consumer is busy.
    """

    since: datetime
    until: datetime
    slot: timedelta
    """How long each point of ``series`` is."""
    name: str | None
    enqueued: int | None
    """Tasks that were added. None: that is not counted by name. Those that were added while no consumer was alive
    count when the next one is."""
    total: TaskStatistics
    lanes: Mapping[Lane, LaneStatistics]
    tasks: Sequence[TaskStatistics]
    """By name, those of which most ended first."""
    failures: Sequence[FailureGroup]
    """The most frequent first."""
    series: Sequence[Point]
    """Slots in which something was counted, the earliest first."""

    @property
    def seconds(self) -> float:
        """How long the range is."""
        return (self.until - self.since).total_seconds()

    @property
    def rate_in(self) -> float | None:
        """Tasks that were added in a second, on average."""
        return None if self.enqueued is None else self.enqueued / self.seconds

    @property
    def rate_out(self) -> float:
        """Tasks that ended in a second, on average."""
        return self.total.ended / self.seconds

    @property
    def slowest(self) -> Sequence[TaskStatistics]:
        """The ten names whose attempts take longest, by their 95th percentile."""
        known = [it for it in self.tasks if it.running.p95 is not None]
        return sorted(known, key=lambda it: -(it.running.p95 or 0.0))[:_MOST_LISTED]

    @property
    def most_failing(self) -> Sequence[TaskStatistics]:
        """The ten names of which most failed; those of which none did are left out."""
        return sorted((it for it in self.tasks if it.failed), key=lambda it: -it.failed)[:_MOST_LISTED]


def _nobody(row: CountedTask) -> None:
    """Take no notice of a row."""


async def read_statistics(
    session: _Session,
    seconds: float,
    name: str | None = None,
    watch: Callable[[CountedTask], None] = _nobody,
    *,
    by_name: bool = True,
) -> QueueStatistics:
    """Read what happened in the last so many seconds, of all tasks or those of one name.

    ``watch`` is given each row that is read: what was counted of one name in one slot. Without ``by_name``, ``tasks``
    is empty: what is counted by name is nearly all that there is to read. Raises ConfigurationError if the range is
    not more than 0 and at most 30 days.
    """
    if not 0 < seconds <= _SPANS[-1][1]:
        raise ConfigurationError(f"statistics reach back more than 0 and at most 30 days, not {seconds:g} s")
    now = await session.time()
    span = next(span for span, longest in _SPANS if seconds <= longest)
    first, last = int((now - seconds) // span), int(now // span)
    slots = await _read_slots(session, span, first, last)
    names = ({it for slot in slots for it in slot.names} if by_name else set()) if name is None else {name}
    sums: dict[str, Counter[str]] = {}
    rows: list[tuple[int, Counters]] = []
    async for row in _read_tasks(session, span, slots, names):
        watch(row)
        sums.setdefault(row.name, Counter()).update(row.counters)
        if name is not None:
            rows.append((row.at, row.counters))
    ready = (await session.counts(COUNTED)).queued
    ages = oldest_ages(await session.heads(), now)
    series = _totals_of(slots) if name is None else rows
    enqueued = _enqueued_in(slots)
    return QueueStatistics(
        since=moment(first * span),
        until=moment(now),
        slot=timedelta(seconds=span),
        name=name,
        enqueued=sum(enqueued.values()) if name is None else None,
        total=_summary(name or "", [counters for _, counters in series]),
        lanes={
            lane: LaneStatistics(enqueued=enqueued[lane], ready=ready.get(lane, 0), oldest=ages.get(lane))
            for lane in LANES
        },
        tasks=_by_name(sums),
        failures=_failures_in(slots, name),
        series=_series(series, None if name is not None else slots),
    )


def ends_in(counters: Counters) -> tuple[int, int]:
    """Return how many tasks ended, and how many of these badly, as a row counts them."""
    summary = _ends_of(counters)
    return sum(summary.values()), sum(count for kind, count in summary.items() if kind in _BAD)


def oldest_ages(heads: Sequence[Header], now: float) -> dict[Lane, float]:
    """Say for how long the first of each lane have been ready, as far as their ids say it."""
    ages: dict[Lane, float] = {}
    for header in heads:
        since = [it for it in (time_in(header.id), header.eta) if it is not None]
        if since:
            ages[header.lane] = max(ages.get(header.lane, 0.0), now - max(since), 0.0)
    return ages


async def _read_slots(session: Counting, span: int, first: int, last: int) -> list[CountedSlot]:
    found: list[CountedSlot] = []
    for begin in range(first, last + 1, _SLOTS_A_CALL):
        found += await session.read_slots(span, begin, min(begin + _SLOTS_A_CALL - 1, last))
    return found


async def _read_tasks(
    session: Counting, span: int, slots: Sequence[CountedSlot], names: AbstractSet[str]
) -> AsyncIterator[CountedTask]:
    """Read what was counted by name, in the order of the slots for each name; only where there is something.

    A storage goes through all slots of a call, so each call has so many at most.
    """
    for _, group in groupby(slots, lambda slot: slot.at // span // _SLOTS_A_CALL):
        some = list(group)
        first, last = some[0].at // span, some[-1].at // span
        counted = sorted({it for slot in some for it in slot.names if it in names})
        many = max(_FIELDS_A_CALL // (last - first + 1), 1)
        for at in range(0, len(counted), many):
            for row in await session.read_counts(span, first, last, counted[at : at + many]):
                yield row


def _totals_of(slots: Sequence[CountedSlot]) -> list[tuple[int, Counters]]:
    return [(slot.at, slot.totals) for slot in slots]


def _enqueued_in(slots: Sequence[CountedSlot]) -> Counter[Lane]:
    found: Counter[Lane] = Counter()
    for slot in slots:
        found.update(slot.enqueued)
    return found


def _by_name(sums: Mapping[str, Counters]) -> list[TaskStatistics]:
    found = [_summary(name, [counters]) for name, counters in sums.items()]
    return sorted(found, key=lambda it: (it.name == OTHERS, -it.ended, it.name))


def _failures_in(slots: Sequence[CountedSlot], name: str | None) -> list[FailureGroup]:
    counts: Counter[str] = Counter()
    last: dict[str, int] = {}
    for slot in slots:
        for group, count in slot.failures.items():
            if name is None or split_group(group)[0] == name:
                counts[group] += count
                last[group] = max(slot.at, last.get(group, 0))
    return [
        FailureGroup(name=split_group(group)[0], error=split_group(group)[1], count=count, last=moment(last[group]))
        for group, count in counts.most_common()
    ]


def _series(rows: Sequence[tuple[int, Counters]], slots: Sequence[CountedSlot] | None) -> list[Point]:
    enqueued = None if slots is None else {slot.at: sum(slot.enqueued.values()) for slot in slots}
    return [_point(at, counters, None if enqueued is None else enqueued[at]) for at, counters in rows]


def _point(at: int, counters: Counters, enqueued: int | None) -> Point:
    summary = _summary("", [counters])
    return Point(
        at=moment(at),
        enqueued=enqueued,
        ended=summary.ended,
        failed=summary.failed,
        waiting_p50=summary.waiting.p50,
        waiting_p95=summary.waiting.p95,
        running_p50=summary.running.p50,
        running_p95=summary.running.p95,
        retried=summary.retried,
        waiting_p99=summary.waiting.p99,
        running_p99=summary.running.p99,
    )


def _summary(name: str, rows: Iterable[Counters]) -> TaskStatistics:
    sums: Counter[str] = Counter()
    for counters in rows:
        sums.update(counters)
    ends = _ends_of(sums)
    return TaskStatistics(
        name=name,
        ended=sum(ends.values()),
        ends=ends,
        retried=sums["retried"],
        waiting=_durations(sums, "w"),
        running=_durations(sums, "r"),
    )


def _ends_of(sums: Counters) -> dict[EndKind, int]:
    return {kind: count for kind in _KINDS if (count := sums.get(kind, 0))}


def _durations(sums: Mapping[str, int], letter: str) -> Durations:
    buckets = {int(key[1:]): count for key, count in sums.items() if key[0] == letter and key[1:].isdecimal()}
    count = sum(buckets.values())
    return Durations(
        count=count,
        mean=sums[f"{letter}s"] / count / 1e6 if count else None,
        p50=percentile(buckets, 0.5),
        p95=percentile(buckets, 0.95),
        p99=percentile(buckets, 0.99),
    )
