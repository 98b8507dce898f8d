"""What a batch of settlements leaves in the history, and how it is written."""

from __future__ import annotations

import pytest

from hueyio import Huey, MemoryHuey
from hueyio.core import core_of
from hueyio.execution.job import Job
from hueyio.execution.recorder import MOST_GOOD_ENDS, Recorder, Settled
from hueyio.messages.past_run import PastAttempt, PastRun, read_attempt, read_runs, write_attempt, write_runs
from hueyio.storage.records import Bury, EndKind, Entry, Finish, Header, Release
from tests.support.consuming import Clock, make_job

RUNS = [
    PastRun("app.add", "done", 1, 1_700_000_000.1234, 0.25),
    PastRun("app.täsk", "failed", 3, 1_700_000_001.5, 0.0, "ValueError('“x”\\n')", "1, a=2"),
    PastRun("", "unreadable", 0, 1_700_000_000.0, None, "no"),
]


def good(number: int) -> Settled:
    job = ended(make_job(f"{number}"))
    return Settled(job, Finish(job.delivery.receipt))


def ended(job: Job) -> Job:
    job.started_at, job.ended_at = 1_000_000.0, 1_000_000.5
    return job


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder(clock: Clock) -> Recorder:
    return Recorder(core_of(MemoryHuey("app")), clock)


@pytest.mark.parametrize("runs", [RUNS, RUNS[:1], RUNS[:1] * 3, RUNS[2:]], ids=["all", "one", "alike", "unread"])
def test_runs_are_the_same_when_they_are_read_again(runs: list[PastRun]) -> None:
    assert read_runs(write_runs("host:1", runs)) == ("host:1", runs)


def test_usual_runs_take_few_bytes() -> None:
    runs = [PastRun("app.add", "done", 1, 1_700_000_000 + number / 1000, 0.001) for number in range(100)]
    assert len(write_runs("host:1", runs)) < 15 * len(runs)


def test_attempt_is_the_same_when_it_is_read_again() -> None:
    attempt = PastAttempt(2, 12.5, 13.25, "host:1", "“no”", 'Traceback\n  "x"\x00')
    assert read_attempt(write_attempt(attempt)) == attempt


def test_what_a_later_version_wrote_is_left_out() -> None:
    assert read_runs(b'[2,"host:1",{"new":1}]') == ("host:1", [])
    assert read_attempt(b'[2,{"new":1}]') is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[1]",
        b"[1,2,3]",
        b"\x80\x05N.",
        b'[1,"host:1",17e12,["a"],[7],0,0,[0],[5],{},{}]',
        b'[1,"host:1",17e12,["a"],0,"?",0,[0],[5],{},{}]',
        b'[1,"host:1",17e12,["a"],0,0,0,[0],[],{},{}]',
        b'[1,"host:1",17e12,["a"],0,0,0,[0],[5],[],{}]',
        b'[1,"host:1",1e300,["a"],0,0,0,[0],[5],{},{}]',
        b'[1,"host:1",NaN,["a"],0,0,0,[0],[5],{},{}]',
        b'[1,"host:1",17e12,["a"],0,0,0,[0],[9e99],{},{}]',
        b'[1,1,"soon",12.5,"host:1","",""]',
        b'[1,1,12.5,1e300,"host:1","",""]',
    ],
)
def test_bytes_that_nobody_wrote_are_said_to_be_so(data: bytes) -> None:
    with pytest.raises(ValueError, match="these are no runs"):
        read_runs(data)
    with pytest.raises(ValueError, match="this is no attempt"):
        read_attempt(data)


def test_good_ends_are_left_out_when_they_are_too_many_and_failures_never(recorder: Recorder, clock: Clock) -> None:
    batch = [good(number) for number in range(MOST_GOOD_ENDS + 10)]
    failed = ended(make_job("bad"))
    batch.append(Settled(failed, Bury(failed.delivery.receipt, "no\nmore", into="failed")))
    first = recorder.record(batch, "me")
    assert first is not None
    assert first.ids == (*map(str, range(MOST_GOOD_ENDS)), "bad")
    assert first.places == (*range(MOST_GOOD_ENDS), MOST_GOOD_ENDS + 10)
    assert read_runs(first.data)[1][-1].error == "no"
    assert recorder.record(batch[:5], "me") is None
    clock.now += 3.5 / MOST_GOOD_ENDS
    later = recorder.record(batch[:5], "me")
    assert later is not None
    assert later.ids == ("0", "1", "2")


def test_what_goes_on_is_no_end(recorder: Recorder) -> None:
    retried, released, followed = (ended(make_job(id)) for id in "abc")
    retried.attempt_record = b"failed"
    other, again = Entry(Header("x"), b""), Entry(Header("a"), b"")
    batch = [
        Settled(retried, Finish(retried.delivery.receipt, follow_ups=(other, again))),
        Settled(released, Release(released.delivery.receipt)),
        Settled(followed, Finish(followed.delivery.receipt, follow_ups=(other,))),
    ]
    history = recorder.record(batch, "me")
    assert history is not None
    assert (history.ids, history.places, history.attempts) == (("c",), (2,), ((0, b"failed"),))
    assert recorder.record(batch[1:2], "me") is None


@pytest.mark.parametrize("kind", ["expired", "lost", "unreadable"])
def test_end_of_what_was_not_begun_has_no_start(recorder: Recorder, clock: Clock, kind: EndKind) -> None:
    job = make_job("a")
    history = recorder.record([Settled(job, Bury(job.delivery.receipt, "why", kind=kind))], "me")
    assert history is not None
    worker, (run,) = read_runs(history.data)
    assert (worker, run.kind, run.attempts, run.duration, run.error) == ("me", kind, 0, None, "why")
    assert run.name == ("" if kind == "unreadable" else job.task.path)


def test_arguments_whose_repr_raises_cost_nothing_else() -> None:
    class Wild:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    recorder = Recorder(core_of(MemoryHuey("app", history_args=True)))
    one, two = make_job("a"), make_job("b")
    one.task.args, two.task.args, two.task.kwargs = (Wild(),), (1,), {"b": "2"}
    history = recorder.record([Settled(it, Finish(it.delivery.receipt)) for it in (one, two)], "me")
    assert history is not None
    texts = [run.arguments for run in read_runs(history.data)[1]]
    assert "Wild" in (texts[0] or "")
    assert texts[1] == "1, b='2'"


def test_nothing_is_made_where_nothing_is_kept() -> None:
    huey: Huey = MemoryHuey("app", keep_history=0)
    assert Recorder(core_of(huey)).record([good(1)], "me") is None
