"""Which moments a crontab matches: its fields, its errors, and what daylight saving time does to it."""

from __future__ import annotations

import pickle
import warnings
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hueyio import DeclarationWarning, crontab
from hueyio.times.wall_time import LOCAL

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ZONES = sorted(available_timezones() - {"localtime"})


def minutes_of(made: crontab) -> set[int]:
    return {minute for minute in range(60) if made(datetime(2024, 1, 1, 0, minute))}


def hours_of(made: crontab) -> set[int]:
    return {hour for hour in range(24) if made(datetime(2024, 1, 1, hour))}


def days_of(made: crontab) -> set[int]:
    return {day for day in range(1, 32) if made(datetime(2024, 1, day))}


def months_of(made: crontab) -> set[int]:
    return {month for month in range(1, 13) if made(datetime(2024, month, 1))}


def weekdays_of(made: crontab) -> set[int]:
    """2023-01-01 was a Sunday."""
    return {day for day in range(7) if made(datetime(2023, 1, 1 + day))}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", set(range(60))),
        ("*/16", {0, 16, 32, 48}),
        ("*/1", set(range(60))),
        ("5/20", {5, 25, 45}),
        ("3,50/5", {3, 50, 55}),
        ("5", {5}),
        (5, {5}),
        ("0-3", {0, 1, 2, 3}),
        ("10-20/5", {10, 15, 20}),
        ("58-2", {58, 59, 0, 1, 2}),
        ("56-4/3", {56, 59, 2}),
        ("1,3,*/30,7-8", {0, 1, 3, 7, 8, 30}),
        (" 1, 2 ,10 - 20 / 5", {1, 2, 10, 15, 20}),
    ],
)
def test_minute_matches_what_the_text_says(text: str | int, expected: set[int]) -> None:
    assert minutes_of(crontab(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", set(range(7))),
        ("0", {0}),
        ("7", {0}),
        (7, {0}),
        ("5-7", {5, 6, 0}),
        ("7-2", {0, 1, 2}),
        ("5-1", {5, 6, 0, 1}),
        ("0-7", set(range(7))),
        ("6-0", {6, 0}),
        ("7-7", {0}),
        ("1-5/2", {1, 3, 5}),
        ("mon-fri", {1, 2, 3, 4, 5}),
        ("Sat,SUN", {6, 0}),
        ("fri-mon", {5, 6, 0, 1}),
        ("mon/2", {1, 3, 5, 0}),
        ("tue , thu", {2, 4}),
    ],
)
def test_day_of_week_matches_what_the_text_says(text: str | int, expected: set[int]) -> None:
    assert weekdays_of(crontab(day_of_week=text)) == expected


def test_other_fields_match_what_the_text_says() -> None:
    assert hours_of(crontab("0", "22-2")) == {22, 23, 0, 1, 2}
    assert hours_of(crontab("0", "*/6")) == {0, 6, 12, 18}
    assert days_of(crontab(day="*/10")) == {1, 11, 21, 31}
    assert days_of(crontab(day="30-2")) == {30, 31, 1, 2}
    assert months_of(crontab(month="jan,nov-feb,*/6")) == {1, 11, 12, 2, 7}


def test_fields_stand_in_the_order_minute_hour_day_month_day_of_week() -> None:
    made = crontab("0", "3", "1", "2", "4")
    assert made(datetime(2024, 2, 1, 3, 0))  # a Thursday
    assert made == crontab(minute=0, hour=3, day=1, month=2, day_of_week=4)


def test_day_and_day_of_week_must_both_match() -> None:
    made = crontab(0, 0, day="13", day_of_week="fri")
    assert made.next_after(datetime(2024, 1, 1)) == datetime(2024, 9, 13)
    assert not made(datetime(2024, 1, 13))
    assert not made(datetime(2024, 1, 12))


