"""Periodic tasks: fired when due, once for all consumers, whatever else goes wrong. The clock is the test's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from hueyio import SIGNAL_ENQUEUED, ConfigurationError, Huey, MemoryHuey, StorageUnavailable, crontab
from hueyio.consumer.ticker import Ticker
from hueyio.core import Core, core_of
from hueyio.storage.contract import Session
from hueyio.storage.records import Enqueued, Entry
from tests.support.patience import until

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC).timestamp()


class Fleet:
    """Tickers of several consumers on one clock."""

    def __init__(self, core: Core, session: Session, size: int, now: float) -> None:
        self.now = now
        self.core = core.with_clock(lambda: self.now)
        self.tickers = [Ticker(session, self.core) for _ in range(size)]

    @classmethod
    async def on(cls, huey: Huey, size: int = 1, at: float = NOON - 30) -> Fleet:
        fleet = cls(core_of(huey), await core_of(huey).session(), size, at)
        await fleet.step(at)
        return fleet

    async def step(self, at: float) -> float:
        self.now = at
        return min(await asyncio.gather(*(ticker.step() for ticker in self.tickers)))


async def names(huey: Huey) -> list[str]:
    return sorted(task.name.rpartition(".")[2] for task in await huey.pending())


async def test_tick_is_enqueued_once_by_a_fleet(huey: Huey) -> None:
    @huey.periodic_task(crontab())
    async def tick() -> None: ...

    @huey.periodic_task(crontab(minute="5"))
    def other() -> None: ...

    fleet = await Fleet.on(huey, 5)
    assert await huey.count() == 0
    await fleet.step(NOON - 0.1)
    assert await huey.count() == 0
    await fleet.step(NOON)
    assert await names(huey) == ["tick"]
    await fleet.step(NOON + 10)
    assert await names(huey) == ["tick"]
    await fleet.step(NOON + 60)
    assert await names(huey) == ["tick", "tick"]


async def test_rest_ends_at_the_next_tick(huey: Huey) -> None:
    @huey.periodic_task(crontab())
    async def tick() -> None: ...

    fleet = await Fleet.on(huey)
    assert await fleet.step(NOON - 0.25) == pytest.approx(0.25)
    assert await fleet.step(NOON - 30) == 1.0


async def test_consumer_that_starts_fires_nothing_by_that(huey: Huey) -> None:
    @huey.periodic_task(crontab(), catch_up=True)
    async def tick() -> None: ...

    await Fleet.on(huey, 3, at=NOON + 5)
    assert await huey.count() == 0


async def test_tick_during_a_restart_is_fired_late(huey: Huey) -> None:
    @huey.periodic_task(crontab())
    async def tick() -> None: ...

    before = await Fleet.on(huey)
    await before.step(NOON)
    await Fleet.on(huey, at=NOON + 90)  # the tick at 60 fell into the gap between the two
    assert await names(huey) == ["tick", "tick"]
    await Fleet.on(huey, at=NOON + 100)
    assert await names(huey) == ["tick", "tick"]


@pytest.mark.parametrize(("catch_up", "made_up"), [(False, 0), (True, 1)])
async def test_tick_missed_by_all_is_made_up_only_where_asked(huey: Huey, catch_up: bool, made_up: int) -> None:
    @huey.periodic_task(crontab.hourly(), catch_up=catch_up)
    async def tick() -> None: ...

    await (await Fleet.on(huey)).step(NOON)
    for _ in range(2):
        await Fleet.on(huey, 2, at=NOON + 5 * 3600 + 600)
        assert await huey.count() == 1 + made_up


async def test_stall_makes_one_tick_and_no_storm(huey: Huey) -> None:
    @huey.periodic_task(crontab(second="*/5"))
    async def tick() -> None: ...

    fleet = await Fleet.on(huey, 2)
    await fleet.step(NOON + 302)
    assert await huey.count() == 1


async def test_error_of_one_costs_only_its_own_tick(huey: Huey, caplog: pytest.LogCaptureFixture) -> None:
    broken = True

    @huey.periodic_task(lambda moment: moment.year / (0 if broken else 1) > 0)
    async def first() -> None: ...

    @huey.periodic_task(crontab())
    async def second() -> None: ...

    fleet = await Fleet.on(huey)
    await fleet.step(NOON)
    assert await names(huey) == ["second"]
    assert "first cannot be enqueued" in caplog.text
    broken = False
    await fleet.step(NOON + 60)
    assert await names(huey) == ["first", "second", "second"]


class Refusing:
    """A session whose next enqueue fails as a lost connection does."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.refuse = False

    async def enqueue(self, entries: list[Entry]) -> list[Enqueued]:
        if self.refuse:
            self.refuse = False
            raise StorageUnavailable("gone")
        placed: list[Enqueued] = await self._session.enqueue(entries)
        return placed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


async def test_tick_is_tried_again_when_the_storage_was_away(huey: Huey) -> None:
    @huey.periodic_task(crontab())
    async def tick() -> None: ...

    session: Any = Refusing(await core_of(huey).session())
    fleet = Fleet(core_of(huey), session, 1, NOON - 30)
    await fleet.step(NOON - 30)
    session.refuse = True
    with pytest.raises(StorageUnavailable):
        await fleet.step(NOON)
    await fleet.step(NOON + 3)
    await fleet.step(NOON + 3)
    assert await names(huey) == ["tick"]


