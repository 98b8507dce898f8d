"""What a consumer holds, and how much more each lane takes."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime

from hueyio.consumer.ledger import Ledger
from hueyio.execution.outcome import Cancelled, Expired, Revoked
from tests.support.consuming import make_job


class Rings:
    """Counts how often the fetcher is told of room."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def test_lane_is_refilled_when_half_of_what_was_prefetched_is_gone() -> None:
    rings = Rings()
    ledger = Ledger({"loop": 4}, None, rings)
    jobs = [make_job(f"t{number}") for number in range(8)]
    assert ledger.room() == {"loop": 8}
    for job in jobs:
        ledger.add(job)
    ledger.end(jobs[0])
    assert (ledger.room(), rings.count) == ({}, 0)
    ledger.end(jobs[1])
    assert (ledger.room(), rings.count) == ({"loop": 2}, 1)
    ledger.end(jobs[2])
    assert (ledger.room(), rings.count) == ({"loop": 3}, 1)


def test_lane_without_prefetch_takes_one_for_each_that_ends() -> None:
    rings = Rings()
    ledger = Ledger({"loop": 2}, 0, rings)
    jobs = [make_job(f"t{number}") for number in range(2)]
    for job in jobs:
        ledger.add(job)
    assert ledger.room() == {}
    ledger.end(jobs[0])
    assert (ledger.room(), rings.count) == ({"loop": 1}, 1)


def test_outcomes_that_wait_to_be_written_stop_the_claims_when_they_are_too_many() -> None:
    rings = Rings()
    ledger = Ledger({"loop": 1}, 1, rings)
    jobs = [make_job(f"t{number}") for number in range(2)]
    for job in jobs:
        ledger.add(job)
        ledger.end(job)
    assert ledger.room() == {}
    heard = rings.count
    ledger.remove(jobs[0])
    assert (ledger.room(), rings.count) == ({"loop": 2}, heard + 1)


def test_job_counts_for_the_lane_it_was_claimed_from_where_its_function_has_moved() -> None:
    ledger = Ledger({"loop": 1, "thread": 1}, 0, lambda: None)
    job = make_job("a", "loop")
    job.lane = "thread"
    ledger.add(job)
    assert ledger.room() == {"thread": 1}
    ledger.end(job)
    assert ledger.room() == {"loop": 1, "thread": 1}


def test_retry_that_is_claimed_before_the_answer_to_its_settlement_stays() -> None:
    ledger = Ledger({"loop": 2}, 0, lambda: None)
    first, again = make_job("a"), make_job("a")
    ledger.add(first)
    ledger.end(first)
    assert ledger.has_ended("a")
    ledger.add(again)
    assert not ledger.has_ended("a")
    ledger.remove(first)
    assert ledger.get("a") is again
    assert (list(ledger), ledger.snapshot()) == ([again], [again])


def test_cancellation_reaches_a_job_on_its_way_and_not_the_next_of_its_id() -> None:
    ledger = Ledger({"loop": 1}, 0, lambda: None)
    ledger.cancelled = frozenset({"a", "b"})
    cancelled, next_one = make_job("a"), make_job("a")
    ledger.add(cancelled)
    assert cancelled.cancelled
    ledger.end(cancelled)
    ledger.remove(cancelled)
    ledger.add(next_one)
    assert not next_one.cancelled
    assert ledger.cancelled == {"b"}


def test_lost_lease_leaves_nothing_in_it() -> None:
    rings = Rings()
    ledger = Ledger({"loop": 2}, 0, rings)
    held, ended = make_job("a"), make_job("b")
    for job in (held, ended):
        ledger.add(job)
    ledger.end(ended)
    heard = rings.count
    assert set(ledger.clear()) == {held, ended}
    assert (len(ledger), ledger.ids(), ledger.room(), rings.count) == (0, frozenset(), {"loop": 2}, heard + 1)
    ledger.remove(ended)  # its answer comes late
    assert ledger.room() == {"loop": 2}


def test_body_is_not_started_for_the_first_reason_that_there_is() -> None:
    job = make_job("a")
    job.task.expires_resolved = datetime.fromtimestamp(100, UTC)
    assert job.objection(100.0) is None
    assert job.objection(100.1) == Expired()
    job.revoked = Revoked("key")
    assert job.objection(100.1) == Revoked("key")
    job.cancelled = True
    assert job.objection(100.1) == Cancelled()


def test_jobs_are_listed_in_one_thread_while_they_change_in_another() -> None:
    ledger = Ledger({"loop": 100}, None, lambda: None)
    jobs = [make_job(f"t{number}") for number in range(100)]
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            for act in (ledger.add, ledger.end, ledger.remove):
                for job in jobs:
                    act(job)

    worker = threading.Thread(target=work)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    worker.start()
    try:
        for _ in range(2000):
            listed = list(ledger)
            assert len(listed) == len(set(listed))
            ledger.snapshot()
    finally:
        is_over.set()
        worker.join()
        sys.setswitchinterval(interval)