def test_seconds_are_left_out_of_account_where_none_are_given() -> None:
    assert crontab("5")(datetime(2024, 1, 1, 0, 5, 59, 999999))
    assert not crontab("5", second="0")(datetime(2024, 1, 1, 0, 5, 59))
    assert crontab("5", second="*/20")(datetime(2024, 1, 1, 0, 5, 40, 3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"minute": "60"}, "minute='60': must be from 0 to 59"),
        ({"minute": "0", "hour": 24}, "hour='24': must be from 0 to 23"),
        ({"day": "0"}, "day='0': must be from 1 to 31"),
        ({"month": "1-13"}, "month='13': must be from 1 to 12"),
        ({"day_of_week": "8"}, "day_of_week='8': must be from 0 to 7"),
        ({"day_of_week": "*/2"}, "day_of_week"),
        ({"minute": "*/0"}, "cannot be zero"),
        ({"minute": "1-9/0"}, "cannot be zero"),
        ({"minute": "foo"}, "minute='foo': 'foo' is none of"),
        ({"minute": ""}, "minute='': '' is none of"),
        ({"minute": "1,foo"}, "minute='1,foo': 'foo' is none of"),
        ({"minute": "1,"}, "minute='1,': '' is none of"),
        ({"minute": "1 2"}, "minute='1 2': '1 2' is none of"),
        ({"minute": "foo", "strict": False}, "minute='foo' matches no values"),
        ({"minute": 0, "strict": "no"}, "strict='no': must be True or False"),
        ({"month": "smarch"}, "jan, feb"),
        ({"hour": "L", "minute": 0}, "hour='L': 'L' is none of"),
        ({"day": "1L"}, "a-b/n, L"),
        ({"day_of_week": "L"}, "fri#2, friL"),
        ({"day_of_week": "fri#6"}, "must be from 1 to 5"),
        ({"day_of_week": "8#1"}, "must be from 0 to 7"),
        ({"day_of_week": "mon-fri#2"}, "'mon-fri#2' is none of"),
        ({"day": "1-7", "day_of_week": "fri#2"}, "day='1-7', month='*', day_of_week='fri#2' never occurs"),
        ({"day": "28", "month": "feb", "day_of_week": "fri#5"}, "never occurs"),
        ({"minute": 1.5}, "minute=1.5: must be a text"),
        ({"minute": True}, "minute=True"),
        ({"minute": None, "second": "61"}, "second='61'"),
        ({"tz": "Europe/Atlantis"}, "Europe/Atlantis"),
        ({"tz": "../etc/passwd"}, "no such time zone"),
        ({"tz": 3}, "tz=3"),
        ({"day": 30, "month": "feb"}, "day='30', month='feb' never occurs"),
        ({"day": 31, "month": "2,4,6,9,11"}, "never occurs"),
    ],
)
def test_what_cannot_be_is_refused_and_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="crontab") as caught:
        crontab(**options)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"day": "L"}, ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]),
        ({"day": "1,l"}, ["2024-01-31", "2024-02-01", "2024-02-29", "2024-03-01"]),
        ({"day": "30,L", "month": "feb"}, ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28"]),
        ({"day_of_week": "fri#2"}, ["2024-01-12", "2024-02-09", "2024-03-08", "2024-04-12"]),
        ({"day_of_week": "5#5"}, ["2024-03-29", "2024-05-31", "2024-08-30", "2024-11-29"]),
        ({"day_of_week": "sunL"}, ["2024-01-28", "2024-02-25", "2024-03-31", "2024-04-28"]),
        ({"day_of_week": "7#1, 1L"}, ["2024-01-07", "2024-01-29", "2024-02-04", "2024-02-26"]),
        ({"day": "L", "day_of_week": "mon"}, ["2024-09-30", "2025-03-31", "2025-06-30", "2026-08-31"]),
        (
            {"day": "29", "month": "feb", "day_of_week": "thuL"},
            ["2024-02-29", "2052-02-29", "2080-02-29", "2120-02-29"],
        ),
    ],
)
def test_days_whose_number_differs_from_month_to_month(fields: dict[str, Any], expected: list[str]) -> None:
    made, moment, found = crontab(0, 0, **fields), datetime(2024, 1, 1, 12), []
    for _ in expected:
        following = made.next_after(moment)
        assert following is not None
        assert made(following)
        found.append(f"{following:%Y-%m-%d}")
        moment = following
    assert found == expected


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"minute": "*/60"}, "minute='*/60': the step of 60 leads out of the range, and only 0 matches"),
        ({"minute": "40/30"}, "only 40 matches"),
        ({"minute": 0, "hour": "9-17/9"}, "hour='9-17/9'"),
        ({"day": "5,*/31"}, "only 1 matches"),
        ({"month": "jan/12"}, "only 1 matches"),
    ],
)
def test_step_beyond_the_range_warns_at_the_line(fields: dict[str, Any], said: str) -> None:
    with pytest.warns(DeclarationWarning) as caught:
        crontab(**fields)
    assert said in str(caught[0].message)
    assert caught[0].filename == __file__
    with pytest.warns(DeclarationWarning) as caught:
        crontab.hourly(**{"minute": "0-50/60", **fields})
    assert caught[0].filename == __file__


