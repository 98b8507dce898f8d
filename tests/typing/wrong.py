# pyright: reportUnnecessaryTypeIgnoreComment=true
"""Uses that are wrong, and that mypy and pyright must refuse: each complains of an ignore that it does not need."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from hueyio import FileHuey, MemoryHuey, RedisExpireHuey, RedisHuey, SqliteHuey, Task, chord, crontab, group

huey = MemoryHuey()


@huey.task
async def add(a: int, b: int) -> int:
    return a + b


@huey.task(retries=3)
def double(a: int) -> int:
    return 2 * a


@huey.task(context=True)
async def first(task: Task, a: int) -> str:
    return f"{task.id} {a}"


async def use_context(task: Task) -> None:
    await first("x")  # type: ignore[arg-type]
    await first(task, 1)  # type: ignore[call-arg, arg-type]
    await first(task=task, a=1)  # type: ignore[call-arg]


async def use_what_is_put_around_calls() -> None:
    number, text = await asyncio.gather(add(1, 2), first(1))
    wrong: tuple[str, int] = (await number, await text)  # type: ignore[assignment]
    one: int = await asyncio.wait_for(add(1, 2), 5)  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as tasks:
        two: int = await tasks.create_task(double(1))  # type: ignore[arg-type]
    await asyncio.gather(add(1, "x"), first())  # type: ignore[arg-type, call-arg]
    print(wrong, one, two)


async def use_names() -> None:
    huey.by_name(5)  # type: ignore[arg-type]
    huey.by_name("shop.mail.send").options(dealy=1)  # type: ignore[call-arg]


async def use_words_of_before() -> None:
    result = await add(1, 2)
    word: Literal["queued", "revoked", "dead", "gone"] = await result.status()  # type: ignore[assignment]
    print(word)


def make_with_typos() -> None:
    MemoryHuey(resuls=False)  # type: ignore[call-arg]
    RedisHuey("a", urll="redis://localhost")  # type: ignore[call-arg]
    RedisExpireHuey("a", expire_tim=5)  # type: ignore[call-arg]
    SqliteHuey("a", fsnc=False)  # type: ignore[call-arg]
    FileHuey("a", leveles=1)  # type: ignore[call-arg]
    huey.create_consumer(wrokers=3)  # type: ignore[call-arg]


def make_with_wrong_types() -> None:
    MemoryHuey(immediate="False")  # type: ignore[arg-type]
    RedisHuey("a", port="6379")  # type: ignore[arg-type]
    SqliteHuey("a", cache_mb="8")  # type: ignore[arg-type]
    huey.create_consumer(workers="3")  # type: ignore[arg-type]


def declare_with_typos() -> None:
    huey.task(retires=3)  # type: ignore[call-overload]
    huey.context_task(object(), retires=3)  # type: ignore[call-overload]
    huey.periodic_task(crontab(), retires=3)  # type: ignore[call-arg]
    huey.task(retries="3")  # type: ignore[call-overload]
    huey.periodic_task(crontab(), catch_up="yes")  # type: ignore[arg-type]
    huey.lock_task("one", tll=5)  # type: ignore[call-arg]
    huey.limit("pool", 2, kye=None)  # type: ignore[call-arg]
    huey.rate_limit("mail", 10, per=1, brust=3)  # type: ignore[call-arg]


async def call_with_typos() -> None:
    add.options(dealy=1)  # type: ignore[call-arg]
    add.options(delay="1")  # type: ignore[arg-type]
    await add.schedule((1, 2), dealy=1)  # type: ignore[call-arg]
    await (await add(1, 2)).get(tiemout=5)  # type: ignore[call-overload]
    await huey.schedules().add("nightly", add, crontab(), catchup=True)  # type: ignore[call-arg]


async def use_driver() -> None:
    await MemoryHuey().put(5, "value")  # type: ignore[arg-type]
    await huey.revoke(5)  # type: ignore[arg-type]
    await huey.result("id", timeout="x")  # type: ignore[arg-type]
    await (await add(1, 2)).reschedule(eta=5)  # type: ignore[arg-type]
    other = MemoryHuey().task(add)
    await other(1, "x")  # type: ignore[arg-type]
    async for value in (await add.map([(1, 2)])).as_completed():
        text: str = value  # type: ignore[assignment]
        print(text)


@huey.task(unique="skip")
@huey.lock_task("index")
async def index(shop: str) -> int:
    return len(shop)


async def use_limits() -> None:
    await index(5)  # type: ignore[arg-type]
    await index.options(unique="always")("books")  # type: ignore[arg-type]
    huey.limit("pool", "two")  # type: ignore[arg-type]
    huey.rate_limit("mail", 10)  # type: ignore[call-arg]
    huey.lock_task(5)  # type: ignore[arg-type]


async def use_canvas() -> None:
    group([1, 2])  # type: ignore[list-item]
    chord([add.s(1, 2)])  # type: ignore[call-arg]
    await huey.enqueue(add)  # type: ignore[call-overload]
    await huey.schedules().add(5, add, crontab())  # type: ignore[arg-type]
    huey.periodic_task("hourly")  # type: ignore[arg-type]


def use_blocking(connection: sqlite3.Connection) -> None:
    add.sync(1, "x")  # type: ignore[arg-type]
    text: str = double.sync(2).get(timeout=5)  # type: ignore[assignment]
    add.enqueue_in(connection, 1)  # type: ignore[call-arg, unused-coroutine]
    print(text)


def no_manager(task: Task) -> None: ...


@asynccontextmanager
async def of_attempts(task: Task) -> AsyncIterator[None]:
    yield


async def use_middleware() -> None:
    huey.around_attempt(no_manager)  # type: ignore[type-var]
    huey.around_enqueue(of_attempts)  # type: ignore[type-var]
    await add.options(headers={"a": 1})(1, 2)  # type: ignore[dict-item]
    MemoryHuey(propagate=5)  # type: ignore[arg-type]


async def use_pipelines() -> None:
    add.s(1).then(5)  # type: ignore[arg-type]
    add.s(1).error("report")  # type: ignore[arg-type]
    await add.map(5)  # type: ignore[arg-type]
    await huey.enqueue_many(5)  # type: ignore[arg-type]


async def main() -> None:
    await add(1, "x")  # type: ignore[arg-type]
    await add(1)  # type: ignore[call-arg]
    await add.options(delay=1)(1, "x")  # type: ignore[arg-type]
    await double("x")  # type: ignore[arg-type]
    text: str = await (await add(1, 2))  # type: ignore[assignment]
    number: int = await add(1, 2)  # type: ignore[assignment]
    value: int = await (await double(1)).get()  # type: ignore[assignment]
    numbers: list[str] = await (await add.map([(1, 2)]))  # type: ignore[assignment]
    print(text, number, value, numbers)
