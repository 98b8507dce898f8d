"""What is left on the server when a queue was drained and its results were read: a fixed few keys of a fixed size.

``HUEYIO_TEST_TASKS`` says how many tasks; the proof is that the number does not matter.
"""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from typing import Any, Final

import pytest
import redis
from tests.support.servers import Server

from hueyio import (
    Huey,
    PriorityRedisExpireHuey,
    PriorityRedisHuey,
    RedisExpireHuey,
    RedisHuey,
    TaskException,
    TaskRevoked,
)
from hueyio.core import core_of
from hueyio.storage.records import ENDED_AGE, Bury, Entry, Finish, Header
from hueyio.storage.redis.layout import Layout

TASKS: Final = int(os.environ.get("HUEYIO_TEST_TASKS", "1000"))
BELLS: Final = {"bell:loop", "bell:thread", "bell:process", "bell:schedule"}
MARKS: Final = {"kind:list", "kind:sorted", "sequence", "revocations:written", "ended:state"}
TOMBSTONES: Final = {"ended:one", "ended:kinds:one"}
"""They grow with the tasks, up to a bound."""
COUNTED: Final = {"entered", "counts", "count:slots"}
"""They grow with the names of tasks and with time, up to a bound."""
MOST_BYTES: Final = 2000
"""Of one key; a bell has at most 64 tokens."""


@pytest.mark.parametrize("kind", [RedisHuey, PriorityRedisHuey, RedisExpireHuey, PriorityRedisExpireHuey])
async def test_drained_and_read_queue_leaves_a_fixed_few_keys(kind: type[Huey], server: Server) -> None:
    huey = kind(uuid.uuid4().hex, url=server.url)
    sorts = huey.storage.capabilities.priorities

    @huey.task()
    async def echo(number: int) -> int:
        return number

    @huey.task(retries=1)
    async def fail(number: int) -> int:
        raise ValueError(number)

    @huey.task()
    def in_thread(number: int) -> None: ...

    def calls(start: int, count: int) -> list[Any]:
        made: list[Any] = []
        for number in range(start, start + count):
            extra = {"priority": number % 5} if sorts else {}
            match number % 50:
                case 0:
                    made.append(fail.s(number))
                case 1:
                    made.append(in_thread.s(number))
                case 2:
                    made.append(echo.s(number).then(echo))
                case 3:
                    made.append(echo.s(number, delay=0.01))
                case 4:
                    made.append(echo.s(number, expires=0.0001))
                case _:
                    made.append(echo.s(number, **extra))
        return made

    async def pass_through(start: int, count: int) -> None:
        made = calls(start, count)
        for task in made[5::50]:
            await huey.revoke(task, revoke_once=True)
        group = await huey.enqueue_many(made)
        values = await asyncio.gather(*group, return_exceptions=True)
        wrong = [it for it in values if isinstance(it, BaseException) and not isinstance(it, TaskException)]
        assert not wrong
        # Of intermediate stages, and where results stay for their time.
        await (await core_of(huey).session()).clear(["results", "failed", "history"])

    async with huey:
        async with huey.create_consumer():
            await pass_through(0, 50)
            few = _left(server, huey)
            await pass_through(50, TASKS)
        many = _left(server, huey)
    assert many.keys() <= BELLS | MARKS | TOMBSTONES | COUNTED
    assert max(size for key, size in many.items() if key not in TOMBSTONES | COUNTED) < MOST_BYTES
    assert sum(size for key, size in many.items() if key in COUNTED) < 100_000
    assert sum(many[key] for key in TOMBSTONES) < 200 * 2 * TASKS
    assert few.keys() >= MARKS & many.keys()


