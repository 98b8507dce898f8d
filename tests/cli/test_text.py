"""Values as text, spans and moments as they are typed, and what failures end with."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import click
import pytest

from hueyio.cli.failures import NothingFound, code_of, tell
from hueyio.cli.moments import read_moment, read_span
from hueyio.cli.text import clean, counted, iso, relative, seconds, short
from hueyio.exceptions import ConfigurationError, HueyException, StorageFull, StorageUnavailable, TaskArgumentError
from hueyio.tasks.task import Task

NOW = datetime(2026, 11, 29, 3, 12, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("shop.mail", "shop.mail"),
        ("größe 大", "größe 大"),
        ("a\x1b[31mb\r\n\t", "a\\x1b[31mb\\r\\n\\t"),
        ("\u202e\u2066\u200b\u2028", "\\u202e\\u2066\\u200b\\u2028"),
        ("\ud800", "\\ud800"),
    ],
)
def test_nothing_that_a_terminal_acts_on_is_left_in_a_text(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("span", "shown"),
    [(0.2, "0 s"), (41, "41 s"), (119, "119 s"), (252, "4 min"), (7199, "120 min"), (7200, "2 h"), (400_000, "5 d")],
)
def test_span_is_said_in_its_largest_unit(span: float, shown: str) -> None:
    assert seconds(span) == shown
    assert relative(NOW - timedelta(seconds=span), NOW) == f"{shown} ago"
    assert relative(NOW + timedelta(seconds=span), NOW) == f"in {shown}"


def test_moment_is_written_in_utc_or_with_its_offset() -> None:
    assert iso(NOW, utc=True) == "2026-11-29T03:12:08.000Z"
    assert datetime.fromisoformat(iso(NOW, utc=False)) == NOW


def test_numbers_are_said_with_their_noun() -> None:
    assert [counted(it, "task") for it in (0, 1, 1043)] == ["0 tasks", "1 task", "1,043 tasks"]


def test_short_ids_of_tasks_that_were_made_together_differ() -> None:
    assert len({short(Task("shop.mail").id) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("typed", "span"),
    [("30", 30), ("1.5", 1.5), ("15m", 900), ("2h", 7200), ("1d", 86400), ("90 s", 90)],
)
def test_span_is_read(typed: str, span: float) -> None:
    assert read_span(typed) == read_moment(typed) == timedelta(seconds=span)


@pytest.mark.parametrize("typed", ["", "soon", "-5", "1w", "9" * 400 + "d", "2026-13-01"])
def test_what_is_no_span_and_no_moment_is_refused(typed: str) -> None:
    with pytest.raises(click.BadParameter):
        read_moment(typed)
    with pytest.raises(click.BadParameter):
        read_span(typed)


def test_moment_is_read_with_its_zone_and_without_as_local() -> None:
    assert read_moment("2026-11-29T03:12:08Z") == NOW
    assert read_moment("2026-11-29T03:00") == datetime(2026, 11, 29, 3, 0).astimezone()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NothingFound("no"), 1),
        (TaskArgumentError("no"), 1),
        (HueyException("no"), 1),
        (click.UsageError("no"), 2),
        (click.UsageError("Missing argument 'STATE'. Choose from:\n\tready,\n\tdone"), 2),
        (StorageUnavailable("no"), 69),
        (StorageFull("no"), 69),
        (ZeroDivisionError("no"), 70),
        (ConfigurationError("no"), 78),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_failure_has_its_exit_code_and_one_sentence(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(error) == tell(error, as_json=False) == code
    told = capsys.readouterr()
    assert (told.out, len(told.err.splitlines()), "\\n" in told.err) == ("", 1, False)
    tell(error, as_json=True)
    assert json.loads(capsys.readouterr().err)["error"]["code"] == code
