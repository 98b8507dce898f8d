"""What a consumer counts, and what of it is told in which parts."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from hueyio.consumer.tally import Tally
from hueyio.control.histogram import bucket_of
from hueyio.execution.job import Job
from hueyio.storage.records import (
    MOST_COUNTED,
    OTHERS,
    Answer,
    Bury,
    Counters,
    Defer,
    Delivery,
    Entry,
    Finish,
    Header,
    Receipt,
    Release,
    Settlement,
)
from hueyio.tasks.declared import TaskOptions, TaskSpec
from hueyio.tasks.task import Task
from tests.support.consuming import Clock

MS = 1e-3


class Written(NamedTuple):
    job: Job
    settlement: Settlement


async def _work() -> None: ...


def make(path: str = "app.work", run: float = 0.0, *, id: str | None = None, eta: float | None = None) -> Job:
    """Make a job that was started at the monotonic time 100, and ran so long."""
    task = Task(path, id=id)
    spec = TaskSpec(path, _work, TaskOptions())
    job = Job(Delivery(Receipt("me", task.id, 0), Header(task.id, eta=eta), b""), task, spec)
    job.started_at, job.ended_at = 100.0, 100.0 + run
    return job


def finish(job: Job, **settlement: Any) -> Written:
    return Written(job, Finish(job.delivery.receipt, **settlement))


def bury(job: Job, kind: Any, reason: str = "no") -> Written:
    return Written(job, Bury(job.delivery.receipt, reason, kind=kind))


class Bench:
    def __init__(self) -> None:
        self.now = Clock()
        self.tally = Tally(self.now, Clock(100.0))

    def count(self, *written: Written, answer: Answer = "accepted") -> None:
        answers: list[Answer] = [answer for _ in written]
        self.tally.count(written, answers)

    def take(self) -> Counters:
        """Take the totals."""
        parts = self.tally.take()
        return parts[0].totals if parts else {}


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_ends_are_counted_by_kind_and_name_once(bench: Bench) -> None:
    bench.count(finish(make()), finish(make("app.mail")), bury(make(), "failed"), bury(make(), "lost"))
    (part,) = bench.tally.take()
    assert {key: it for key, it in part.totals.items() if key[1:].isalpha() and key not in ("rs", "ws")} == {
        "done": 2, "failed": 1, "lost": 1,
    }  # fmt: skip
    assert part.names == {"app.work": 3, "app.mail": 1}
    assert part.failures == {"app.work\nno": 2}
    assert part.tasks["app.mail"]["done"] == 1
    assert bench.tally.take() == []
    bench.count(finish(make("app.mail")))
    (part,) = bench.tally.take()
    assert (part.names, part.failures) == ({"app.mail": 1}, {})


def test_what_goes_back_is_no_end(bench: Bench) -> None:
    job = make()
    entry = Entry(job.delivery.header, b"")
    bench.count(
        Written(make(), Release(job.delivery.receipt)),
        Written(make(), Defer(job.delivery.receipt, job.delivery.header)),
        finish(job, follow_ups=(entry,), kind="failed"),
        finish(make(), follow_ups=(Entry(Header("next"), b""),)),
        finish(make(), kind="revoked"),
        bury(make(), "expired"),
    )
    taken = bench.take()
    assert (taken["retried"], taken["done"], taken["cancelled"], taken["expired"]) == (1, 1, 1, 1)
    assert "failed" not in taken
    bench.count(bury(make(), "cancelled"))
    (part,) = bench.tally.take()
    assert part.failures == {}  # neither is an expiry


def test_what_the_storage_did_not_take_is_not_counted(bench: Bench) -> None:
    bench.count(finish(make()), answer="stale")
    bench.count(finish(make()), answer="untaken")
    assert bench.tally.take() == []
    bench.count(finish(make()), answer="fired")
    assert bench.take()["done"] == 1


def test_run_time_is_counted_if_the_body_began(bench: Bench) -> None:
    unstarted = make()
    unstarted.started_at = 0.0
    bench.count(finish(make(run=20 * MS)), finish(unstarted), bury(make(run=3.0), "failed"))
    taken = bench.take()
    assert taken[f"r{bucket_of(20_000)}"] == taken[f"r{bucket_of(3_000_000)}"] == 1
    assert taken["rs"] == pytest.approx(3_020_000, abs=2)


def test_waiting_time_is_that_since_the_id_or_the_eta_of_the_first_attempt(bench: Bench) -> None:
    made = bench.now.now - 8.0  # by the storage's clock, at the monotonic time 100
    ms = int(made * 1000)
    id = f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7abc-8def-0123456789ab"
    bench.count(finish(make(id=id)))
    assert bench.take()["ws"] == pytest.approx(8_000_000, abs=10)
    bench.count(finish(make(id=id, eta=made + 6.0)))
    assert bench.take()["ws"] == pytest.approx(2_000_000, abs=10)
    bench.count(finish(make(id="own")))  # it does not say when it was made
    assert "ws" not in bench.take()
    retry = make(id=id)
    retry.task.attempt = 1
    bench.count(finish(retry))
    assert "ws" not in bench.take()


def test_every_fourth_duration_counts_for_four_when_a_batch_is_large(bench: Bench) -> None:
    bench.count(*[finish(make(run=5 * MS)) for _ in range(200)])
    taken = bench.take()
    assert taken["done"] == taken[f"r{bucket_of(5000)}"] == 200
    bench.count(*[bury(make(run=5 * MS), "failed") for _ in range(99)])  # failures all
    assert bench.take()[f"r{bucket_of(5000)}"] == 99


def test_names_and_groups_are_bounded_when_there_are_many(bench: Bench) -> None:
    jobs = [make(f"app.task{number}") for number in range(MOST_COUNTED + 50)]
    bench.count(*[bury(job, "failed", f"Error{'x' * number}") for number, job in enumerate(jobs)])
    parts = bench.tally.take()
    names: Counters = {}
    for part in parts:
        names |= part.names
    assert len(names) == MOST_COUNTED + 1
    assert names[OTHERS] == 50
    assert sum(part.totals.get("failed", 0) for part in parts) == sum(names.values()) == len(jobs)
    assert len(parts[0].failures) == MOST_COUNTED + 1
    assert max(len(part.tasks) for part in parts) <= 10
    assert {it.name for it in bench.tally.tasks()} == names.keys()


def test_unreadable_message_has_no_name(bench: Bench) -> None:
    bench.count(bury(make("garbage"), "unreadable", "not a pickle"))
    (part,) = bench.tally.take()
    assert part.names == {"~unreadable": 1}


def test_any_name_can_be_written(bench: Bench) -> None:
    bench.count(bury(make("app.\udcff"), "failed"))
    (part,) = bench.tally.take()
    json.dumps(part).encode()
    "".join(part.names).encode()
