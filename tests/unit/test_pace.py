"""How much of a lane is held ahead of what runs, and what is given back when a long body holds it up."""

from __future__ import annotations

from hueyio.consumer.ledger import Ledger
from hueyio.consumer.unloader import Unloader
from hueyio.loops.at_once import run_at_once
from hueyio.storage.records import Lane
from tests.support.consuming import Clock, make_job

WINDOW = 1 / 64


class Bench:
    """A lane of threads, and an unloader whose clock is moved by hand."""

    def __init__(self, prefetch: int | None = None, threads: int = 1) -> None:
        self.clock = Clock()
        self.told_ahead = 0
        self.given_back: list[tuple[Lane, int]] = []
        self.ledger = Ledger(
            {"loop": 1, "thread": threads},
            prefetch,
            lambda: None,
            paced=("thread",),
            on_ahead=self._tell_ahead,
            monotonic=self.clock,
        )
        self.unloader = Unloader(self.ledger, lambda *it: self.given_back.append(it), self.clock)

    def run(self, count: int, seconds: float, lane: Lane = "thread", size: int = 1) -> None:
        """Let so many tasks of this size pass through in so many seconds."""
        for number in range(count):
            job = make_job(f"{lane}{number}", lane)
            job.delivery = job.delivery._replace(data=bytes(size))
            self.ledger.add(job)
            self.ledger.end(job)
            self.ledger.remove(job)
        self.clock.now += seconds

    def hold(self, count: int) -> None:
        for number in range(count):
            self.ledger.add(make_job(f"held{number}", "thread"))

    def _tell_ahead(self) -> None:
        self.told_ahead += 1


def test_lane_with_short_bodies_holds_ahead_what_ends_in_20_ms() -> None:
    bench = Bench()
    assert bench.ledger.room() == {"loop": 2, "thread": 2}
    bench.run(50, WINDOW)
    assert bench.ledger.room() == {"loop": 2, "thread": 65}
    bench.run(125, WINDOW)
    assert (bench.ledger.room()["thread"], bench.told_ahead) == (161, 1)
    bench.run(10_000, WINDOW)
    assert bench.ledger.room()["thread"] == 501


def test_lane_that_runs_dry_holds_twice_as_many_ahead_up_to_what_ends_in_200_ms() -> None:
    bench = Bench()
    seen = []
    for _ in range(5):
        bench.run(5, WINDOW)  # 320 a second
        seen.append(bench.ledger.room()["thread"] - 1)
    assert seen == [6, 12, 24, 48, 64]
    bench.hold(1)
    bench.run(5, WINDOW)
    assert bench.ledger.room()["thread"] == 64 * 7 // 8


def test_lane_with_long_bodies_holds_ahead_as_many_as_run() -> None:
    bench = Bench()
    bench.run(50, WINDOW)
    bench.ledger.room()
    bench.run(2, 1.0)
    assert (bench.ledger.room()["thread"], bench.ledger.is_ahead) == (2, False)


def test_large_messages_bound_what_is_held_ahead() -> None:
    bench = Bench(threads=100)
    assert bench.ledger.room() == {"loop": 2, "thread": 100 + 16}  # nobody knows yet how large they are
    bench.run(2, WINDOW, size=2**18)
    assert bench.ledger.room()["thread"] == 100 + 16
    bench.run(2, WINDOW, size=2**16)
    assert 100 + 16 < bench.ledger.room()["thread"] < 100 + 30
    bench.run(50, WINDOW, size=2**18)
    assert bench.ledger.room()["thread"] == 100 + 16
    for _ in range(5):
        bench.run(1000, WINDOW)
        bench.ledger.room()
    assert bench.ledger.room()["thread"] == 100 + 500
    bench.run(600, WINDOW, size=2**20)
    assert bench.ledger.room()["thread"] < 100 + 10


def test_lane_that_is_not_paced_and_a_prefetch_that_was_given_stay_as_they_are() -> None:
    bench = Bench()
    bench.run(100, WINDOW, "loop")
    assert bench.ledger.room() == {"loop": 2, "thread": 2}
    bench = Bench(prefetch=3)
    bench.run(100, WINDOW)
    assert bench.ledger.room() == {"loop": 4, "thread": 4}


def test_moment_without_an_end_changes_nothing_yet() -> None:
    bench = Bench()
    bench.run(50, WINDOW)
    bench.ledger.room()
    bench.clock.now += 0.1
    assert bench.ledger.room()["thread"] == 65


def test_what_a_long_body_holds_up_is_given_back_but_for_the_usual() -> None:
    bench = Bench()
    bench.run(50, WINDOW)
    bench.ledger.room()
    bench.hold(65)
    bench.clock.now += 0.1
    assert (run_at_once(bench.unloader.step()), bench.given_back) == (0.25, [])
    bench.clock.now += 0.25
    run_at_once(bench.unloader.step())
    assert bench.given_back == [("thread", 63)]


def test_unloader_rests_while_no_more_than_usual_is_held() -> None:
    bench = Bench()
    bench.hold(2)
    assert (run_at_once(bench.unloader.step()), bench.given_back) == (60.0, [])
