"""``huey.statistics()``, on every storage: what a consumer counted is there when it has stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hueyio import ConfigurationError, Huey, MemoryHuey, TaskException, crontab
from hueyio.control.consumers import read_consumers
from hueyio.control.statistics import QueueStatistics, oldest_ages
from hueyio.storage.records import Header, Owner


async def run_all(huey: Huey, *calls: Any) -> QueueStatistics:
    """Run calls to their ends in a consumer, and read what it counted."""
    async with huey.create_consumer(workers=4, threads=2):
        for call in calls:
            with suppress(TaskException):
                await (await call)
    return await huey.statistics()


async def test_statistics_tell_what_ran_and_what_failed(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()

    @huey.task(name="good")
    async def good() -> int:
        return 1

    @huey.task(name="threaded")
    def threaded() -> int:
        return 1

    @huey.task(name="bad", retries=1)
    async def bad(number: int) -> None:
        raise ValueError(f"no order {number}")

    before = datetime.now(UTC)
    async with huey:
        calls = [good() for _ in range(5)]
        found = await run_all(huey, *calls, threaded(), bad(17), bad(4711))
        assert found.since < before < found.until
        assert found.enqueued == 8
        assert found.rate_in == found.rate_out == 8 / found.seconds
        assert (found.total.ended, found.total.failed, found.total.retried) == (8, 2, 2)
        assert found.total.running.count == 10
        assert found.total.waiting.count == 8
        for durations in (found.total.running, found.total.waiting):
            assert durations.p50 is not None
            assert durations.p99 is not None
            assert durations.mean is not None
            assert 0 < durations.p50 <= durations.p99 < 60
        paths = [it.path for it in (good, bad, threaded)]
        assert [(it.name, it.ended) for it in found.tasks] == list(zip(paths, (5, 2, 1), strict=True))
        assert [it.name for it in found.most_failing] == [bad.path]
        assert {it.name for it in found.slowest} == set(paths)
        (group,) = found.failures
        assert (group.name, group.error, group.count) == (bad.path, "ValueError('no order N')", 2)
        assert sum(it.ended for it in found.series) == 8
        assert sum(it.enqueued or 0 for it in found.series) == 8
        assert {lane: it.enqueued for lane, it in found.lanes.items()} == {"loop": 7, "thread": 1, "process": 0}
        assert {it.oldest for it in found.lanes.values()} == {None}

        one = await huey.statistics(name=bad.path)
        assert (one.total.ended, one.total.retried, one.enqueued, one.rate_in) == (2, 2, None, None)
        assert [it.name for it in one.tasks] == [bad.path]
        assert [it.enqueued for it in one.series] == [None] * len(one.series)
        assert one.failures == found.failures
        assert (await huey.statistics(name="nobody")).total.ended == 0
        for since in (timedelta(days=30), 86400, datetime.now(UTC) - timedelta(hours=3)):
            assert (await huey.statistics(since)).total.ended == 8


async def test_statistics_tell_what_waits_and_since_when(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()

    @huey.task
    async def work() -> None: ...

    async with huey:
        await work()
        await work()
        found = await huey.statistics()
        assert found.lanes["loop"].ready == 2
        oldest = found.lanes["loop"].oldest
        assert oldest is not None
        assert 0 <= oldest < 60
        assert (found.total.ended, found.series) == (0, [])


async def test_nothing_is_counted_when_statistics_are_off(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey(statistics=False)

    @huey.task
    async def work() -> int:
        return 1

    async with huey:
        found = await run_all(huey, work())
    assert (found.total.ended, found.enqueued, found.tasks) == (0, 0, [])


async def test_consumer_tells_how_it_is_and_what_runs(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    begun, go_on = asyncio.Event(), asyncio.Event()

    @huey.task
    async def work() -> None:
        begun.set()
        await go_on.wait()

    async with huey, huey.create_consumer(workers=3, threads=2, periodic=False) as consumer:
        result = await work()
        await begun.wait()
        for job in consumer._ledger.snapshot():
            job.started_at -= 90.0  # it has run for long
        await consumer._publisher.publish()
        (told,) = await huey.consumers()
        assert (told.used, told.slots["loop"], told.stopping, told.periodic) == ({"loop": 1}, 3, False, False)
        assert told.memory is not None
        assert 2**20 < told.memory < 2**40
        assert told.lag is not None
        (running,) = told.longest
        assert (running.id, running.name) == (result.id, work.path)
        assert 80 < time.time() - running.since.timestamp() < 160
        consumer.stop()
        await consumer._publisher.publish()
        (told,) = await huey.consumers()
        assert told.stopping
        go_on.set()


async def test_statistics_of_a_moment_that_is_too_far_are_refused() -> None:
    huey = MemoryHuey()
    for since in (0, -1, timedelta(days=31), datetime.now(UTC) + timedelta(hours=1)):
        with pytest.raises(ConfigurationError, match="reach back"):
            await huey.statistics(since)
    with pytest.raises(ConfigurationError, match="statistics must be True or False"):
        MemoryHuey(statistics="no")  # type: ignore[arg-type]
    await huey.close()


async def test_statistics_block_for_those_without_a_loop() -> None:
    huey = MemoryHuey()

    @huey.periodic_task(crontab("0"))
    async def sweep() -> None: ...

    found = await asyncio.to_thread(huey.sync.statistics)
    assert found.total.ended == 0
    await asyncio.to_thread(huey.sync.close)


def test_age_is_of_the_oldest_that_says_when_it_was_made() -> None:
    ms = 1_800_000_000_000
    made = f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7abc-8def-0123456789ab"
    now = ms / 1000 + 10
    assert oldest_ages([], now) == {}
    assert oldest_ages([Header("own")], now) == {}
    assert oldest_ages([Header(made), Header(made, "thread", eta=now - 3)], now) == {"loop": 10, "thread": 3}
    assert oldest_ages([Header("own", eta=now - 5), Header(made)], now) == {"loop": 10}
    assert oldest_ages([Header(made)], now - 20) == {"loop": 0}


def test_consumer_of_an_earlier_version_is_read_without_what_it_does_not_tell() -> None:
    info = b'{"host": "web-1", "pid": 7, "started": 1.0, "lease": 15.0, "slots": {"loop": 2}, "names": ""}'
    (told,) = read_consumers([Owner("one", 1, info, 0)])
    assert (told.memory, told.lag, told.last_block, told.used, told.longest) == (None, None, None, {}, [])
    odd = info.replace(b'"names": ""', b'"longest": [["id"]]')
    assert read_consumers([Owner("one", 1, odd, 0)]) == []
