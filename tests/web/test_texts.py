"""What pages are made of, without a page: addresses, texts, filters, charts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from hueyio.control.statistics import Durations, Point, QueueStatistics, TaskStatistics
from hueyio.web.addresses import Addresses, read_part, write_part
from hueyio.web.charts import Slot, bars, labels, line, make_scale, merge, slots_of, spark, steps
from hueyio.web.filters import ListFilter
from hueyio.web.pages.chart import charts_of
from hueyio.web.refusal import Refusal
from hueyio.web.shown import moment, plain, split_error, split_path, text

NOW = datetime(2026, 11, 29, 3, 12, tzinfo=UTC)
NONE = Durations(count=0, mean=None, p50=None, p95=None, p99=None)


def test_any_text_is_one_part_of_a_path() -> None:
    characters = [chr(number) for number in range(0x250)]
    for value in ("", ".", "..", "...", "a/../b", "%2e%2E", "~", "~41", "\U0001f980", "\ud800", *characters):
        part = write_part(value)
        assert read_part(part) == value
        assert quote(part, safe="~") == part  # nothing that a server or a proxy would change
        assert part not in ("", ".", "..")


def test_what_is_no_part_of_ours_is_nothing() -> None:
    assert [read_part(it) for it in ("~zz", "~4", "a b", "é", "~FF", "~static")] == [None] * 6


def test_addresses_leave_out_what_is_not_asked_for() -> None:
    at = Addresses("/queue", "a/b")
    assert at.tasks("failed", {"name": "x&y", "text": "", "after": None}) == "/queue/a~2Fb/tasks/failed?name=x%26y"
    assert at.task("..") == "/queue/a~2Fb/task/~2E~2E"


def test_texts_are_cut_and_show_what_would_act() -> None:
    assert plain("a\N{RIGHT-TO-LEFT OVERRIDE}b\x00\ud800") == "a⟨U+202E⟩b⟨U+0000⟩⟨U+D800⟩"
    assert plain("x" * 10, 4) == "xxxx…"
    assert text("<b>") == "<bdi>&lt;b&gt;</bdi>"
    assert split_path("shop.<mail>") == (
        '<bdi><span class="faint">shop.</span><span class="name">&lt;mail&gt;</span></bdi>'
    )


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        ("ValueError('no such thing')", "ValueError", "no such thing"),
        ("shop.carriers.CarrierError: 502 from there", "CarrierError", "502 from there"),
        ("KeyError", "KeyError", ""),
        ("ValueError('a', 'b')", "ValueError", "'a', 'b'"),
        ("it is gone, really", "", "it is gone, really"),
        (None, "", ""),
    ],
)
def test_errors_are_told_from_what_they_say(error: str | None, kind: str, said: str) -> None:
    assert split_error(error) == (kind, said)


def test_moments_are_said_as_seen_from_now() -> None:
    assert ">4 min ago</time>" in moment(NOW - timedelta(minutes=4), NOW)
    assert 'title="2026-11-29 03:24:00 UTC">in 12 min</time>' in moment(NOW + timedelta(minutes=12), NOW)


def test_filters_say_what_they_mean() -> None:
    which = ListFilter(name="shop.*", since="15m", until="2026-11-29T03:00")
    wanted = which.wish(("failed",), NOW).wanted
    assert wanted.since == (NOW - timedelta(minutes=15)).timestamp()
    assert wanted.until == datetime(2026, 11, 29, 3, tzinfo=UTC).timestamp()
    assert which.describe("failed") == "failed; name shop.*; since 15m; until 2026-11-29T03:00"
    assert which.to_query(name="x", after=None) == {"name": "x", "since": "15m", "until": which.until, "after": None}
    with pytest.raises(Refusal):
        ListFilter(until="soon").wish(("failed",), NOW)


def test_scales_end_at_round_numbers() -> None:
    assert [make_scale([it]).top for it in (0.0, 0.011, 7, 430, 601)] == [1.0, 0.02, 8, 500, 800]
    assert make_scale([1], is_whole=True).rules == (2.0, 1.0, 0.0)
    assert make_scale([None]).top == 1.0


def test_paths_have_a_gap_where_nothing_was_measured() -> None:
    scale = make_scale([1.0])
    assert steps([1, 0], scale) == ("M0 0V0H300V140H600", "M0 0V0H300V140H600V140H0Z")
    assert bars([0, 0], [0, 1], scale) == "M330 140V0h240V140Z"
    assert line([0.5, None, 1.0, 1.0], scale) == "M30 70h45M330 0h45L525 0"
    assert spark([1]) == ("", "", None)
    assert spark([0, 4])[0] == "M1 18L73 3"
    assert spark([0, 0, 0, 4, 4])[0] == "M1 18L37 18L55 3L73 3"


def statistics(span: timedelta, length: timedelta) -> QueueStatistics:
    total = TaskStatistics(name="", ended=0, ends={}, retried=0, waiting=NONE, running=NONE)
    measured = {"waiting_p50": 1.0, "waiting_p95": 2.0, "running_p50": None, "running_p95": None}
    point = Point(at=NOW - length, enqueued=3, ended=5, failed=1, retried=2, waiting_p99=3.0, **measured)
    return QueueStatistics(
        since=NOW - length, until=NOW, slot=span, name=None, enqueued=3, total=total, lanes={}, tasks=[], failures=[],
        series=[point],
    )  # fmt: skip


def test_slots_in_which_nothing_was_counted_are_columns_too() -> None:
    slots = slots_of(statistics(timedelta(minutes=1), timedelta(hours=1)))
    assert len(slots) == 60
    assert slots[0] == Slot(NOW - timedelta(hours=1), 4, 2, 1, (1.0, 2.0, 3.0))
    assert slots[1] == Slot(NOW - timedelta(minutes=59))
    assert labels(slots, timedelta(minutes=1)) == ["02:12", "02:27", "02:42", "02:56", "03:11"]
    assert labels(slots, timedelta(hours=1))[0] == "29 Nov"
    assert merge(slots, 60) == [slots[0]]


def test_long_ranges_have_a_bounded_number_of_columns() -> None:
    ended, *_ = charts_of(statistics(timedelta(hours=1), timedelta(days=30)))
    assert ended["title"] == "Ended per 6 hours"
    assert len(ended["rows"]) == 120
    assert ended["rows"][0][1:] == ("4", "2", "1")