def test_what_cannot_be_read_is_left_out_when_that_is_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    made = crontab("1,foo", strict=False)
    assert minutes_of(made) == {1}
    assert "'foo' cannot be read" in caplog.text
    assert repr(made) == repr(crontab("1"))


def test_what_another_version_stored_is_read_as_it_read_it() -> None:
    """0.1.0 left out what it could not read, and warned of no step."""
    fields = {"minute": "*/99,foo", "hour": "*", "day": "*", "month": "*", "day_of_week": "*", "tz": "UTC"}
    assert minutes_of(crontab.from_dict(fields)) == {0}
    for wrong in ({"weeks": "1"}, ["minute"]):
        with pytest.raises(ValueError, match="crontab"):
            crontab.from_dict(wrong)  # type: ignore[arg-type]


def test_what_is_stored_is_read_by_another_version_or_refused() -> None:
    """0.1.0 knows neither a/n nor blanks, and leaves out what it cannot read unless it finds ``strict``."""
    assert crontab("5/20, 3", "0/6").to_dict() == {
        "minute": "5-59/20,3",
        "hour": "0-23/6",
        "day": "*",
        "month": "*",
        "day_of_week": "*",
    }
    for newer in (crontab(0, 0, day="1,L"), crontab(0, 0, day_of_week="mon,fri#2")):
        assert newer.to_dict()["strict"] is True
        assert crontab.from_dict(newer.to_dict()) == newer == pickle.loads(pickle.dumps(newer))


def test_bare_hour_warns_that_it_matches_every_minute() -> None:
    with pytest.warns(UserWarning, match="every minute of these hours") as caught:
        made = crontab(hour="*/3")
    assert caught[0].filename == __file__
    assert hours_of(made) == {0, 3, 6, 9, 12, 15, 18, 21}
    assert minutes_of(made) == set(range(60))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        crontab("*", hour="*/3")
        crontab.hourly()
        crontab()


def test_hourly_and_daily() -> None:
    now = datetime(2024, 2, 28, 23, 30)
    assert crontab.hourly().next_after(now) == datetime(2024, 2, 29)
    assert crontab.hourly(minute=45).next_after(now) == datetime(2024, 2, 28, 23, 45)
    assert crontab.daily(hour=6).next_after(now) == datetime(2024, 2, 29, 6)
    assert crontab.daily(day=1).next_after(now) == datetime(2024, 3, 1)


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ("*/5 9-17 * * mon-fri", crontab("*/5", "9-17", "*", "*", "1-5")),
        ("  0   0 1 jan *  ", crontab(0, 0, 1, 1)),
        ("@hourly", crontab.hourly()),
        ("@Daily", crontab.daily()),
        ("@weekly", crontab.daily(day_of_week=0)),
        ("@monthly", crontab.daily(day=1)),
        ("@yearly", crontab.daily(day=1, month=1)),
    ],
)
def test_parse_reads_a_line(line: str, same: crontab) -> None:
    assert crontab.parse(line) == same
    assert hash(crontab.parse(line)) == hash(same)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("* * * *", "has 4 fields, not the five: minute, hour, day, month, day_of_week"),
        ("* * * * * *", "6 fields"),
        ("", "0 fields"),
        ("@often", "1 fields"),
        ("* * * * funday", "day_of_week='funday'"),
        ("61 * * * *", "minute='61'"),
        (5, "must be a text"),
    ],
)
def test_parse_names_the_field_that_is_wrong(line: Any, message: str) -> None:
    with pytest.raises(ValueError, match="crontab") as caught:
        crontab.parse(line)
    assert message in str(caught.value)


def test_crontab_survives_pickling_and_its_fields_make_the_same() -> None:
    made = crontab("*/5", "9-17", second="10", tz="Europe/Paris")
    assert pickle.loads(pickle.dumps(made)) == made == crontab.from_dict(made.to_dict())
    assert str(made) == "*/5 9-17 * * * second 10 Europe/Paris"
    assert eval(repr(made)) == made
    assert made != crontab("*/5", "9-17", second="10")
    assert made != 5


