"""When ticks are due, how late they may be, and what is decided about them. Clocks are passed in."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from hueyio import ConfigurationError, Task, crontab
from hueyio.messages.tick_token import tick_of
from hueyio.schedules.ticks import DueTicks, make_tick_entry
from hueyio.storage.records import Entry, Header
from hueyio.times.timetable import AskedTimes, CrontabTimes, make_timetable

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC).timestamp()
DAY = 86400.0


def plan(times: Any, looked: float, *, catch_up: bool = False) -> DueTicks:
    return DueTicks("key", make_timetable(times, utc=True), lambda: Task("name"), looked=looked, catch_up=catch_up)


@pytest.mark.parametrize("times", [crontab(), lambda moment: True])
def test_tick_is_due_from_its_second_on_and_not_before(times: Any) -> None:
    made = plan(times, NOON - 30)
    assert made.next(NOON - 30) == NOON
    assert made.due(NOON - 0.001) is None
    assert made.due(NOON) == NOON
    assert made.due(NOON + 59.9) == NOON


def test_tick_that_was_decided_is_not_due_again() -> None:
    made = plan(crontab(), NOON)
    assert made.due(NOON + 1) is None
    assert made.next(NOON + 1) == NOON + 60


def test_tick_may_be_a_minute_late_and_no_later() -> None:
    hourly = crontab.hourly()
    assert plan(hourly, NOON - 10).due(NOON + 60) == NOON
    assert plan(hourly, NOON - 10).due(NOON + 60.5) is None


def test_tick_of_a_shorter_period_may_be_one_period_late() -> None:
    made = crontab(minute="*", second="*/10")
    assert plan(made, NOON - 1).due(NOON + 9.9) == NOON
    uneven = crontab(second="0,5")
    assert plan(uneven, NOON - 1).due(NOON + 4) == NOON
    assert plan(uneven, NOON + 1).due(NOON + 59) == NOON + 5


def test_stall_of_minutes_makes_one_tick_due() -> None:
    assert plan(crontab(), NOON - 300).due(NOON + 2) == NOON
    assert plan(crontab(second="*"), NOON - 300).due(NOON + 0.5) == NOON
    assert plan(lambda moment: True, NOON - 300).due(NOON + 2) == NOON


def test_catch_up_makes_up_the_last_tick_that_was_missed() -> None:
    nightly = crontab.daily()
    midnight = NOON - DAY / 2
    assert plan(nightly, NOON - 3 * DAY).due(NOON) is None
    assert plan(nightly, NOON - 3 * DAY, catch_up=True).due(NOON) == midnight
    assert plan(nightly, midnight, catch_up=True).due(NOON) is None
    on_the_hour = plan(lambda moment: moment.minute == 0, NOON - 3 * DAY, catch_up=True)
    assert on_the_hour.due(NOON + 30 * 60) == NOON


def test_catch_up_over_years_of_seconds_takes_no_time() -> None:
    begun = time.perf_counter()
    assert (
        plan(crontab(second="*", month=1, tz="Europe/Paris"), NOON - 900 * DAY, catch_up=True).due(NOON + 0.2) == NOON
    )
    assert time.perf_counter() - begun < 30


def test_clock_that_went_back_is_followed() -> None:
    made = plan(crontab(), NOON + 7200)
    assert made.due(NOON + 1) is None
    assert made.looked == NOON + 1
    assert made.due(NOON + 60) == NOON + 60


def test_function_is_asked_with_the_naive_minute() -> None:
    asked: list[datetime] = []

    def ask(moment: datetime) -> bool:
        asked.append(moment)
        return True

    assert plan(ask, NOON - 300).due(NOON + 59) == NOON
    assert asked == [datetime(2024, 1, 1, 12)]


def test_entry_of_a_tick_has_its_token_and_lives_for_a_day_and_its_lateness() -> None:
    entry = make_tick_entry(Entry(Header("id"), b""), "mod.task", NOON, 60)
    assert entry.header.once_token == f"periodic:mod.task:{NOON:.0f}"
    assert entry.header.once_ttl == 60 + DAY
    assert entry.header.once_key == "mod.task"
    assert tick_of(f"periodic:mod.task:{NOON:.0f}".encode()) == NOON
    assert tick_of(None) is tick_of(b"garbage") is tick_of(b"\xff") is None


@pytest.mark.parametrize("times", ["* * * * *", None, 60, crontab])
def test_times_that_are_none_are_refused(times: Any) -> None:
    with pytest.raises(ConfigurationError, match="crontab"):
        make_timetable(times, utc=True)


def test_coroutine_functions_are_refused() -> None:
    async def ask(moment: datetime) -> bool:
        return True

    class Asking:
        async def __call__(self, moment: datetime) -> bool:
            return True

    for times in (ask, Asking()):
        with pytest.raises(ConfigurationError, match="must be plain"):
            make_timetable(times, utc=True)


def test_timetable_is_of_the_kind_that_the_times_are() -> None:
    assert isinstance(make_timetable(crontab(), utc=False), CrontabTimes)
    assert isinstance(make_timetable(lambda moment: True, utc=False), AskedTimes)
