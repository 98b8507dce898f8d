"""Locks and rate limits, one step at a time, on every storage."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hueyio import Huey, Task, TaskException
from tests.facts.steps import later, listen, moment_of_run, run_all, run_next
from tests.support.patience import until


def declare_locked(huey: Huey, **options: Any) -> Any:
    @huey.lock_task("one")
    async def work(fails: bool = False) -> str:
        if fails:
            raise ValueError("no")
        return "done"

    return huey.task(**options)(work)


async def test_held_lock_keeps_a_task_out_once_for_each_of_its_retries(huey: Huey) -> None:
    stored: list[int] = []

    @huey.signal("retrying")
    async def count(signal: str, task: Task) -> None:
        stored.append(await huey.result_count())

    heard = listen(huey)
    async with huey.lock_task("one"):
        result = await declare_locked(huey, retries=1)()
        await run_all(huey)
    attempt = ["executing", "locked"]
    assert (stored, heard) == ([0], ["enqueued", *attempt, "retrying", "enqueued", *attempt])
    with pytest.raises(TaskException, match="unable to acquire lock one"):
        await result


async def test_lock_is_free_after_success_and_after_failure(huey: Huey) -> None:
    work = declare_locked(huey)
    for fails in (False, True, False):
        await work(fails)
        assert await run_next(huey) == (None if fails else "done")
        assert not await huey.is_locked("one")


async def test_lock_is_bound_by_its_block(huey: Huey) -> None:
    async with huey.lock_task("one") as lock:
        assert lock.name == "one"
        assert await huey.is_locked("one")
    assert not await huey.is_locked("one")


async def test_flush_gives_the_names_of_what_was_held(huey: Huey) -> None:
    held, free, unknown = huey.lock_task("held"), huey.lock_task("free"), "from elsewhere"
    await held.acquire()
    await huey.lock_task(unknown).acquire()
    assert await huey.flush_locks(unknown, "never held") == {"held", unknown}
    assert [await huey.is_locked(name) for name in ("held", free.name, unknown)] == [False] * 3
    assert await huey.flush_locks(unknown) == set()


async def test_call_over_the_rate_limit_waits_for_the_next_window(huey: Huey) -> None:
    window = 36_000
    opens = datetime.fromtimestamp((time.time() // window + 1) * window, UTC)

    @huey.task(retries=2)
    @huey.rate_limit("api", 1, per=window)
    async def work() -> str:
        return "done"

    await work()
    assert await run_next(huey) == "done"
    heard = listen(huey)
    result = await work()
    await run_next(huey)
    assert heard == ["enqueued", "executing", "rate-limited", "retrying", "scheduled"]
    (task,) = await huey.scheduled()
    assert (task.retries, await result.get()) == (2, None)
    assert task.eta is not None
    assert abs(task.eta - opens) < timedelta(seconds=5)


@pytest.mark.parametrize("retries", [0, 1])
async def test_call_over_a_limit_without_retry_uses_its_own(huey: Huey, retries: int) -> None:
    limit = huey.rate_limit("api", 1, per=36_000, retry=False)

    @huey.task(retries=retries, retry_delay=60)
    @limit
    async def work() -> None: ...

    await limit.acquire()
    result = await work()
    await run_next(huey)
    assert [task.retries for task in await huey.scheduled()] == ([0] if retries else [])
    await huey.read_schedule(later(61))
    await run_all(huey, later(61))
    with pytest.raises(TaskException, match="RateLimitExceeded"):
        await result


async def test_retry_of_a_call_over_a_limit_waits_for_the_next_window(huey: Huey) -> None:
    limit = huey.rate_limit("api", 1, per=36_000, retry=False)

    @huey.task(retries=3)
    @limit
    async def work() -> None: ...

    await limit.acquire()
    await work()
    await run_all(huey)
    (waiting,) = await huey.scheduled()
    assert waiting.retries == 2
    assert waiting.eta is not None
    assert waiting.eta > later(0)


@pytest.mark.parametrize("kind", ["windows", "bucket", "places"])
async def test_limit_of_zero_refuses_every_run(huey: Huey, kind: str) -> None:
    limits: dict[str, Any] = {
        "windows": lambda: huey.rate_limit("mail", 0, 36_000, retry=False),
        "bucket": lambda: huey.rate_limit("mail", 0, 36_000, retry=False, burst=3),
        "places": lambda: huey.limit("mail", 0, retry=False),
    }
    ran: list[int] = []

    async def body() -> None:
        ran.append(1)

    work = huey.task()(limits[kind]()(body))
    for _ in range(2):
        result = await work()
        await run_all(huey)
        with pytest.raises(TaskException, match=r"RateLimitExceeded|unable to acquire"):
            await result
    assert ran == []


async def test_delay_of_the_task_wins_over_the_window(huey: Huey) -> None:
    limit = huey.rate_limit("api", 1, per=36_000)

    @huey.task(retry_delay=60)
    @limit
    async def work() -> None: ...

    await limit.acquire()
    at = moment_of_run(huey, 1)
    await work()
    await run_next(huey, at)
    (task,) = await huey.scheduled()
    assert task.eta is not None
    assert abs(task.eta - at - timedelta(seconds=60)) < timedelta(seconds=1)


async def test_lock_with_a_time_to_live_ends_on_every_storage(huey: Huey) -> None:
    """In Huey only some storages have them."""
    await huey.lock_task("one", ttl=0.02).acquire()

    async def is_free() -> bool:
        return not await huey.is_locked("one")

    await until(is_free)
