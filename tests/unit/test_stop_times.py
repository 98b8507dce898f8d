"""A stop has one bound: the shutdown timeout and some seconds, shared by its parts."""

from __future__ import annotations

from itertools import pairwise
from typing import Final, get_args

import pytest

from hueyio.consumer.stop_times import MARGIN, Part, StopTimes

PARTS: Final[tuple[Part, ...]] = get_args(Part)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_bodies_get_the_timeout_and_the_rest_what_is_left_until_the_margin_is_over() -> None:
    clock = Clock()
    times = StopTimes(30.0, clock)
    times.begin(graceful=True)
    assert times.left_for_bodies() == 30.0
    assert all(30.0 < times.left_for(part) < 30.0 + MARGIN for part in PARTS)
    clock.now += 30.0
    assert times.left_for_bodies() == 0.0
    assert all(0.0 < times.left_for(part) < MARGIN for part in PARTS)


def test_each_part_ends_before_those_after_it() -> None:
    times = StopTimes(0.0, Clock())
    times.begin(graceful=True)
    assert all(times.left_for(one) < times.left_for(other) for one, other in pairwise(PARTS))


@pytest.mark.parametrize("part", PARTS)
def test_part_that_is_late_still_gets_a_moment(part: Part) -> None:
    clock = Clock()
    times = StopTimes(0.0, clock)
    times.begin(graceful=True)
    clock.now += 3600.0
    assert 0.0 < times.left_for(part) <= 0.1


def test_hurry_ends_the_time_of_bodies_and_shortens_the_rest() -> None:
    clock = Clock()
    times = StopTimes(30.0, clock)
    times.begin(graceful=True)
    clock.now += 10.0
    times.begin(graceful=False)
    assert times.left_for_bodies() == 0.0
    assert times.left_for("lease") < MARGIN


def test_second_graceful_stop_prolongs_nothing() -> None:
    clock = Clock()
    times = StopTimes(30.0, clock)
    times.begin(graceful=True)
    clock.now += 10.0
    times.begin(graceful=True)
    assert times.left_for_bodies() == 20.0
    times.begin(graceful=False)
    times.begin(graceful=True)
    assert times.left_for_bodies() == 0.0


def test_stop_that_nobody_asked_for_is_hurried() -> None:
    times = StopTimes(30.0, Clock())
    assert times.left_for("lease") < MARGIN
    assert times.left_for_bodies() == 0.0
