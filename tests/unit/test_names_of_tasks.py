"""Which tasks a line of the log is about."""

from __future__ import annotations

from hueyio.consumer.names import count_names, names_of
from tests.support.consuming import make_job


def test_names_are_told_with_their_counts_the_most_frequent_first() -> None:
    assert count_names(["app.pay", "app.add", "app.add"]) == "app.add (2), app.pay"
    assert count_names([]) == ""


def test_many_names_are_cut() -> None:
    names = [f"app.{name}" for name in "abcdefg"]
    assert count_names(names) == "app.a, app.b, app.c, app.d, app.e, and tasks of 2 more names"


def test_nothing_is_told_as_that() -> None:
    assert names_of([]) == "nothing that is known"
    assert names_of([make_job("a")]) == make_job("a").task.path
