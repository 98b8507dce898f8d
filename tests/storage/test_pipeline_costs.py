"""What a stage of a pipeline costs does not depend on how many others there are.

Counted are the bytes of messages and the commands on a server: numbers that are the same in each run.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final

import redis
from tests.conftest import SERVER_KINDS, ServerOf

from hueyio import Huey, RedisHuey, Task
from hueyio.storage.clock import Clock
from hueyio.storage.contract import Capabilities, LeaseKeeper, Session
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.operations import OperationSession
from hueyio.storage.records import Bell, Delivery, Entry, Finish, Notices, Over, Unknown

LONG: Final = (10, 100, 1000)
SHORTER: Final = (10, 30, 120)
"""Stages of pipelines; on a server each takes a while."""


class CountingStorage:
    """A storage in memory that counts the bytes of messages on their way in and out."""

    def __init__(self, name: str, **options: Any) -> None:
        self.name = name
        self.bytes = 0
        self._inner = MemoryStorage(name, **options)

    @property
    def capabilities(self) -> Capabilities:
        return self._inner.capabilities

    @property
    def clock(self) -> Clock:
        return self._inner.clock

    async def connect(self) -> Session:
        return CountingSession(self, await self._inner.connect())

    def lease_keeper(self, owner: str) -> LeaseKeeper:
        return self._inner.lease_keeper(owner)

    def __str__(self) -> str:
        return f"{self._inner}, counted"


class CountingSession(OperationSession):
    def __init__(self, storage: CountingStorage, inner: Session) -> None:
        self._storage = storage
        self._inner = inner

    async def _do(self, name: str, /, *args: Any) -> Any:
        answer = await getattr(self._inner, name)(*args)
        self._storage.bytes += _size_of([args, answer])
        return answer

    async def wait_for_work(self, bells: Collection[Bell], timeout: float) -> frozenset[Bell]:
        return await self._inner.wait_for_work(bells, timeout)

    async def notices(self, owner: str, seen: Notices | None) -> Notices:
        return await self._inner.notices(owner, seen)

    async def await_outcomes(self, ids: Sequence[str], unknown: Unknown = "return") -> list[Over]:
        return await self._inner.await_outcomes(ids, unknown)

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        return await self._inner.follow(id, seen)

    async def close(self) -> None:
        await self._inner.close()


def _size_of(it: Any) -> int:
    """Count the bytes of the messages in it, and of the ids that come with them."""
    match it:
        case Entry():
            stages = sum(len(stage.id) + len(stage.data) for stage in it.stages)
            return len(it.data) + sum(map(len, it.header.expects)) + stages
        case Delivery():
            return len(it.data) + sum(map(len, it.header.expects)) + len(it.following or b"")
        case Finish():
            return sum(map(_size_of, it.follow_ups))
        case list() | tuple():
            return sum(map(_size_of, it))
        case _:
            return 0


def make_pipeline(add: Any, length: int) -> Task:
    head: Task = add.s(0)
    stage = head
    for _ in range(length - 1):
        stage.then(add)  # at the end of each, so that making it is no part of the story
        assert stage.on_complete is not None
        stage = stage.on_complete
    return head


async def run_pipeline(huey: Huey, length: int) -> None:
    """Enqueue a pipeline, and run it to its end one stage after another."""

    @huey.task(name=f"add{length}")
    async def add(value: int) -> int:
        return value + 1

    await huey.enqueue(make_pipeline(add, length))
    value = None
    while (task := await huey.dequeue()) is not None:
        value = await huey.execute(task)
    assert value == length


def assert_linear(lengths: Sequence[int], costs: Sequence[int]) -> None:
    """Expect that each stage more costs the same, whether the pipeline is short or long."""
    first, second, third = zip(lengths, costs, strict=True)
    short = (second[1] - first[1]) / (second[0] - first[0])
    long = (third[1] - second[1]) / (third[0] - second[0])
    assert long <= 1.02 * short, f"a stage costs {short} in a short pipeline, and {long} in a long one"


async def test_bytes_of_a_stage_are_the_same_in_any_pipeline() -> None:
    costs = []
    for length in LONG:
        huey = Huey("bytes", storage_class=CountingStorage)
        await run_pipeline(huey, length)
        assert isinstance(huey.storage, CountingStorage)
        costs.append(huey.storage.bytes)
        await huey.close()
    assert_linear(LONG, costs)


async def test_commands_of_a_stage_are_the_same_in_any_pipeline(server_of: ServerOf, tmp_path: Path) -> None:
    server = server_of(SERVER_KINDS[0])
    admin = redis.Redis.from_url(server.url)
    costs = []
    for length in SHORTER:
        huey = RedisHuey(f"{tmp_path.name}-{length}", url=server.url, statistics=False)
        assert await huey.count() == 0
        admin.config_resetstat()
        await run_pipeline(huey, length)
        stats: dict[str, Any] = admin.info("commandstats")
        costs.append(sum(figures["calls"] for figures in stats.values()))
        await huey.close()
    assert_linear(SHORTER, costs)
    admin.close()


async def test_stage_takes_a_consumer_one_script_on_a_server(server_of: ServerOf, tmp_path: Path) -> None:
    server = server_of(SERVER_KINDS[0])
    huey = RedisHuey(tmp_path.name, url=server.url, statistics=False)

    @huey.task()
    async def add(value: int) -> int:
        return value + 1

    counted = []
    with redis.Redis.from_url(server.url) as admin:
        async with huey, huey.create_consumer(periodic=False):
            await (await add(0))
            for length in (20, 80):
                admin.config_resetstat()
                results = await huey.enqueue(make_pipeline(add, length))
                assert await results[length - 1] == length
                stats: dict[str, Any] = admin.info("commandstats")
                counted.append(stats["cmdstat_evalsha"]["calls"])
    short, long = counted
    # One of a heartbeat, of a ticker, or of a look at the schedule may come in between.
    assert (long - short) / 60 < 1.3
