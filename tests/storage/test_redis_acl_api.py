"""The users that the documentation proposes may use the whole API, and nothing beside their queue."""

from __future__ import annotations

import asyncio
import inspect
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import redis
from redis.exceptions import NoPermissionError
from tests.support.patience import until
from tests.support.redis_users import User
from tests.support.servers import Server

from hueyio import (
    ChordResult,
    Huey,
    Inspector,
    PriorityRedisExpireHuey,
    RateLimit,
    RedisHuey,
    Result,
    ResultGroup,
    Semaphore,
    Task,
    TaskCancelled,
    TaskException,
    TaskLock,
    TaskWrapper,
    chord,
    crontab,
    group,
)
from hueyio.schedules.stored import Schedules

KINDS: Final = [
    RedisHuey,
    pytest.param(PriorityRedisExpireHuey, marks=pytest.mark.again("the rules are compared with all scripts of both")),
]


class Side(NamedTuple):
    """A program: its Huey, and its tasks."""

    huey: Huey
    add: TaskWrapper[..., Any]
    fail: TaskWrapper[..., Any]
    steps: TaskWrapper[..., Any]
    guarded: TaskWrapper[..., Any]
    rest: TaskWrapper[..., Any]
    total: TaskWrapper[..., Any]


def make_side(kind: type[RedisHuey], user: User) -> Side:
    huey = kind(user.queue, url=user.url)

    @huey.task(name="add")
    async def add(a: int, b: int = 0) -> int:
        return a + b

    @huey.task(name="fail", retries=1)
    async def fail() -> None:
        raise ValueError("no")

    @huey.task(name="steps", context=True)
    async def steps(task: Task) -> None:
        for part in (0.1, 0.5, 1.0):
            await task.progress(part)

    @huey.task(name="guarded", unique="skip")
    @huey.lock_task("one", retry=True)
    @huey.limit("two", 2)
    @huey.rate_limit("many", 1000, 1)
    async def guarded() -> bool:
        return await huey.put_if_empty("guarded", 1) or await huey.is_locked("one")

    @huey.task(name="rest")
    async def rest() -> None:
        await asyncio.sleep(3600)

    @huey.task(name="total")
    async def total(values: list[int]) -> int:
        return sum(values)

    return Side(huey, add, fail, steps, guarded, rest, total)


@pytest.fixture
def users(server: Server) -> Iterator[tuple[User, User]]:
    """A worker and a producer of one queue."""
    queue = f"shop-{uuid.uuid4().hex}"
    made = User(server, "worker", queue), User(server, "producer", queue)
    yield made
    for user in made:
        user.close()


# --- what a program does while no consumer runs


async def use_values(it: Side) -> None:
    huey = it.huey
    await huey.put("key", 1)
    assert (await huey.get_raw("key", peek=True), await huey.get("key")) != (None, None)
    assert await huey.put_if_empty("another", 1, ttl=60)  # classes that let results expire keep what is read
    assert await huey.delete("another")
    await huey.put_result("made up", 1)
    assert (await huey.result_count(), len(await huey.all_results())) == (1, 1)
    assert await huey.result("made up") == 1


async def use_revocations(it: Side) -> None:
    huey, call = it.huey, it.add.s(1)
    await huey.revoke_all(it.add)
    assert await huey.is_revoked(it.add)
    await huey.restore_all(it.add)
    await huey.revoke(call)
    await huey.restore(call)
    await huey.revoke_by_id(call.id)
    await huey.restore_by_id(call.id)
    await it.add.revoke(revoke_once=True)
    assert await it.add.is_revoked(peek=False)
    assert not await it.add.restore()


async def use_queue(it: Side) -> None:
    huey = it.huey
    first, second, third, last = [await it.add.options(delay=60)(number) for number in range(4)]
    await huey.enqueue_many([it.add.s(1), it.add.s(2)])
    assert await huey.cancel(first)
    assert await second.cancel()
    await third.reschedule(delay=30)
    await last.revoke()
    assert await last.is_revoked()
    await last.restore()
    assert await last.status() == "scheduled"
    for _ in range(2):
        await it.add.options(unique="replace", unique_key="key", delay=60)(1)
    await huey.add_schedule(it.add.s(1, delay=0.0001))
    assert await huey.scheduled_count() == len(await huey.scheduled()) > 0
    await huey.read_schedule()
    assert await huey.count() == await huey.pending_count() == len(await huey.pending()) > 0
    assert (await huey.counts()).scheduled > 0
    assert (await huey.tasks("ready")).tasks
    assert (await huey.inspect(last.id)).id == last.id
    await huey.flush()
    assert await huey.count() == 0


async def use_failed_tasks(it: Side) -> None:
    huey = it.huey
    failed = await it.fail.options(retries=0)()
    task = await huey.dequeue()
    assert task is not None
    await huey.execute(task)
    assert [letter.id for letter in (await huey.failed()).items] == [failed.id]
    assert len(await huey.attempts(failed.id)) == 1
    assert (await huey.history()).items
    assert await huey.dead() == []
    assert await huey.requeue(kind="failed", actor="ana") == {failed.id: "added"}
    assert await huey.purge(actor="ana") == 0
    assert await huey.audit()
    await huey.flush()