def test_naive_moment_is_what_the_clocks_of_the_zone_show() -> None:
    made = crontab(0, 12, tz="Asia/Tokyo")
    assert made(datetime(2024, 1, 1, 12))
    assert made(datetime(2024, 1, 1, 3, tzinfo=UTC))
    assert made.next_after(datetime(2024, 1, 1, 12)) == datetime(2024, 1, 2, 12)
    assert made.next_after(datetime(2024, 1, 1, tzinfo=UTC)) == datetime(2024, 1, 1, 3, tzinfo=UTC)
    with pytest.raises(ValueError, match="datetime"):
        made("2024-01-01")  # type: ignore[arg-type]


def test_moments_are_aware_in_the_zone() -> None:
    due = crontab(0, 12, tz="Asia/Tokyo").next_after(datetime(2024, 1, 1, tzinfo=UTC))
    assert due is not None
    assert due.isoformat() == "2024-01-01T12:00:00+09:00"


def test_in_zone_changes_only_what_has_no_zone_of_its_own() -> None:
    moment = datetime(2024, 7, 1, tzinfo=UTC)
    assert crontab(0, 12).in_zone(ZoneInfo("Asia/Tokyo")).next_after(moment) == datetime(2024, 7, 1, 3, tzinfo=UTC)
    own = crontab(0, 12, tz="Asia/Tokyo")
    assert own.in_zone(UTC) is own


def test_local_zone_is_that_of_the_process() -> None:
    for moment in (datetime(2024, 1, 1, 12, 30, tzinfo=UTC), datetime(2024, 7, 1, 12, 30, 1, 5, tzinfo=UTC)):
        assert moment.astimezone(LOCAL).replace(tzinfo=None) == moment.astimezone().replace(tzinfo=None)
        assert moment.astimezone(LOCAL) == moment


def test_leap_day_is_found_over_a_century_without_one() -> None:
    made = crontab(0, 0, day=29, month=2)
    assert made.next_after(datetime(2096, 2, 29)) == datetime(2104, 2, 29)
    on_monday = crontab(0, 0, day=29, month=2, day_of_week="mon")
    assert on_monday.next_after(datetime(2072, 2, 29)) == datetime(2112, 2, 29)
    assert made.next_after(datetime(9996, 2, 29)) is None
    assert crontab().next_after(datetime(9999, 12, 31, 23, 59, tzinfo=UTC)) is None


# --- daylight saving time, by example: the rule of the docs


def utc_times(made: crontab, after: datetime, count: int) -> list[str]:
    found = []
    moment: datetime | None = after
    for _ in range(count):
        assert moment is not None
        moment = made.next_after(moment)
        assert moment is not None
        found.append(moment.astimezone(UTC).strftime("%d %H:%M"))
    return found


def test_fixed_time_that_occurs_twice_counts_once_at_the_first() -> None:
    made = crontab(30, 2, tz="Europe/Paris")  # put back on 27 October 2024, 01:00 UTC
    assert utc_times(made, datetime(2024, 10, 26, 12, tzinfo=UTC), 2) == ["27 00:30", "28 01:30"]
    assert made(datetime(2024, 10, 27, 0, 30, tzinfo=UTC))
    assert not made(datetime(2024, 10, 27, 1, 30, tzinfo=UTC))


def test_fixed_time_in_the_gap_counts_at_its_end() -> None:
    made = crontab("*/20", 2, tz="Europe/Paris")  # put forward on 31 March 2024, 01:00 UTC
    assert utc_times(made, datetime(2024, 3, 30, 12, tzinfo=UTC), 2) == ["31 01:00", "01 00:00"]
    assert made(datetime(2024, 3, 31, 1, 0, tzinfo=UTC))
    assert not made(datetime(2024, 3, 31, 1, 20, tzinfo=UTC))


def test_wildcard_and_step_follow_time_as_it_passes() -> None:
    hourly = crontab.hourly(tz="Europe/Paris")
    assert utc_times(hourly, datetime(2024, 10, 26, 23, tzinfo=UTC), 3) == ["27 00:00", "27 01:00", "27 02:00"]
    every_other = crontab(0, "*/2", tz="Europe/Paris")
    assert utc_times(every_other, datetime(2024, 3, 30, 23, tzinfo=UTC), 2) == ["31 02:00", "31 04:00"]


# --- against brute force


