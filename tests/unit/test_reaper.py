"""When a consumer is given up: decided from what was seen, with the clock passed in."""

from __future__ import annotations

import json

import pytest

from hueyio.consumer.reaper import Reaper, SilenceLog, lease_of
from hueyio.messages.message import write_task
from hueyio.serializer import Serializer
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.records import Entry, Header, Owner
from hueyio.tasks.task import Task
from hueyio.testing.storage.conformance.worker import Worker, make_entry
from tests.support.consuming import Clock


def owner(beat: int, lease: float = 15.0) -> Owner:
    return Owner("other", beat, json.dumps({"lease": lease}).encode(), 1)


def names(owners: list[Owner]) -> list[str]:
    return [one.owner for one in owners]


def test_owner_that_stands_still_for_one_lease_is_given_up_exactly_then() -> None:
    watch = SilenceLog(15.0)
    assert watch.observe([owner(1)], 100.0, 0.0) == ([], 5.0)
    assert watch.observe([owner(1)], 105.0, 0.0) == ([], 5.0)
    assert watch.observe([owner(1)], 110.0, 0.0) == ([], 5.0)
    dead, _ = watch.observe([owner(1)], 115.0, 0.0)
    assert names(dead) == ["other"]


def test_next_look_is_due_exactly_when_a_count_is_full() -> None:
    watch = SilenceLog(15.0)
    watch.observe([owner(1)], 100.0, 0.0)
    watch.observe([owner(1)], 105.0, 0.0)
    _, rest = watch.observe([owner(1)], 112.0, 0.0)
    assert rest == 3.0


def test_owner_that_beats_is_never_given_up() -> None:
    watch = SilenceLog(15.0)
    for beat in range(50):
        dead, _ = watch.observe([owner(beat)], 100.0 + 5 * beat, 0.0)
        assert dead == []


def test_nothing_counts_while_the_own_heartbeats_do_not_get_through() -> None:
    watch = SilenceLog(15.0)
    watch.observe([owner(1)], 100.0, 0.0)
    watch.observe([owner(1)], 110.0, None)
    # Since 112 they do again: the count starts there, not at 100.
    assert watch.observe([owner(1)], 115.0, 112.0)[0] == []
    assert watch.observe([owner(1)], 126.0, 112.0)[0] == []
    assert names(watch.observe([owner(1)], 130.0, 112.0)[0]) == ["other"]


def test_counts_start_anew_when_this_consumer_itself_stood_still() -> None:
    watch = SilenceLog(15.0)
    watch.observe([owner(1)], 100.0, 0.0)
    assert watch.observe([owner(1)], 400.0, 0.0)[0] == []
    assert watch.observe([owner(1)], 410.0, 0.0)[0] == []
    assert names(watch.observe([owner(1)], 415.0, 0.0)[0]) == ["other"]


def test_each_owner_has_the_lease_that_it_declared() -> None:
    watch = SilenceLog(15.0)
    watch.observe([owner(1, lease=2.0)], 100.0, 0.0)
    assert names(watch.observe([owner(1, lease=2.0)], 102.0, 0.0)[0]) == ["other"]


@pytest.mark.parametrize("info", [b"", b"{}", b"[]", b'{"lease": "x"}', b"\xff"])
def test_unreadable_info_is_taken_for_the_own_lease(info: bytes) -> None:
    assert lease_of(info, 7.0) == 7.0


async def test_log_names_what_a_dead_consumer_held(caplog: pytest.LogCaptureFixture) -> None:
    session = await MemoryStorage().connect()
    other = await Worker.register(session, "other")
    payments = [Entry(Header(id), write_task(Task("app.pay", id=id), Serializer())) for id in "ab"]
    await other.take(*payments, make_entry("odd"))
    clock = Clock(100.0)
    reaper = Reaper(session, lambda: "me", lambda: 0.0, 15.0, clock)
    await reaper.step()
    clock.now += 15.0
    await reaper.step()
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "consumer other is gone; 3 tasks that it held run again: app.pay (2), unknown"
    await session.close()


async def test_names_are_looked_for_in_a_bounded_part_of_what_runs(caplog: pytest.LogCaptureFixture) -> None:
    session = await MemoryStorage().connect()
    others, last = await Worker.register(session, "a"), await Worker.register(session, "z")
    for hundred in range(20):
        await others.take(*[make_entry(f"t{hundred}-{number}") for number in range(100)])
    await last.take(Entry(Header("x"), write_task(Task("app.pay", id="x"), Serializer())))
    clock = Clock(100.0)
    reaper = Reaper(session, lambda: "a", lambda: 0.0, 15.0, clock)
    await reaper.step()
    clock.now += 15.0
    await reaper.step()
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "consumer z is gone; 1 tasks that it held run again"
    await session.close()
