"""Crontabs as cronsim reads them, which follows Debian's cron: in all time zones, and in all forms of the fields.

Compared is what both mean alike. In cron a day matches if ``day`` or ``day_of_week`` does, so one of them is ``*``; and
cron lets time pass where the minute is a wildcard too, so that goes with a wildcard of the hour only.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hueyio import crontab
from tests.unit.test_crontab import ZONES, changes_of

YEAR = 2024
HALF_A_DAY = timedelta(hours=12)


def times_of(line: str, zone: str, after: datetime, count: int) -> tuple[list[datetime], list[datetime]]:
    """Return the next times in UTC, as we find them and as cronsim does."""
    made, theirs = crontab.parse(line, tz=zone), CronSim(line, after.astimezone(ZoneInfo(zone)))
    ours, moment = [], after
    for _ in range(count):
        following = made.next_after(moment)
        assert following is not None
        moment = following.astimezone(UTC)
        ours.append(moment)
    return ours, [next(theirs).astimezone(UTC) for _ in range(count)]


def is_by_the_hour(zone: str, moment: datetime) -> bool:
    """Say whether the clock is changed by whole hours: cronsim steps by hours, and may lose half of one."""
    here = ZoneInfo(zone)
    before, later = (at.astimezone(here).utcoffset() for at in (moment - HALF_A_DAY, moment + HALF_A_DAY))
    assert before is not None
    assert later is not None
    return before.seconds % 3600 == 0 and later.seconds % 3600 == 0


FIXED = ("30 2 * * *", "0,45 0-3 * * *", "15 1/12 L,1 * *")
PASSING = ("0 */2 * * *", "*/20 * * * *")


def test_times_around_changes_of_the_clock_are_those_of_cronsim_in_all_zones() -> None:
    wrong = []
    for zone in ZONES:
        changes = changes_of(zone, YEAR)
        for change in changes or [datetime(YEAR, 2, 28, 23, tzinfo=UTC)]:
            fixed = FIXED if changes else FIXED[-1:]
            for line in (*fixed, *(PASSING if changes and is_by_the_hour(zone, change) else ())):
                ours, theirs = times_of(line, zone, change - HALF_A_DAY, 3)
                if ours != theirs:
                    wrong.append((zone, line, ours, theirs))
    assert wrong == []


def never_occurs(line: str) -> bool:
    try:
        crontab.parse(line)
    except ValueError as error:
        return "never occurs" in str(error)
    return False


def pieces(least: int, most: int, *more: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    steps = st.integers(1, 6)
    span = st.tuples(number, number).map(lambda it: f"{min(it)}-{max(it)}")
    piece = st.one_of(
        number.map(str),
        span,
        st.tuples(st.integers(least, most - 7), steps).map(lambda it: f"{it[0]}/{it[1]}"),
        steps.map(f"{least}-{most}/{{}}".format),
        *more,
    )
    return st.one_of(st.just("*"), st.lists(piece, min_size=1, max_size=3).map(",".join))


def weekdays() -> st.SearchStrategy[str]:
    day = st.integers(0, 7).map(str)
    piece = st.one_of(day, st.tuples(day, st.integers(1, 5)).map(lambda it: f"{it[0]}#{it[1]}"), day.map("{}L".format))
    return st.lists(piece, min_size=1, max_size=3).map(",".join)


days = st.one_of(
    st.tuples(pieces(1, 31, st.just("L")), st.just("*")),
    st.tuples(st.just("*"), st.one_of(weekdays(), st.sampled_from(["mon-fri", "SUN#1", "1/2", "5/1"]))),
)


@given(pieces(0, 59), pieces(0, 23), days, pieces(1, 12), st.datetimes(datetime(1980, 1, 1), datetime(2080, 1, 1)))
@settings(max_examples=150)
def test_times_of_any_fields_are_those_of_cronsim(
    minute: str, hour: str, days: tuple[str, str], month: str, after: datetime
) -> None:
    line = f"{minute} {hour} {days[0]} {month} {days[1]}"
    assume(not never_occurs(line))
    ours, theirs = times_of(line, "UTC", after.replace(tzinfo=UTC), 3)
    assert ours == theirs


@pytest.mark.parametrize("line", ["0 0 * * 8", "60 * * * *", "0 0 L2 * *", "0 0 * * 1#6", "1, * * * *", "a * * * *"])
def test_what_cronsim_refuses_is_refused(line: str) -> None:
    with pytest.raises(Exception, match="Bad"):
        CronSim(line, datetime(YEAR, 1, 1))
    with pytest.raises(ValueError, match="crontab"):
        crontab.parse(line)
