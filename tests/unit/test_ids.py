"""What ids say of when they were made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hueyio.tasks.ids import made_at, time_in
from hueyio.tasks.task import Task


def test_id_of_ours_says_when_it_was_made() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    id = Task("shop.mail").id
    made, seconds = made_at(id), time_in(id)
    assert made is not None
    assert before <= made <= datetime.now(UTC)
    assert seconds == made.timestamp()


@pytest.mark.parametrize(
    "id",
    [
        "",
        "mine",
        "5b7e02aa-71c4-4f0e-8a55-90d2b7c1e6f3",
        "0193f2a1b2c3-7000-8000-0000-00000000",
        "0193f2a1-b2c3-7000-8000.000000000000",
        "o193f2a1-b2c3-7000-8000-000000000000",
        "order 12-2026-7 of the shop in Paris",
    ],
)
def test_id_of_somebody_else_says_nothing(id: str) -> None:
    assert time_in(id) is None
    assert made_at(id) is None


def test_time_that_no_calendar_has_is_none() -> None:
    assert made_at("ffffffff-ffff-7fff-8000-000000000000") is None