async def use_controls(it: Side) -> None:
    huey = it.huey
    await huey.pause(actor="ana")
    assert await huey.is_paused()
    assert await huey.pause_info() is not None
    await huey.resume()
    await huey.statistics()
    await huey.consumers()
    await huey.notify_interrupted_tasks()


async def use_schedules(it: Side) -> None:
    schedules = it.huey.schedules()
    await schedules.add("s", it.add, crontab("0", "3"), (1,))
    assert await schedules.pause("s")
    assert await schedules.resume("s")
    assert [found.name for found in await schedules.list()] == ["s"]
    await schedules.run_now("s")
    assert await schedules.remove("s")
    await it.huey.flush()


async def use_limits(it: Side) -> None:
    for permits in (it.huey.lock_task("mine"), it.huey.limit("ours", 1)):
        async with permits:
            assert await permits.is_locked()
            assert await permits.locked()
            assert await permits.current_usage() == 1
        await permits.acquire()
        await permits.release()
        await permits.enter()
        assert await permits.clear()
    assert not await it.huey.is_locked("mine")
    assert await it.huey.flush_locks("mine") == set()
    often = it.huey.rate_limit("often", 100, 60)
    assert await often.acquire()
    assert await often.current_usage() == 1
    await often.reset()


async def use_inspector(it: Side, url: str) -> None:
    async with await Inspector.from_url(url, it.huey.name) as inspector:
        (queued,) = [await it.add.options(delay=60)(1)]
        assert (await inspector.counts()).scheduled == 1
        assert [task.id for task in (await inspector.tasks("scheduled")).tasks] == [queued.id]
        assert (await inspector.task(queued.id)).id == queued.id
        assert await inspector.consumers() == []
    await inspector.close()
    await it.huey.flush()


# --- and while one does


async def use_results(it: Side) -> None:
    result = await it.add.options(delay=0.01)(1, 2)
    assert await result.get(blocking=True, preserve=True) == 3
    assert await result.is_ready()
    assert await result.get_raw_result() == 3
    assert await (await it.huey.enqueue_by_name(it.add.path, 1, 2)) == 3
    assert await (await it.add.schedule((1, 2), delay=0.01)) == 3
    members = await it.add.map([(1, 2), (3, 4)])
    assert sorted([value async for value in members.as_completed()]) == [3, 7]
    assert await (await it.huey.enqueue(group([it.add.s(1), it.add.s(2)]))).get(blocking=True) == [1, 2]
    fired = await it.huey.enqueue(chord([it.add.s(1), it.add.s(2)], it.total))
    assert await fired.get(blocking=True) == 3
    assert await (await it.huey.enqueue(it.add.s(1).then(it.add, 5))) == [1, 6]
    reports = [report.fraction async for report in (await it.steps()).updates()]
    assert reports == sorted(reports)
    with pytest.raises(TaskException):
        await (await it.fail())
    assert await (await it.guarded())
    stuck = await it.rest()

    async def is_running() -> bool:
        return await stuck.status() == "running"

    await until(is_running)
    assert await stuck.cancel()
    with pytest.raises(TaskCancelled):
        await stuck


def coroutine_methods(*classes: type[Any]) -> set[str]:
    return {
        name
        for kind in classes
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and (inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method))
    }


def test_all_that_the_api_has_is_called_here() -> None:
    source = Path(__file__).read_text()
    classes = Huey, Result, ResultGroup, ChordResult, TaskWrapper, Schedules, TaskLock, Semaphore, RateLimit, Inspector
    missing = [name for name in coroutine_methods(*classes) if f".{name}(" not in source]
    # What the `async with` above calls, and what is for SQLite alone. Python 3.12 finds more than 3.11 does.
    assert set(missing) <= {"leave", "enqueue_in"}


@pytest.mark.parametrize("kind", KINDS)
async def test_documented_producer_and_worker_may_do_all_that_the_api_has(
    users: tuple[User, User], kind: type[RedisHuey]
) -> None:
    worker, producer = users
    working, asking = make_side(kind, worker), make_side(kind, producer)
    async with working.huey, asking.huey:
        for side, url in ((asking, producer.url), (working, worker.url)):
            for use in (use_values, use_revocations, use_queue, use_failed_tasks, use_controls, use_schedules):
                await use(side)
            await use_limits(side)
            await use_inspector(side, url)
        async with working.huey.create_consumer(lease=1.0):
            await use_results(asking)
    await asking.huey.close()
    assert (producer.denied(), worker.denied()) == ([], [])


def test_documented_users_may_touch_nothing_else(users: tuple[User, User]) -> None:
    for user in users:
        with redis.Redis.from_url(user.url) as thief:
            commands = [("HGET", "hueyio:{other}:tasks", "id"), ("FLUSHALL",), ("KEYS", "*"), ("CONFIG", "GET", "*")]
            for command in (*commands, ("PUBLISH", "hueyio:{other}:notices", "x"), ("SCAN", "0")):
                with pytest.raises(NoPermissionError):
                    thief.execute_command(*command)
