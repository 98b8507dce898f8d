"""Locks, semaphores and rate limits in tasks, on every storage."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

from hueyio import (
    ConfigurationError,
    Huey,
    HueyException,
    RateLimitExceeded,
    TaskCancelled,
    TaskException,
    TaskLockedException,
)
from hueyio.core import core_of
from hueyio.tasks.task import Task
from tests.support.patience import until

YEARS = 316_000_000.0
"""Ten, the longest time that a rate limit takes: no window begins, and no token comes, in the middle of a test."""


def listen(huey: Huey) -> list[str]:
    heard: list[str] = []

    @huey.signal()
    async def note(signal: str, task: Task, *args: Any) -> None:
        heard.append(signal)

    return heard


async def test_second_run_is_locked_out_and_fails_when_it_has_no_retries(huey: Huey) -> None:
    inside, leave = asyncio.Event(), asyncio.Event()

    @huey.task()
    @huey.lock_task("one")
    async def work() -> str:
        inside.set()
        await leave.wait()
        return "done"

    async with huey.create_consumer():
        first = await work()
        await inside.wait()
        assert await huey.is_locked("one")
        second = await work()
        with pytest.raises(TaskException, match="unable to acquire lock one") as raised:
            await second
        assert isinstance(raised.value.__cause__, TaskLockedException)
        leave.set()
        assert await first == "done"
        assert not await huey.is_locked("one")


async def test_lock_is_free_after_an_exception(huey: Huey) -> None:
    @huey.task()
    @huey.lock_task("one")
    def work() -> None:
        raise ValueError("no")

    async with huey.create_consumer():
        for _ in range(2):
            with pytest.raises(TaskException, match="no"):
                await (await work())
        assert not await huey.is_locked("one")


@pytest.mark.parametrize("retries", [0, 1])
async def test_signals_of_a_locked_task(huey: Huey, retries: int) -> None:
    lock = huey.lock_task("one")

    @huey.task(retries=retries, retry_delay=0.3)
    @lock
    async def work() -> None:
        raise AssertionError("it must not run")

    await lock.acquire()
    heard = listen(huey)
    result = await work()  # before a consumer that might be quicker than the enqueue's reply
    async with huey.create_consumer():
        with pytest.raises(TaskException):
            await result
    again = ["enqueued", "executing", "locked", "retrying", "scheduled", "executing", "locked"]
    assert heard == (again if retries else ["enqueued", "executing", "locked"])
    await lock.release()


async def test_lock_with_retry_waits_its_turn_without_using_up_retries(huey: Huey) -> None:
    lock = huey.lock_task("one", retry=True)

    @huey.task(retries=1, retry_delay=0.01, context=True)
    @lock
    async def work(task: Task) -> tuple[int, int]:
        return task.retries, task.attempt

    heard = listen(huey)
    await lock.acquire()
    async with huey.create_consumer():
        result = await work()
        await until(_truth(lambda: heard.count("retrying") >= 3))
        await lock.release()
        assert await result == (1, 0)
    assert "error" not in heard


async def test_lock_in_the_thread_of_a_def_task(huey: Huey) -> None:
    inside, leave = threading.Event(), threading.Event()

    @huey.task()
    def work() -> None:
        with huey.lock_task("one") as lock:
            assert lock.name == "one"
            inside.set()
            leave.wait(10)

    async with huey.create_consumer():
        first = await work()
        await asyncio.to_thread(inside.wait, 10)
        with pytest.raises(TaskException, match="unable to acquire lock one"):
            await (await work())
        leave.set()
        await first
        assert not await huey.is_locked("one")


async def test_lock_is_not_reentrant(huey: Huey) -> None:
    @huey.task()
    @huey.lock_task("one")
    async def work() -> None:
        async with huey.lock_task("one"):
            raise AssertionError("it must not get here")

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="unable to acquire lock one"):
            await (await work())
        assert not await huey.is_locked("one")


async def test_lock_of_a_cancelled_body_is_given_back(huey: Huey) -> None:
    inside = asyncio.Event()

    @huey.task()
    @huey.lock_task("one")
    async def work() -> None:
        inside.set()
        await asyncio.Event().wait()

    async with huey.create_consumer():
        result = await work()
        await inside.wait()
        assert await huey.is_locked("one")
        await result.cancel()
        with pytest.raises(TaskCancelled):
            await result
        assert not await huey.is_locked("one")


async def test_lock_of_a_body_that_the_stop_cuts_short_is_given_back(huey: Huey) -> None:
    started = asyncio.Event()

    @huey.task()
    @huey.lock_task("one")
    async def work() -> None:
        started.set()
        await asyncio.Event().wait()

    async with huey.create_consumer(shutdown_timeout=0):
        result = await work()
        await started.wait()
        assert await huey.is_locked("one")
    assert not await huey.is_locked("one")
    assert await result.status() == "ready"


async def test_cancelled_entry_leaves_nothing_behind(huey: Huey) -> None:
    lock = huey.lock_task("one")
    await core_of(huey).session()
    for turns in range(8):
        entering = asyncio.create_task(lock.acquire())
        for _ in range(turns):
            await asyncio.sleep(0)
        if not entering.done():
            entering.cancel()
        await asyncio.wait([entering])
        if not entering.cancelled():
            await lock.release()
        await until(lambda: _is_free(huey, "one"))


async def test_lock_outside_of_a_task(huey: Huey) -> None:
    lock = huey.lock_task("one")
    async with lock:
        assert await lock.is_locked()
        assert await lock.locked()
        with pytest.raises(TaskLockedException, match="unable to acquire lock one"):
            await huey.lock_task("one").acquire()
    assert not await lock.is_locked()
    assert await lock.acquire() is True
    assert await lock.clear()
    assert not await lock.clear()
    await lock.release()
    with pytest.raises(HueyException, match="not acquired"):
        await lock.release()


async def test_nobody_releases_the_lock_of_another(huey: Huey) -> None:
    first, second = huey.lock_task("one"), huey.lock_task("one")
    await first.acquire()
    await first.clear()
    await second.acquire()
    await first.release()
    assert await huey.is_locked("one")
    await second.release()


async def test_ttl_ends_a_lock_that_is_still_held(huey: Huey) -> None:
    lock = huey.lock_task("one", 0.05)
    await lock.acquire()
    await until(lambda: _is_free(huey, "one"))
    other = huey.lock_task("one")
    await other.acquire()
    await lock.release()
    assert await huey.is_locked("one")
    await other.release()


async def test_flush_locks_returns_the_names_that_were_held(huey: Huey) -> None:
    await huey.lock_task("one").acquire()
    await huey.lock_task("keyed").of("key").acquire()
    huey.lock_task("free")
    await huey.limit("semaphore", 2).acquire()
    assert await huey.flush_locks("extra") == {"one", "keyed:key"}
    assert await huey.flush_locks() == set()
    assert await huey.limit("semaphore", 2).current_usage() == 1


async def test_blocking_lock_outside_of_a_task_keeps_others_out(huey: Huey) -> None:
    lock = huey.lock_task("one")

    def hold() -> bool:
        with lock:
            with pytest.raises(TaskLockedException), huey.lock_task("one"):
                pass
            return asyncio.run(is_held())

    async def is_held() -> bool:
        try:
            return await huey.is_locked("one")
        finally:
            await huey.close()

    @lock
    def guarded() -> str:
        return "guarded"

    assert await asyncio.to_thread(hold)
    assert await asyncio.to_thread(guarded) == "guarded"
    assert not await huey.is_locked("one")
    await asyncio.to_thread(huey.sync.close)


async def test_blocking_lock_where_it_cannot_work_says_what_to_do(huey: Huey) -> None:
    with pytest.raises(HueyException, match="use `async with`"), huey.lock_task("one"):
        pass
    with pytest.raises(ConfigurationError, match=r"below @huey\.task"):

        @huey.lock_task("one")
        @huey.task()
        def work() -> None:
            pass

    with pytest.raises(ConfigurationError, match="name"):
        huey.lock_task("")
    with pytest.raises(ConfigurationError, match="ttl"):
        huey.lock_task("one", ttl=0)
    with pytest.raises(ConfigurationError, match="size"):
        huey.limit("one", -1)


async def test_locks_and_semaphores_for_code_that_blocks(huey: Huey) -> None:
    lock, places = huey.lock_task("one"), huey.limit("two", 2)

    def use() -> None:
        assert lock.sync.acquire()
        assert (lock.sync.is_locked(), lock.sync.locked(), lock.sync.current_usage()) == (True, True, 1)
        with pytest.raises(TaskLockedException):
            huey.lock_task("one").sync.acquire()
        lock.sync.release()
        assert not lock.sync.is_locked()
        with pytest.raises(HueyException, match="was not acquired here"):
            lock.sync.release()

    def fill() -> None:
        assert places.sync.acquire()
        assert places.sync.acquire()
        assert places.sync.current_usage() == 2
        assert places.sync.clear()
        assert places.sync.current_usage() == 0

    @huey.task()
    def in_a_body() -> str:
        use()
        lock.sync.acquire()
        return "left to the consumer"

    try:
        await asyncio.to_thread(use)
        await asyncio.to_thread(fill)
        async with huey.create_consumer():
            assert await (await in_a_body()) == "left to the consumer"
    finally:
        await asyncio.to_thread(huey.sync.close)
    with pytest.raises(HueyException, match="use `async with` or `await`"):
        lock.sync.acquire()


@pytest.mark.parametrize("burst", [None, 3])
async def test_rate_limits_for_code_that_blocks(huey: Huey, burst: int | None) -> None:
    limit = huey.rate_limit("slow", 3, per=YEARS, burst=burst)

    def use() -> int:
        for number in range(3):
            assert limit.sync.current_usage() == number
            assert limit.sync.acquire()
        with pytest.raises(RateLimitExceeded):
            limit.sync.acquire()
        limit.sync.reset()
        return limit.sync.current_usage()

    @huey.task()
    def in_a_body() -> int:
        return use()

    try:
        assert await asyncio.to_thread(use) == 0
        async with huey.create_consumer():
            assert await (await in_a_body()) == 0
    finally:
        await asyncio.to_thread(huey.sync.close)


# --- semaphores


async def test_semaphore_bounds_the_runs_of_each_key(huey: Huey) -> None:
    running: dict[str, int] = {"a": 0, "b": 0}
    most: dict[str, int] = {"a": 0, "b": 0}
    pairs = {"a": asyncio.Barrier(2), "b": asyncio.Barrier(2)}

    @huey.task(retry_delay=0.01)
    @huey.limit("tenant", 2, key=lambda tenant, number: tenant)
    async def work(tenant: str, number: int) -> None:
        running[tenant] += 1
        most[tenant] = max(most[tenant], running[tenant])
        await pairs[tenant].wait()  # each has both places taken
        running[tenant] -= 1

    async with huey.create_consumer(workers=20):
        results = await work.map([(tenant, number) for number in range(10) for tenant in "ab"])
        await results.get(blocking=True, timeout=30)
    assert most == {"a": 2, "b": 2}
    assert await huey.limit("tenant", 2).of("a").current_usage() == 0


async def test_semaphore_counts_its_places(huey: Huey) -> None:
    semaphore = huey.limit("pool", 2)
    async with semaphore, huey.limit("pool", 2):
        assert await semaphore.current_usage() == 2
        assert await semaphore.is_locked()
        with pytest.raises(TaskLockedException, match="unable to acquire a place of pool"):
            await semaphore.acquire()
    assert await semaphore.current_usage() == 0


# --- rate limits


async def test_signals_of_a_task_over_its_rate_limit(huey: Huey) -> None:
    @huey.task(context=True)
    @huey.rate_limit("api", 1, per=1)
    async def work(task: Task) -> tuple[int, int]:
        return task.retries, task.attempt

    async with huey.create_consumer():
        await (await work())
        heard = listen(huey)
        assert await (await work()) == (0, 0)
    heard.remove("enqueued")  # the consumer may be quicker than the enqueue's reply
    # The window may have changed just between the two runs.
    assert heard in (
        ["executing", "complete"],
        ["executing", "rate-limited", "retrying", "scheduled", "executing", "complete"],
    )


async def test_rate_limit_without_retry_fails_or_uses_retries_up(huey: Huey) -> None:
    limit = huey.rate_limit("api", 1, per=YEARS, retry=False)

    @huey.task()
    @limit
    def work() -> None:
        pass

    heard = listen(huey)
    async with huey.create_consumer():
        await limit.acquire()
        with pytest.raises(TaskException, match="RateLimitExceeded"):
            await (await work())
        with pytest.raises(TaskException, match="RateLimitExceeded"):
            await (await work.options(retries=1, retry_delay=0.3)())
    assert heard.count("enqueued") == 2
    one = ["executing", "rate-limited"]
    # Without these: the consumer may be quicker than the enqueue's reply.
    assert [it for it in heard if it != "enqueued"] == [*one, *one, "retrying", "scheduled", *one]


async def test_own_retry_delay_wins_over_the_window(huey: Huey) -> None:
    limit = huey.rate_limit("api", 1, per=YEARS)

    @huey.task(retry_delay=0.01)
    @limit
    async def work() -> str:
        return "run"

    heard = listen(huey)
    await limit.acquire()
    async with huey.create_consumer():
        result = await work()
        await until(_truth(lambda: "retrying" in heard))
        assert await result.get() is None  # nothing is stored meanwhile
        await limit.reset()
        assert await result == "run"


@pytest.mark.parametrize("burst", [None, 2])
async def test_rate_limit_counts_and_is_reset(huey: Huey, burst: int | None) -> None:
    limit = huey.rate_limit("api", 2, per=YEARS, burst=burst)
    assert await limit.current_usage() == 0
    assert await limit.acquire()
    async with limit:
        pass
    assert await limit.current_usage() == 2
    with pytest.raises(RateLimitExceeded) as raised:
        await limit.acquire()
    assert 0 < raised.value.delay <= YEARS
    assert raised.value.key == "api"
    await limit.of("other").acquire()
    await limit.reset()
    assert await limit.current_usage() == 0
    assert await limit.acquire()


def test_rate_limit_exceeded_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(RateLimitExceeded("api", 1.5, retry=False)))
    assert (error.key, error.delay, error.retry) == ("api", 1.5, False)
    locked = pickle.loads(pickle.dumps(TaskLockedException("text", 2.0)))
    assert (str(locked), locked.delay) == ("text", 2.0)


@pytest.mark.parametrize("wrong", [{"limit": -1}, {"per": 0}, {"burst": 0}, {"name": ""}, {"key": 5}])
def test_rate_limit_that_cannot_be_says_why(wrong: dict[str, Any], make_huey: Callable[..., Huey]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        make_huey().rate_limit(**{"name": "api", "limit": 1, "per": 1, **wrong})


@pytest.mark.parametrize("immediate", [True])
async def test_limits_in_immediate_mode(huey: Huey, immediate: bool) -> None:
    huey.immediate = immediate
    lock = huey.lock_task("one")

    @huey.task()
    @lock
    def work() -> str:
        with huey.limit("pool", 1):
            return "done"

    assert await (await work()) == "done"
    async with lock:
        with pytest.raises(TaskException, match="unable to acquire lock one"):
            await (await work())


def _truth(question: Callable[[], bool]) -> Callable[[], Any]:
    async def ask() -> bool:
        return question()

    return ask


async def _is_free(huey: Huey, name: str) -> bool:
    return not await huey.is_locked(name)
