# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""Uses of hueyio.blocking, with the types that mypy and pyright must find, and those that they must refuse."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar, assert_type

from hueyio.blocking import (
    BaseStorage,
    ChordResult,
    Consumer,
    Inspector,
    MemoryHuey,
    RateLimit,
    RedisExpireHuey,
    RedisHuey,
    Result,
    ResultGroup,
    Semaphore,
    SqliteHuey,
    Task,
    TaskLock,
    chord,
    crontab,
    group,
)

P = ParamSpec("P")
R = TypeVar("R")

huey = SqliteHuey("app", filename="app.db")


@huey.task()
def add(a: int, b: int = 2) -> int:
    return a + b


@huey.task
async def fetch(url: str) -> bytes:
    return url.encode() * await (await add.aio(1, 2))


@huey.task(context=True)
def who(task: Task, name: str) -> str:
    return f"{task.id} {name}"


@huey.context_task(sqlite3.connect(":memory:"), as_argument=True)
def query(db: sqlite3.Connection, table: str) -> float:
    return len(table) / 2


@huey.periodic_task(crontab(minute="0"))
def hourly() -> None: ...


@huey.task(retries=1)
@huey.lock_task("index")
def index(shop: str) -> int:
    return len(shop)


def use_tasks(connection: sqlite3.Connection) -> None:
    assert_type(add(1, b=2), Result[int])
    assert_type(add(1)(blocking=True, timeout=5), int)
    assert_type(add(1).get(timeout=5), int)
    assert_type(add(1).get(), int | None)
    assert_type(add.map([1, 2]), ResultGroup[int])
    assert_type(add.map([1, 2]).get(timeout=3), list[int])
    assert_type(list(add.map([1, 2]).as_completed()), list[int])
    assert_type(add.schedule((1, 2), delay=3), Result[int])
    assert_type(add.options(delay=3)(1, 2), Result[int])
    assert_type(add.options(delay=3).s(1, 2), Task)
    assert_type(add.enqueue_in(connection, 1, 2), Result[int])
    assert_type(add.call_local(1, 2), int)
    assert_type(fetch("a"), Result[bytes])
    assert_type(fetch.call_local("a"), bytes)
    assert_type(who("a"), Result[str])
    assert_type(query("a"), Result[float])
    assert_type(index("books"), Result[int])
    assert_type(add.revoke(), None)
    hourly()


def use_huey() -> None:
    assert_type(huey.count(), int)
    assert_type(huey.enqueue(group([add.s(1, 2)])), ResultGroup[Any])
    assert_type(huey.enqueue(chord([add.s(1, 2)], add)), ChordResult[Any])
    assert_type(huey.revoke(add(1)), None)
    assert_type(huey.is_revoked(add), bool)
    assert_type(huey.lock_task("a"), TaskLock)
    assert_type(huey.limit("a", 1).of(5), Semaphore)
    assert_type(huey.rate_limit("a", 1, per=5), RateLimit)
    assert_type(huey.rate_limit("a", 1, per=5).current_usage(), int)
    assert_type(BaseStorage(huey.storage).queue_size(), int)
    assert_type(Inspector(huey.storage).counts().scheduled, int)
    with huey.lock_task("a") as lock:
        assert_type(lock.is_locked(), bool)
    with huey.create_consumer(workers=3) as consumer:
        assert_type(consumer, Consumer)


async def use_coroutines() -> None:
    assert_type(await (await add.aio(1, 2)), int)
    assert_type(await (await add.aio.map([1, 2])), list[int])
    assert_type(await huey.aio.count(), int)
    assert_type(await add(1).aio, int)


def use_wrongly() -> None:
    add("1")  # type: ignore[arg-type]
    add.options(dealy=1)  # type: ignore[call-arg]
    who(5)  # type: ignore[arg-type]
    text: str = add(1).get(timeout=5)  # type: ignore[assignment]
    print(text)
    MemoryHuey(resuls=False)  # type: ignore[call-arg]
    SqliteHuey("a", fsnc=False)  # type: ignore[call-arg]
    RedisHuey("a", urll="redis://localhost")  # type: ignore[call-arg]
    RedisExpireHuey("a", expire_tim=5)  # type: ignore[call-arg]
    huey.create_consumer(wrokers=3)  # type: ignore[call-arg]


def logged(func: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    return func


@huey.task(retries=3)
@logged
async def weigh(a: int) -> float:
    return a / 2


def use_awaitables() -> None:
    assert_type(weigh(1), Result[float])
    assert_type(weigh.options(retries=3)(a=1), Result[float])
    assert_type(weigh.schedule((1,), delay=5), Result[float])
    assert_type(weigh.map([1]), ResultGroup[float])