def brute_force(fields: dict[str, Any], zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    """Walk through all minutes and apply the rule, without any of the arithmetic."""
    bare = crontab(**fields)
    hour = fields["hour"]
    passing = hour == "*" or hour.startswith("*/") or hours_of(crontab("*", hour)) == {*range(24)}
    shown_before = {
        (begin - timedelta(minutes=back)).astimezone(zone).replace(tzinfo=None) for back in range(1, 26 * 60)
    }
    wall = (begin - MINUTE).astimezone(zone).replace(tzinfo=None)
    due = []
    moment = begin
    while moment < end:
        previous, wall = wall, moment.astimezone(zone).replace(tzinfo=None)
        if passing:
            counts = bare(wall)
        else:
            left_out = (previous + n * MINUTE for n in range(1, int((wall - previous) / MINUTE)))
            counts = (wall not in shown_before and bare(wall)) or any(bare(gone) for gone in left_out)
        if counts:
            due.append(moment)
        shown_before.add(wall)
        moment += MINUTE
    return due


@cache
def changes_of(zone: str, year: int) -> list[datetime]:
    """Find the hours of a year before which a zone's clock is changed."""
    here, begin = ZoneInfo(zone), datetime(year, 1, 1, tzinfo=UTC)
    distances = [(begin + n * DAY / 4).astimezone(here).utcoffset() for n in range(366 * 4)]
    return [begin + n * DAY / 4 for n in range(1, len(distances)) if distances[n] != distances[n - 1]]


def pieces(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    piece = st.one_of(
        st.just("*"),
        number.map(str),
        st.tuples(number, number).map(lambda it: f"{it[0]}-{it[1]}"),
        st.integers(1, most - least).map(lambda step: f"*/{step}"),
    )
    return st.one_of(piece, st.lists(number.map(str), min_size=1, max_size=3).map(",".join))


crontabs = st.fixed_dictionaries(
    {
        "minute": st.one_of(pieces(0, 59), st.sampled_from(["0", "30", "*/15"])),
        "hour": st.one_of(pieces(0, 23), st.sampled_from(["*", "0", "1", "2", "3", "23", "0-3", "*/2"])),
        "day": st.one_of(st.just("*"), pieces(1, 28)),
        "day_of_week": st.one_of(st.just("*"), st.integers(0, 7).map(str)),
    }
)


@given(crontabs, st.sampled_from(ZONES), st.integers(1975, 2037), st.data())
@settings(max_examples=150)
def test_moments_are_those_of_brute_force_around_changes_of_the_clock(
    fields: dict[str, Any], zone: str, year: int, data: st.DataObject
) -> None:
    moments = changes_of(zone, year) or [datetime(year, 2, 28, tzinfo=UTC)]
    middle = data.draw(st.sampled_from(moments))
    begin, end = middle - DAY, middle + DAY / 2
    here = ZoneInfo(zone)
    expected = brute_force(fields, here, begin, end)
    made = crontab(**fields, tz=zone)
    assert list(moments_between(made, begin - MINUTE, end)) == expected
    around = {*expected, *(it + MINUTE for it in expected), middle, middle - MINUTE}
    for moment in around:
        if begin <= moment < end:
            assert made(moment + timedelta(seconds=20)) == (moment in expected)


def moments_between(made: crontab, after: datetime, end: datetime) -> Iterator[datetime]:
    moment = made.next_after(after)
    while moment is not None and moment < end:
        yield moment.astimezone(UTC)
        moment = made.next_after(moment)


@given(
    st.fixed_dictionaries(
        {
            "minute": st.integers(0, 59),
            "hour": st.integers(0, 23),
            "day": pieces(1, 31),
            "month": pieces(1, 12),
            "day_of_week": st.one_of(st.just("*"), st.integers(0, 7).map(str)),
        }
    ),
    st.datetimes(datetime(1901, 1, 1), datetime(2200, 1, 1)),
)
@settings(max_examples=200)
def test_next_day_is_that_of_brute_force_over_leap_years(fields: dict[str, Any], moment: datetime) -> None:
    days, months = days_of(crontab(day=fields["day"])), months_of(crontab(month=fields["month"]))
    assume(any(min(days) <= monthrange(2024, month)[1] for month in months))
    made = crontab(**fields)
    at = moment.replace(hour=fields["hour"], minute=fields["minute"], second=0, microsecond=0)
    expected = at if at > moment else at + DAY
    while not made(expected):
        expected += DAY
    assert made.next_after(moment) == expected


@given(pieces(0, 59), pieces(0, 59), st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)))
@settings(max_examples=100)
def test_next_second_is_that_of_brute_force(second: str, minute: str, moment: datetime) -> None:
    made = crontab(minute, second=second)
    expected = moment.replace(microsecond=0) + timedelta(seconds=1)
    while not made(expected):
        expected += timedelta(seconds=1)
    assert made.next_after(moment) == expected
