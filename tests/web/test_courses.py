"""How the tasks of a name went, in a line of the size of a word: pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hueyio.control.statistics import ends_in
from hueyio.storage.records import CountedTask
from hueyio.web.charts import ticks
from hueyio.web.pages.courses import Courses
from tests.web.conftest import Shop
from tests.web.site import visiting
from tests.web.test_texts import NOW, statistics


def test_course_has_a_line_marks_and_words_when_something_ended() -> None:
    counted = statistics(timedelta(minutes=1), timedelta(hours=1))
    courses = Courses()
    for minute, counters in ((0, {"done": 3}), (1, {"done": 4, "failed": 1}), (59, {"lost": 1}), (60, {"expired": 2})):
        at = int((counted.since + timedelta(minutes=minute)).timestamp())
        courses.add(CountedTask(at, "pack", counters))
    courses.add(CountedTask(int(NOW.timestamp()), "idle", {"retried": 7}))
    drawn = courses.draw(["pack", "idle"], counted, UTC)
    assert list(drawn) == ["pack"]
    course = drawn["pack"]
    assert course.line == "M1 3l2.5 15 67 0 2.5-6"
    assert course.failed == "M1 20v-5m72 5v-5"
    assert course.words == "11 ended, most from 02:12 UTC on: 8 in 2 min; 2 failed, last from 03:10 UTC on"
    paris = courses.draw(["pack"], counted, ZoneInfo("Europe/Paris"))["pack"]
    assert "from 03:12 CET on" in paris.words


def test_course_says_the_day_when_the_range_is_long() -> None:
    counted = statistics(timedelta(hours=1), timedelta(days=30))
    courses = Courses()
    courses.add(CountedTask(int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()), "pack", {"done": 1}))
    assert courses.draw(["pack"], counted, UTC)["pack"].words == (
        "1 ended, most from 31 Oct 15:12 UTC on: 1 in 18 h; none failed"
    )


def test_course_takes_few_characters_when_every_column_differs() -> None:
    courses = Courses()
    counted = statistics(timedelta(minutes=1), timedelta(hours=1))
    for minute in range(60):
        at = int((counted.since + timedelta(minutes=minute)).timestamp())
        courses.add(CountedTask(at, "pack", {"done": minute * 37 % 100, "failed": 1}))
    course = courses.draw(["pack"], counted, UTC)["pack"]
    assert len(course.line) < 220
    assert len(course.failed) < 300
    assert course.end is not None
    assert course.end[0] == "73"


def test_what_ended_badly_is_told_apart() -> None:
    assert ends_in({"done": 2, "failed": 1, "lost": 1, "cancelled": 1, "retried": 9, "w10": 5}) == (5, 2)
    assert ticks([0, 2]) == "M73 20v-5"


@pytest.mark.parametrize("shop", ["memory"], indirect=True)
async def test_names_have_their_course_in_pictures_and_words(shop: Shop) -> None:
    await shop.fill()
    async with visiting(shop.huey.dashboard(authorize="open"), shop.base) as site:
        page = await site.get("names")
    assert page.count('<svg class="spark" viewBox="0 0 76 20" role="img"><title>6 ended, most from') == 1
