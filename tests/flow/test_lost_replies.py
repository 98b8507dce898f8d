"""A consumer whose storage loses replies: nothing is lost, nothing is run that nobody asked for."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from hueyio import Huey, RateLimit, Semaphore, StorageUnavailable, TaskCancelled, TaskException
from hueyio.limits.base import Guard
from hueyio.storage.clock import Clock
from hueyio.storage.contract import Capabilities, LeaseKeeper, Session, Storage
from tests.support.patience import until


class LossyStorage:
    """A storage in front of another: some operations take effect, and every third time their reply is lost."""

    def __init__(self, storage: Storage, lossy: set[str], every: int) -> None:
        self._storage = storage
        self.lossy = lossy
        self.every = every
        self.calls: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()

    @property
    def name(self) -> str:
        return self._storage.name

    @property
    def capabilities(self) -> Capabilities:
        return self._storage.capabilities

    @property
    def clock(self) -> Clock:
        return self._storage.clock

    async def connect(self) -> Session:
        session: Any = LossySession(await self._storage.connect(), self)
        typed: Session = session
        return typed

    def lease_keeper(self, owner: str) -> LeaseKeeper:
        return self._storage.lease_keeper(owner)

    def __str__(self) -> str:
        return f"lossy {self._storage}"


class LossySession:
    def __init__(self, session: Session, storage: LossyStorage) -> None:
        self._session = session
        self._storage = storage

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._session, name)
        if name not in self._storage.lossy:
            return operation

        async def lose(*args: Any, **kwargs: Any) -> Any:
            answer = await operation(*args, **kwargs)
            self._storage.calls[name] += 1
            if self._storage.calls[name] % self._storage.every == 0:
                self._storage.lost[name] += 1
                raise StorageUnavailable(f"the reply of {name} was lost")
            return answer

        return lose


def make_lossy(
    make_huey: Callable[..., Huey], lossy: set[str], every: int = 3, **options: Any
) -> tuple[Huey, LossyStorage]:
    lossy_storage = LossyStorage(make_huey().storage, lossy, every)

    class LossyHuey(Huey):
        def get_storage(self, **_: Any) -> Storage:
            return lossy_storage

    return LossyHuey("lossy", **options), lossy_storage


@pytest.mark.parametrize(
    "lossy",
    ["claim", "settle", "held", "peek", "promote owners notices", "claim settle held peek"],
)
async def test_every_task_runs_once_and_is_answered(make_huey: Callable[..., Huey], lossy: str) -> None:
    huey, storage = make_lossy(make_huey, set(lossy.split()))
    runs: Counter[int] = Counter()

    @huey.task
    async def work(number: int) -> int:
        runs[number] += 1
        await asyncio.sleep(0)
        return number

    await huey.revoke_by_id("another")  # so that revocations are looked for at all
    async with huey.create_consumer(workers=7, prefetch=5):
        results: Any = []
        for start in range(0, 50, 10):
            group = await work.map(range(start, start + 10))
            results += await asyncio.gather(*group)
    assert all(storage.lost[name] for name in storage.lossy & {"claim", "settle", "peek"})
    storage.lossy = set()
    assert results == list(range(50))
    assert set(runs.values()) == {1}
    counts = await huey.counts()
    assert (counts.running, sum(counts.queued.values()), counts.results) == (0, 0, 0)
    await huey.close()


async def test_repeated_enqueue_after_a_lost_reply_makes_no_second_task(make_huey: Callable[..., Huey]) -> None:
    huey, storage = make_lossy(make_huey, {"enqueue"}, every=1)

    @huey.task
    async def work() -> int:
        return 1

    task = work.s()
    for _ in range(3):
        with pytest.raises(StorageUnavailable):
            await huey.enqueue(task)
    storage.lossy = set()
    assert await huey.count() == 1
    await huey.close()


def guards_of(huey: Huey) -> dict[str, Semaphore | RateLimit]:
    return {
        "lock": huey.lock_task("one"),
        "semaphore": huey.limit("two", 2),
        "window": huey.rate_limit("window", 100, per=3600),
        "bucket": huey.rate_limit("bucket", 100, per=3600, burst=100),
    }


GUARDS = ["lock", "semaphore", "window", "bucket"]


@pytest.mark.parametrize("name", GUARDS)
async def test_body_waits_at_a_limit_for_a_storage_that_is_away(make_huey: Callable[..., Huey], name: str) -> None:
    huey, storage = make_lossy(make_huey, {"acquire", "add", "take"}, every=2)
    guard: Guard[Any] = guards_of(huey)[name]

    @huey.task
    @guard
    async def on_the_loop(number: int) -> int:
        return number

    @huey.task
    def in_a_thread(number: int) -> int:
        with guard:
            return number

    async with huey.create_consumer():
        for number in range(2):  # without retries
            assert await (await on_the_loop(number)) == number
            assert await (await in_a_thread(number)) == number
    assert storage.lost.total() >= 2
    await huey.close()


@pytest.mark.parametrize("name", GUARDS)
async def test_who_is_no_task_is_told_at_once_that_the_storage_is_away(
    make_huey: Callable[..., Huey], name: str
) -> None:
    huey, storage = make_lossy(make_huey, {"acquire", "add", "take"}, every=1)
    guard = guards_of(huey)[name]
    with pytest.raises(StorageUnavailable):
        await guard.acquire()
    assert storage.lost.total() == 1
    if isinstance(guard, Semaphore):

        async def is_given_back() -> bool:
            return await guard.current_usage() == 0

        await until(is_given_back)
    await huey.close()


@pytest.mark.parametrize("name", GUARDS)
async def test_call_in_immediate_mode_does_not_wait_for_a_storage_that_is_away(
    make_huey: Callable[..., Huey], name: str
) -> None:
    lossy = {"acquire", "add", "take"}
    huey, _ = make_lossy(make_huey, lossy, every=1, immediate=True, immediate_use_memory=False)
    guard: Guard[Any] = guards_of(huey)[name]

    @huey.task
    @guard
    async def work() -> None:
        raise AssertionError("it was let in")

    with pytest.raises(TaskException, match="the reply of"):
        await (await work())
    await huey.close()


async def test_body_that_waits_at_a_lock_for_the_storage_can_be_cancelled(make_huey: Callable[..., Huey]) -> None:
    huey, storage = make_lossy(make_huey, {"acquire"}, every=1)
    lock = huey.lock_task("one")

    @huey.task
    @lock
    async def work() -> None:
        raise AssertionError("it has no lock")

    async def is_free() -> bool:
        return not await lock.is_locked()

    async def was_asked_for() -> bool:
        return storage.lost["acquire"] > 0

    async with huey.create_consumer():
        result = await work()
        await until(was_asked_for)
        assert await result.cancel()
        with pytest.raises(TaskCancelled):
            await result
        storage.lossy = set()
        await until(is_free)
    await huey.close()


@pytest.mark.parametrize("end", ["timeout", "cancel"])
async def test_thread_that_waits_at_a_lock_for_the_storage_ends_with_its_task(
    make_huey: Callable[..., Huey], end: str
) -> None:
    huey, storage = make_lossy(make_huey, {"acquire"}, every=1)
    lock = huey.lock_task("one")
    ran: list[bool] = []

    @huey.task(timeout=1.0 if end == "timeout" else None)
    @lock
    def work() -> None:
        ran.append(True)

    async def was_asked_for() -> bool:
        return storage.lost["acquire"] > 0

    async def is_free() -> bool:
        return not await lock.is_locked()

    async with huey.create_consumer() as consumer:

        async def has_no_thread_left() -> bool:
            return consumer.statistics().abandoned_threads == 0

        result = await work()
        await until(was_asked_for)
        if end == "cancel":
            await result.cancel()
        with pytest.raises(TaskCancelled if end == "cancel" else TaskException):
            await result
        await until(has_no_thread_left)  # although the storage never answers
        storage.lossy = set()
        await until(is_free)
    assert not ran
    await huey.close()
