"""A server's clock as a client keeps it: what it says before and after the server has spoken, and what sets it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from hueyio.storage.clock import HostClock, ServerClock
from hueyio.tasks.task import Counted, Task
from tests.support.consuming import Clock

HOUR: Final = 3600.0


class Machines:
    """A host and a server; ``steady`` is what goes on while the host's clock is set to whatever."""

    def __init__(self, host_ahead: float = 0.0) -> None:
        self.steady = Clock(50.0)
        self.host_ahead = host_ahead
        self.server_ahead = 0.0
        self.clock = ServerClock(self.host, self.steady)

    def host(self) -> float:
        return 1_000_000.0 + self.steady.now + self.host_ahead

    def server(self) -> float:
        return 1_000_000.0 + self.steady.now + self.server_ahead

    def ask(self, way_there: float, way_back: float) -> None:
        """Ask the server, with an answer that is on its way for some time."""
        asked_at = self.steady.now
        self.steady.now += way_there
        told = self.server()
        self.steady.now += way_back
        self.clock.hear(told, asked_at)

    @property
    def error(self) -> float:
        return self.clock.now() - self.server()


def test_clock_is_the_hosts_until_the_server_has_said_something() -> None:
    machines = Machines(HOUR)
    assert machines.error == HOUR
    assert not machines.clock.is_fresh


@pytest.mark.parametrize("ahead", [HOUR, -HOUR, 0.2, -0.2])
@pytest.mark.parametrize(("way_there", "way_back"), [(0.001, 0.001), (0.0, 0.05), (0.05, 0.0)])
def test_clock_is_the_servers_within_half_of_the_time_of_a_question(
    ahead: float, way_there: float, way_back: float
) -> None:
    machines = Machines(ahead)
    before = machines.clock.ahead
    machines.ask(way_there, way_back)
    assert abs(machines.error) <= (way_there + way_back) / 2 + 0.001
    assert machines.clock.ahead != before
    assert machines.clock.is_fresh


@pytest.mark.parametrize(("way_there", "way_back"), [(0.001, 0.001), (0.0, 3.0), (3.0, 0.0)])
def test_clocks_that_agree_stay_as_they_are(way_there: float, way_back: float) -> None:
    machines = Machines()
    before = machines.clock.ahead
    for _ in range(5):
        machines.ask(way_there, way_back)
    assert machines.clock.ahead == before
    assert machines.error == 0.0


def test_slow_answer_does_not_move_what_a_quick_one_set() -> None:
    machines = Machines(HOUR)
    machines.ask(0.001, 0.001)
    set_to = machines.clock.ahead
    machines.ask(5.0, 0.0)
    machines.ask(0.0, 5.0)
    assert machines.clock.ahead == set_to


def test_host_that_is_set_to_another_time_changes_nothing() -> None:
    machines = Machines()
    machines.ask(0.001, 0.001)
    for ahead in (HOUR, -HOUR, 86400.0):
        machines.host_ahead = ahead
        assert machines.error == 0.0


def test_server_that_is_set_to_another_time_is_followed_at_its_next_word() -> None:
    machines = Machines()
    machines.ask(0.001, 0.001)
    machines.server_ahead = -HOUR
    assert machines.error == HOUR
    machines.ask(0.001, 0.001)
    assert abs(machines.error) < 0.003
    machines.server_ahead = 0.0
    machines.ask(0.001, 0.001)
    assert machines.error == 0.0  # the host's own clock is possible again, and exact


def test_word_of_the_server_is_good_for_a_minute_and_for_one_connection() -> None:
    machines = Machines()
    machines.ask(0.001, 0.001)
    machines.steady.now += 59.0
    assert machines.clock.is_fresh
    machines.steady.now += 2.0
    assert not machines.clock.is_fresh
    machines.ask(0.001, 0.001)
    machines.clock.doubt()
    assert not machines.clock.is_fresh


def test_clock_of_this_host_is_always_right() -> None:
    clock = HostClock()
    assert abs(clock.now() - time.time()) < 1.0
    assert clock.is_fresh
    assert clock.ahead == 0.0


# What was counted before the clock was set


MADE: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER: Final = MADE + timedelta(seconds=HOUR)


def delayed(**fields: object) -> Task:
    task = Task("app.add", eta=MADE, **fields)  # type: ignore[arg-type]
    task.counted = Counted(task.eta, 0.0)
    return task


def test_delay_moves_with_the_clock_as_often_as_it_is_set() -> None:
    task = delayed()
    assert task.count_anew(HOUR)
    assert task.eta == LATER
    assert task.count_anew(HOUR)
    assert task.eta == LATER
    assert task.count_anew(-HOUR)
    assert task.eta == MADE - timedelta(seconds=HOUR)


def test_eta_that_somebody_gave_stays() -> None:
    task = Task("app.add", eta=MADE)
    assert task.count_anew(0.0)  # whether it has come is to be asked again
    assert task.count_anew(HOUR)
    assert task.eta == MADE
    changed = delayed()
    changed.eta = MADE + timedelta(seconds=1)
    assert changed.count_anew(HOUR)
    assert changed.eta == MADE + timedelta(seconds=1)


@pytest.mark.parametrize("fields", [{}, {"expires": MADE}, {"deadline": MADE}])
def test_absolute_moments_are_not_counted(fields: dict[str, datetime]) -> None:
    task = Task("app.add", **fields)  # type: ignore[arg-type]
    assert not task.count_anew(HOUR)
    assert task.counted is None


@pytest.mark.parametrize("place", ["on_complete", "on_error"])
def test_later_stages_and_handlers_are_counted_through_the_first(place: str) -> None:
    last = delayed()
    middle = Task("app.add", **{place: last})  # type: ignore[arg-type]
    head = Task("app.add", on_complete=middle)
    assert head.count_anew(HOUR)
    assert head.counted is not None
    assert last.eta == LATER
    assert head.eta is middle.eta is None