async def test_task_declared_or_forgotten_while_consumers_run_is_honoured(huey: Huey) -> None:
    fleet = await Fleet.on(huey)

    @huey.periodic_task(crontab())
    async def late() -> None: ...

    await fleet.step(NOON - 1)
    await fleet.step(NOON)
    assert await names(huey) == ["late"]
    assert late.unregister()
    await fleet.step(NOON + 60)
    assert await huey.count() == 1


async def test_signal_is_sent_once_and_a_slow_receiver_holds_nothing_up(huey: Huey) -> None:
    heard: list[str] = []
    release = asyncio.Event()

    @huey.signal(SIGNAL_ENQUEUED)
    async def on_enqueued(signal: str, task: Any) -> None:
        heard.append(task.id)
        await release.wait()

    @huey.periodic_task(crontab())
    async def tick() -> None: ...

    fleet = await Fleet.on(huey, 3)
    await fleet.step(NOON)
    await fleet.step(NOON + 60)

    async def both_heard() -> bool:
        return len(heard) == 2

    await until(both_heard)
    assert sorted(heard) == sorted(task.id for task in await huey.pending())
    release.set()


async def test_periodic_task_runs_retries_and_stores_nothing(huey: Huey) -> None:
    runs: list[str] = []
    done = asyncio.Event()

    @huey.periodic_task(crontab(second="*"), retries=1, name="loop", context=True)
    async def on_loop(task: Any) -> int:
        runs.append(task.id)
        if runs.count(task.id) == 1:
            raise ValueError("once")
        done.set()
        return 1

    async with huey.create_consumer():
        await asyncio.wait_for(done.wait(), 30)
    counts = await huey.counts()
    assert counts.results == 0
    assert runs[0] == runs[1] or runs.count(runs[0]) == 2


@pytest.mark.parametrize("kind", ["loop", "thread"])
async def test_periodic_task_called_by_hand_runs_and_stores_nothing(make_huey: Callable[..., Huey], kind: str) -> None:
    huey = make_huey(store_none=True)
    ran: list[int] = []

    async def on_loop() -> int:
        ran.append(1)
        return 1

    def in_thread() -> int:
        ran.append(1)
        return 1

    functions: dict[str, Any] = {"loop": on_loop, "thread": in_thread}
    tick = huey.periodic_task(crontab.daily())(functions[kind])
    async with huey, huey.create_consumer(periodic=False):
        assert await (await tick()) is None
        assert ran == [1]
        assert (await huey.counts()).results == 0
        value = tick.call_local()
        assert (await value if kind == "loop" else value) == 1


async def test_revoked_periodic_task_is_enqueued_and_skipped(huey: Huey) -> None:
    ran: list[int] = []

    @huey.periodic_task(crontab())
    async def tick() -> None:
        ran.append(1)

    @huey.task
    async def other() -> str:
        return "ran"

    await tick.revoke()
    await (await Fleet.on(huey)).step(NOON)
    assert await huey.count() == 1
    async with huey.create_consumer(periodic=False):
        assert await (await other()) == "ran"
        await until(lambda: is_empty(huey))
    assert ran == []


async def is_empty(huey: Huey) -> bool:
    counts = await huey.counts()
    return sum(counts.queued.values()) + counts.running == 0


async def test_consumer_without_periodic_fires_nothing(huey: Huey) -> None:
    @huey.periodic_task(crontab(second="*"))
    async def tick() -> None: ...

    async def ticked() -> bool:
        return bool(await (await core_of(huey).session()).scan_keys("ticks"))

    async with huey.create_consumer(periodic=False):
        with pytest.raises(TimeoutError):
            await until(ticked, 1.2)
    async with huey.create_consumer():
        await until(ticked)


async def test_immediate_mode_runs_a_periodic_task_that_is_called(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey(immediate=True)

    @huey.periodic_task(crontab.hourly())
    def tick() -> int:
        return 1

    async with huey:
        assert await (await tick()) is None


def test_read_periodic_gives_fresh_tasks_in_order_of_declaration() -> None:
    huey = MemoryHuey()

    @huey.periodic_task(crontab(minute="*/2"), priority=5, retries=2)
    def b() -> None: ...

    @huey.periodic_task(crontab("*"))
    def a() -> None: ...

    @huey.task
    def never() -> None: ...

    both = huey.read_periodic(datetime(2024, 1, 1, 0, 2))
    assert [task.name for task in both] == [b.name, a.name]
    assert (both[0].priority, both[0].retries) == (5, 2)
    assert [task.name for task in huey.read_periodic(datetime(2024, 1, 1, 0, 3, tzinfo=UTC))] == [a.name]
    assert both[0].id != huey.read_periodic(datetime(2024, 1, 1, 0, 2))[0].id


def test_periodic_task_that_needs_arguments_is_refused() -> None:
    huey = MemoryHuey()

    def needs(value: int) -> None: ...

    with pytest.raises(ConfigurationError, match="called without arguments"):
        huey.periodic_task(crontab())(needs)
    assert len(core_of(huey).registry) == 0


async def test_local_time_is_meant_without_utc() -> None:
    asked: list[datetime] = []
    huey = MemoryHuey(utc=False)

    def note(moment: datetime) -> bool:
        asked.append(moment)
        return False

    @huey.periodic_task(note)
    def ask() -> None: ...

    await (await Fleet.on(huey)).step(NOON)
    assert asked[-1] == datetime.fromtimestamp(NOON)
    await huey.close()
