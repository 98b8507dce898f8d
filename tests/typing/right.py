"""Uses that are right, with the types that mypy and pyright must find."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ParamSpec, TypeAlias, TypeVar, assert_never, assert_type
from uuid import UUID

from pydantic import BaseModel

from hueyio import (
    SIGNAL_ERROR,
    BaseStorage,
    ChordResult,
    EncryptedSerializer,
    Enqueue,
    Error,
    JSONSerializer,
    MemoryHuey,
    Result,
    ResultGroup,
    ScheduleInfo,
    SyncResult,
    SyncResultGroup,
    Task,
    TaskLock,
    chord,
    crontab,
    group,
)
from hueyio.handles.result import Status

P = ParamSpec("P")
R = TypeVar("R")

MANY: TypeAlias = tuple[ResultGroup[int], Result[str]]

huey = MemoryHuey()
other = MemoryHuey("other")


@huey.task
async def add(a: int, b: int) -> int:
    return a + b


@huey.task(retries=3)
def double(a: int) -> int:
    return 2 * a


@huey.task(context=True)
async def first(task: Task, a: int, *, b: str = "") -> str:
    return f"{task.id} {a} {b}"


@huey.task(context=True)
def last(a: object, task: Task | None = None) -> float:
    return 0.5 if task is None else 1.5


add_elsewhere = other.task(add)
double_elsewhere = other.task(name="double")(double)


def logged(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    return function


@huey.task
@logged
async def watched(a: int) -> str:
    return str(a)


@huey.task(retries=1)
@logged
async def watched_with_options(a: int) -> str:
    return str(a)


async def use_what_is_put_around_calls() -> None:
    assert_type(await asyncio.gather(add(1, 2), first(1)), tuple[Result[int], Result[str]])
    assert_type(await asyncio.gather(add.options(delay=1)(1, 2), double(1)), tuple[Result[int], Result[int]])
    assert_type(await asyncio.gather(add.map([(1, 2)]), first.schedule((1,), delay=1)), MANY)
    assert_type(await asyncio.gather(await add(1, 2), await first(1)), tuple[int, str])
    assert_type(await asyncio.gather(add(1, 2), return_exceptions=True), tuple[Result[int] | BaseException])
    assert_type(await asyncio.wait_for(add(1, 2), 5), Result[int])
    assert_type(await asyncio.shield(add(1, 2)), Result[int])
    assert_type(asyncio.create_task(add(1, 2)), asyncio.Task[Result[int]])
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(5):
        assert_type(await tasks.create_task(first(1)), Result[str])
    for earliest in asyncio.as_completed([add(1, 2), add(3, 4)]):
        assert_type(await earliest, Result[int])


@huey.task
@logged
async def describe(row: dict[str, Any]) -> list[Any]:
    return [row]


async def use_decorated() -> None:
    assert_type(await describe({}), Result[list[Any]])
    assert_type(await watched(1), Result[str])
    assert_type(await watched.call_local(1), str)
    assert_type(await watched_with_options(1), Result[str])


async def use_names() -> None:
    assert_type(await huey.enqueue_by_name("shop.mail.send", 1, to="ada"), Result[Any])
    assert_type(await huey.by_name("shop.mail.send").options(id="7")(id="8"), Result[Any])
    assert_type(huey.by_name("shop.mail.send").sync(1), SyncResult[Any])
    assert_type(await huey.enqueue_many([add.s(1, 2)]), ResultGroup[Any])


async def use_context() -> None:
    assert_type(await first(1, b="x"), Result[str])
    assert_type(await last("a"), Result[float])
    group = await first.map([1, 2])
    assert_type(await group, list[str])
    assert_type(await group.get(blocking=True), list[str])
    assert_type(await group.get(), list[str | None])


async def use_status() -> str:
    result = await add(1, 2)
    match await result.status():
        case "ready" | "scheduled" | "waiting" | "running" | "retrying":
            return "to come"
        case "done":
            return "good"
        case "failed" | "expired" | "cancelled" | "lost" | "undeclared" | "unreadable":
            return "bad"
        case "unknown":
            return "who knows"
        case other_word:
            assert_never(other_word)


def use_blocking_status() -> Status:
    assert_type(huey.sync.result_of("id").status(), Status)
    return add.sync(1, 2).status()


async def use_redeclared() -> None:
    assert_type(await add_elsewhere(1, 2), Result[int])
    assert_type(await add_elsewhere.call_local(1, 2), int)
    assert_type(await double_elsewhere(1), Result[int])
    assert_type(double_elsewhere.call_local(1), int)


async def use_results() -> None:
    result = await add(1, 2)
    assert_type(await result.is_ready(), bool)
    assert_type(await result.get_raw_result(), int | Error | None)
    group = await add.map([(1, 2)])
    assert_type(group[0], Result[int])
    assert_type([result async for result in group.as_completed()], list[int])
    assert_type(add.s(1, 2).then(double).error(last), Task)


class Receipt(BaseModel):
    total: Decimal


@dataclass
class Order:
    id: UUID
    at: datetime


typed = MemoryHuey("typed", serializer=EncryptedSerializer(bytes(32), serializer=JSONSerializer(typed=True)))


@typed.task
async def charge(order: Order, *, due: datetime | None = None) -> Receipt:
    return Receipt(total=Decimal(len(str(order.id))))


async def use_typed_payloads(order: Order) -> None:
    assert_type(await (await charge(order, due=order.at)), Receipt)
    assert_type(await (await charge.map([order])), list[Receipt])
    assert_type(typed.result_of("id"), Result[Any])
    assert_type(typed.result_of("id", returns=Receipt), Result[Receipt])
    assert_type(await typed.result_of("id", returns=list[Receipt]), list[Receipt])
    assert_type(typed.result_of("id", Receipt | None), Result[Any])
    assert_type(typed.sync.result_of("id", Receipt), SyncResult[Receipt])
    assert_type(EncryptedSerializer.new_key(), str)


async def use_values() -> None:
    assert_type(await huey.put_if_empty("key", 1, ttl=5), bool)
    assert_type(await huey.get_raw("key"), bytes | None)
    assert_type(await huey.delete("key"), bool)
    assert_type(await huey.all_results(), dict[str, bytes])
    assert_type(await huey.pending(limit=3), list[Task])


@huey.task(unique="skip")
@huey.lock_task("index")
async def index(shop: str) -> int:
    return len(shop)


@huey.task(unique="replace", unique_key=lambda user: user)
@huey.limit("pool", 2, key=lambda user: user)
@huey.rate_limit("mail", 10, per=1)
def remind(user: str) -> None: ...


@huey.periodic_task(crontab(minute="0"))
async def hourly() -> None: ...


@huey.pre_execute()
def before(task: Task) -> None: ...


@huey.post_execute("after")
async def after(task: Task, value: object, error: BaseException | None) -> None: ...


@huey.signal(SIGNAL_ERROR)
async def hear(signal: str, task: Task, error: BaseException) -> None: ...


async def use_limits() -> None:
    assert_type(await index("books"), Result[int])
    assert_type(await index.call_local("books"), int)
    assert_type(await remind("ada"), Result[None])
    assert_type(await index.options(unique="raise", unique_key="one")("books"), Result[int])
    async with huey.lock_task("deployment") as lock:
        assert_type(lock, TaskLock)
    assert_type(await huey.limit("pool", 2).of("ada").current_usage(), int)
    assert_type(await huey.rate_limit("mail", 10, per=1, burst=3).acquire(), bool)
    assert_type(await huey.flush_locks(), set[str])


async def use_canvas() -> None:
    assert_type(await huey.enqueue(group([add.s(1, 2)])), ResultGroup[Any])
    assert_type(await huey.enqueue(chord([add.s(1, 2)], double)), ChordResult[Any])
    assert_type(group([add.s(1, 2)]).then(double), chord)


async def use_schedules() -> None:
    assert_type(await huey.schedules().list(), list[ScheduleInfo])
    await huey.schedules().add("nightly", add.s(1, 2), crontab(hour="3", minute="0"))


def use_blocking(connection: sqlite3.Connection) -> None:
    assert_type(add.sync(1, 2), SyncResult[int])
    assert_type(double.sync(2).get(timeout=5), int)
    assert_type(add.sync.map([(1, 2)]), SyncResultGroup[int])
    assert_type(add.sync.map([1, 2]).get(timeout=3), list[int])
    assert_type(add.options(delay=1).sync(1, b=2), SyncResult[int])
    assert_type(add.sync.call_local(1, 2), int)
    assert_type(add.sync(1, 2).aio, Result[int])
    assert_type(huey.sync.count(), int)
    assert_type(huey.sync.enqueue(group([add.s(1, 2)])), SyncResultGroup[Any])
    assert_type(huey.sync.revoke(add.sync(1, 2)), None)
    assert_type(BaseStorage(huey.storage).sync.queue_size(), int)
    assert_type(huey.sync.limit("pool", 2).of("ada").current_usage(), int)
    with huey.sync.consumer(workers=3) as consumer:
        assert_type(consumer.owner, str)
    with huey.lock_task("deployment") as lock:
        assert_type(lock, TaskLock)


async def use_transaction(connection: sqlite3.Connection) -> None:
    assert_type(await add.enqueue_in(connection, 1, b=2), Result[int])
    assert_type(await add.options(delay=1).enqueue_in(connection, 1, 2), Result[int])


@huey.around_enqueue
@asynccontextmanager
async def stamp(calls: Enqueue) -> AsyncIterator[None]:
    for task in calls.tasks:
        assert_type(task.headers, dict[str, str])
    yield
    assert_type(calls.enqueued, tuple[str | None, ...] | None)


@huey.around_attempt
@contextmanager
def trace(task: Task) -> Iterator[str]:
    yield task.headers.get("traceparent", "")


@huey.around_attempt
class Trace:
    def __init__(self, task: Task) -> None: ...
    async def __aenter__(self) -> None: ...
    async def __aexit__(self, *details: object) -> None: ...


async def use_middleware() -> None:
    async with stamp(Enqueue([])):
        pass
    with trace(add.s(1, 2)) as traced:
        assert_type(traced, str)
    assert_type(Trace(add.s(1, 2)), Trace)
    assert_type(huey.unregister_around_attempt(Trace), bool)
    assert_type(await add.options(headers={"a": "b"})(1, 2), Result[int])
    MemoryHuey(propagate=("traceparent",))


async def main() -> None:
    assert_type(await add(1, 2), Result[int])
    assert_type(await (await add(1, b=2)), int)
    assert_type(await double(1), Result[int])
    assert_type(await add.options(delay=1, priority=5)(1, 2), Result[int])
    assert_type(await add.map([(1, 2)]), ResultGroup[int])
    assert_type(await add.call_local(1, 2), int)
    assert_type(double.call_local(1), int)
    assert_type(await (await add(1, 2)).get(), int | None)
    assert_type(await (await add(1, 2))(blocking=True, timeout=5), int)


def traced(func: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    return func


@huey.task
@traced
async def weigh(a: int) -> float:
    return a / 2


@huey.task(retries=3)
@traced
async def price(a: object, *, b: Any = None) -> str:
    return f"{a} {b}"


@huey.task
async def anything(a: Any) -> dict[str, Any]:
    return {"a": a}


async def use_awaitables() -> None:
    assert_type(await weigh(1), Result[float])
    assert_type(await weigh.options(retries=3)(a=1), Result[float])
    assert_type(await weigh.schedule((1,), delay=5), Result[float])
    assert_type(await weigh.map([1]), ResultGroup[float])
    assert_type(weigh.sync(1), SyncResult[float])
    assert_type(await weigh.call_local(1), float)
    assert_type(await price("a", b=1), Result[str])
    assert_type(await anything("a"), Result[dict[str, Any]])
    weigh("a")  # type: ignore[arg-type, unused-coroutine, unused-ignore]
