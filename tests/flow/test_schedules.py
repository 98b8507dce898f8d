"""Schedules that are kept in the storage: changed while consumers run, kept when none does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from hueyio import ConfigurationError, Huey, TaskArgumentError, crontab
from hueyio.client.producer import Producer
from hueyio.core import core_of
from hueyio.schedules.stored import Schedules
from tests.flow.test_periodic import NOON, Fleet


class Desk:
    """A fleet, and a handle on its schedules, on one clock."""

    def __init__(self, huey: Huey, fleet: Fleet) -> None:
        self.huey = huey
        self.fleet = fleet
        self.schedules = Schedules(Producer(fleet.core))

    @classmethod
    async def on(cls, huey: Huey) -> Desk:
        return cls(huey, await Fleet.on(huey, 2))

    async def step(self, at: float) -> list[Any]:
        """Step, as after a notice; return the arguments of what is in the queue."""
        for ticker in self.fleet.tickers:
            ticker.reload()
        await self.fleet.step(at)
        return [task.args for task in await self.huey.pending()]

    def at(self, time: float) -> None:
        self.fleet.now = time


def declare(huey: Huey) -> Any:
    @huey.task(name="add")
    async def add(a: int, b: int = 0) -> int:
        return a + b

    return add


async def test_added_schedule_is_followed_by_all_and_fires_once(huey: Huey) -> None:
    add = declare(huey)
    desk = await Desk.on(huey)
    await desk.schedules.add("sums", add, "* * * * *", (1, 2))
    assert await desk.step(NOON - 10) == []
    assert await desk.step(NOON) == [(1, 2)]
    assert await desk.step(NOON + 30) == [(1, 2)]
    assert await desk.step(NOON + 60) == [(1, 2), (1, 2)]


async def test_schedule_survives_consumers_and_catches_up_where_asked(huey: Huey) -> None:
    add = declare(huey)
    desk = await Desk.on(huey)
    await desk.schedules.add("skips", add, crontab.hourly(), (1,))
    await desk.schedules.add("makes up", add, crontab.hourly(), (2,), catch_up=True)
    assert await desk.step(NOON) == [(2,), (1,)] or await desk.step(NOON) == [(1,), (2,)]
    await Fleet.on(huey, at=NOON + 2 * 3600 + 600)
    assert sorted(task.args for task in await huey.pending()) == [(1,), (2,), (2,)]


async def test_paused_schedule_rests_and_goes_on_from_where_it_is_resumed(huey: Huey) -> None:
    add = declare(huey)
    desk = await Desk.on(huey)
    await desk.schedules.add("sums", add, crontab(), (1,), catch_up=True)
    assert await desk.schedules.pause("sums")
    (info,) = await desk.schedules.list()
    assert (info.paused, info.next_run) == (True, None)
    assert await desk.step(NOON) == []
    desk.at(NOON + 630)
    assert await desk.schedules.resume("sums")
    assert await desk.step(NOON + 631) == []
    assert await desk.step(NOON + 660) == [(1,)]
    assert not await desk.schedules.pause("none")
    assert not await desk.schedules.resume("none")


async def test_removed_schedule_is_gone(huey: Huey) -> None:
    add = declare(huey)
    desk = await Desk.on(huey)
    await desk.schedules.add("sums", add, crontab(), (1,))
    await desk.step(NOON)
    assert await desk.schedules.remove("sums")
    assert not await desk.schedules.remove("sums")
    assert await desk.schedules.list() == []
    assert await desk.step(NOON + 60) == [(1,)]
    assert await (await core_of(huey).session()).scan_keys("ticks") == []


async def test_list_shows_what_was_added_with_next_and_last_time(huey: Huey) -> None:
    add = declare(huey)
    desk = await Desk.on(huey)
    times = crontab.parse("0 * * * *", tz="Asia/Tokyo")
    await desk.schedules.add("b", add, times, (1,), {"b": 2})
    await desk.schedules.add("a", add.s(5), crontab(second="*/30"))
    await desk.step(NOON)
    first, second = await desk.schedules.list()
    assert (first.name, first.task, first.args, first.times) == ("a", add.path, (5,), crontab(second="*/30"))
    assert (second.name, second.args, second.kwargs, second.times) == ("b", (1,), {"b": 2}, times)
    assert first.next_run == datetime.fromtimestamp(NOON + 30, UTC)
    assert second.last_run == datetime.fromtimestamp(NOON, UTC)
    assert second.next_run is not None
    assert second.next_run.isoformat() == "2024-01-01T22:00:00+09:00"


async def test_same_schedule_added_again_changes_nothing_and_another_replaces_it(huey: Huey) -> None:
    add = declare(huey)
    desk = await Desk.on(huey)
    session = await core_of(huey).session()
    await desk.schedules.add("sums", add, crontab(), (1,))
    before = await session.peek("schedules", ["sums"])
    desk.at(NOON - 5)
    await desk.schedules.add("sums", add, crontab(), (1,))
    assert await session.peek("schedules", ["sums"]) == before
    await desk.schedules.add("sums", add, crontab(), (2,))
    assert await desk.step(NOON) == [(2,)]


async def test_run_now_enqueues_a_call_of_its_own(huey: Huey) -> None:
    add = declare(huey)
    schedules = huey.schedules()
    await schedules.add("sums", add.s(1).then(add, 10), crontab.daily())
    async with huey.create_consumer():
        assert [await (await schedules.run_now("sums")) for _ in range(2)] == [[1, 11]] * 2
    with pytest.raises(KeyError, match="none"):
        await schedules.run_now("none")


async def test_running_consumer_follows_a_change_at_once(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    ran: asyncio.Queue[int] = asyncio.Queue()

    @huey.task
    async def put(value: int) -> None:
        await ran.put(value)

    async with huey, huey.create_consumer():
        await huey.schedules().add("first", put, crontab(second="*"), (1,))
        assert await asyncio.wait_for(ran.get(), 30) == 1
        await huey.schedules().add("first", put, crontab(second="*"), (2,))
        async with asyncio.timeout(30):
            while await ran.get() != 2:
                pass
        await huey.schedules().remove("first")


async def test_schedule_that_cannot_be_read_or_run_here_costs_no_other(
    huey: Huey, caplog: pytest.LogCaptureFixture
) -> None:
    add = declare(huey)
    desk = await Desk.on(huey)
    gone = huey.task(name="gone")(lambda: None)
    await desk.schedules.add("gone", gone, crontab())
    await desk.schedules.add("sums", add, crontab(), (1,))
    gone.unregister()
    await (await core_of(huey).session()).put(
        "schedules", {"bad": b"{}", "worse": b"\xff", "old": b'{"times": {"hour": 99}}'}
    )
    assert await desk.step(NOON) == [(1,)]
    assert "schedule 'bad' cannot be read" in caplog.text
    assert "no task named" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("", "add", "* * * * *"), ConfigurationError),
        (("x", "add", "* * *"), ValueError),
        (("x", "add", lambda moment: True), ConfigurationError),
        (("x", print, "* * * * *"), ConfigurationError),
        (("x", "add", "* * * * *"), TaskArgumentError),
        (("x", "add", "* * * * *", "12"), ConfigurationError),
        (("x", "add", "* * * * *", (lambda: 1,)), TaskArgumentError),
    ],
)
async def test_what_cannot_be_scheduled_is_refused(huey: Huey, arguments: tuple[Any, ...], error: Any) -> None:
    add = declare(huey)
    name, task, *rest = arguments
    with pytest.raises(error):
        await huey.schedules().add(name, add if task == "add" else task, *rest)
    assert await huey.schedules().list() == []