async def test_tombstones_are_bounded_on_the_server(server: Server) -> None:
    huey = RedisHuey(uuid.uuid4().hex, url=server.url, keep_ended=100)
    session = await core_of(huey).session()
    await session.register("owner", b"")
    sizes: list[int] = []
    with redis.Redis.from_url(server.url) as admin:
        layout = Layout(huey.name)
        for number in range(1, 101):
            await session.enqueue([Entry(Header(f"{number}-{index}"), b"") for index in range(10)])
            deliveries = await session.claim({"loop": 10}, "owner")
            await session.settle(
                [Finish(it.receipt, kind="done" if number % 3 else "failed") for it in deliveries], "owner", number
            )
            done: list[Any] = [admin.scard(layout.key(key)) for key in ("ENDED_ONE", "ENDED_TWO")]
            others: list[Any] = [admin.hlen(layout.key(key)) for key in ("ENDED_KINDS_ONE", "ENDED_KINDS_TWO")]
            sizes.append(sum([*done, *others]))
    assert sizes[:10] == [10 * number for number in range(1, 11)]
    assert sizes[10:] == [60 + 10 * (number % 5) for number in range(90)]
    await huey.close()


async def test_tombstones_end_when_they_are_a_day_old(server: Server) -> None:
    huey = RedisHuey(uuid.uuid4().hex, url=server.url)
    session = await core_of(huey).session()
    await session.register("owner", b"")
    with redis.Redis.from_url(server.url) as admin:
        state = Layout(huey.name).key("ENDED_STATE")
        for number, id in enumerate(("a", "b", "c"), 1):
            await session.enqueue([Entry(Header(id), b"")])
            (delivery,) = await session.claim({"loop": 1}, "owner")
            await session.settle([Finish(delivery.receipt)], "owner", number)
            assert (await session.ended([id])).kinds == ["done"]
            begun: Any = admin.hget(state, "begun")
            admin.hset(state, "begun", str(float(begun) - ENDED_AGE / 2))
            await session.promote(time.time(), 1)
    ended = await session.ended(["a", "b", "c"])
    assert ended.kinds == [None, None, "done"]
    assert ended.since is not None
    assert abs(ended.since - time.time() + ENDED_AGE / 2) < 60
    await huey.close()


async def test_dead_letters_are_bounded_on_the_server(server: Server) -> None:
    huey = RedisHuey(uuid.uuid4().hex, url=server.url, dead_limit=10)
    session = await core_of(huey).session()
    await session.register("owner", b"")
    for number in range(1, 6):
        await session.enqueue([Entry(Header(f"{number}-{index}"), b"") for index in range(10)])
        deliveries = await session.claim({"loop": 10}, "owner")
        await session.settle([Bury(it.receipt, "why") for it in deliveries], "owner", number)
    with redis.Redis.from_url(server.url) as admin:
        layout = Layout(huey.name)
        assert (admin.hlen(layout.key("DEAD")), admin.zcard(layout.key("DEAD_TIMES"))) == (10, 10)
    assert (await huey.counts()).dead_dropped == 40
    await huey.close()


async def test_revocation_of_a_task_that_is_over_does_not_stay_for_ever(server: Server) -> None:
    huey = RedisHuey(uuid.uuid4().hex, url=server.url)

    @huey.task()
    async def echo(number: int) -> int:
        return number

    async with huey:
        stopped = await echo(1)
        await huey.revoke(stopped)
        async with huey.create_consumer():
            with pytest.raises(TaskRevoked):
                await stopped
        alive = await echo.schedule(delay=600, args=(1,))
        await huey.revoke_by_id(alive.id)
        await huey.revoke_by_id("over")
        await huey.revoke_all(echo)
        with redis.Redis.from_url(server.url) as admin:
            key = Layout(huey.name).key("REVOCATIONS_TTL")
            found: list[Any] = admin.zrange(key, 0, -1, withscores=True)
    deadlines = {member.decode(): float(end) for member, end in found}
    assert deadlines.keys() == {"r:over", f"r:{stopped.id}"}
    assert all(abs(end - time.time() - 7 * 86400) < 60 for end in deadlines.values())


def _left(server: Server, huey: Huey) -> dict[str, int]:
    """Return what is there of a queue, the consumers' own keys excepted, with its size in bytes."""
    prefix = Layout(huey.name).prefix
    with redis.Redis.from_url(server.url) as admin:
        sizes = {key: admin.memory_usage(key) for key in admin.scan_iter(f"{prefix.decode()}*")}
    return {key.removeprefix(prefix).decode(): size or 0 for key, size in sizes.items()}
