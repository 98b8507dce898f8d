"""Producers and consumers under load while the server goes away: nothing that was acknowledged is lost.

The sizes are small by default; ``HUEYIO_TEST_SCALE=20`` makes a long proof of each.
"""

from __future__ import annotations

import asyncio
import os
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any, Final

import psycopg
import pytest
from tests.conftest import POSTGRES, POSTGRES_KINDS
from tests.support.own_rows import PostgresHome, insert
from tests.support.patience import until
from tests.support.postgres_server import Ending, PostgresServer

from hueyio import PostgresHuey, Result, StorageUnavailable, Task, TaskWrapper

SCALE: Final = float(os.environ.get("HUEYIO_TEST_SCALE", "1"))
KILLS: Final = int(5 * SCALE)
CONSUMERS: Final = 2
BLOCKS: Final = int(4 * SCALE)
KILL: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Load:
    """Consumers of one queue and a producer, all in this loop, each with connections of its own."""

    def __init__(self, dsn: str) -> None:
        self.runs: Counter[int] = Counter()
        self.acknowledged: dict[int, Result[int]] = {}
        self._name = uuid.uuid4().hex
        self._dsn = dsn
        self._stop = asyncio.Event()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Load:
        for _ in range(CONSUMERS):
            huey, _ = self._make()
            await self._stack.enter_async_context(huey.create_consumer(workers=5))
        _, work = self._make()
        self._producing = asyncio.create_task(self._produce(work))
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._stop.set()
        await self._producing
        await self._stack.aclose()

    async def has_run(self, more: int) -> None:
        """Wait until so many more have run."""
        wanted = len(self.runs) + more

        async def is_enough() -> bool:
            return len(self.runs) >= wanted

        await until(is_enough)

    async def end(self) -> None:
        """Stop to enqueue, and compare what came back with what was acknowledged."""
        self._stop.set()
        await self._producing
        async with asyncio.timeout(60):
            assert [await result for result in self.acknowledged.values()] == list(self.acknowledged)
        assert set(self.runs) == set(self.acknowledged)

    async def _produce(self, work: TaskWrapper[[int], int]) -> None:
        while not self._stop.is_set():
            number = len(self.acknowledged)
            self.acknowledged[number] = await work(number)
            await asyncio.sleep(0.005)

    def _make(self) -> tuple[PostgresHuey, TaskWrapper[[int], int]]:
        huey = PostgresHuey(self._name, self._dsn, outage_timeout=60)
        self._stack.push_async_callback(huey.close)

        @huey.task(name="work")
        async def work(number: int) -> int:
            self.runs[number] += 1
            await asyncio.sleep(0.005)
            return number

        return huey, work


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    server = PostgresServer(POSTGRES[POSTGRES_KINDS[0]])
    server.start()
    yield server
    server.dispose()


@pytest.mark.parametrize("ending", [pytest.param("fast", marks=pytest.mark.again("it is the milder end")), "immediate"])
async def test_server_that_ends_under_load_loses_nothing(own_server: PostgresServer, ending: Ending) -> None:
    async with Load(own_server.dsn()) as load:
        await load.has_run(30)
        await asyncio.to_thread(own_server.stop, ending)
        await asyncio.to_thread(own_server.start)
        await load.has_run(30)
        await load.end()


@pytest.mark.again("to clients it is an outage, as in the test before; what differs is the server's affair")
async def test_fail_over_to_a_synchronous_standby_loses_nothing() -> None:
    binaries = POSTGRES[POSTGRES_KINDS[0]]
    primary, standby = PostgresServer(binaries), PostgresServer(binaries)
    try:
        await asyncio.to_thread(primary.start)
        await asyncio.to_thread(standby.start_as_standby_of, primary)
        hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
        async with Load(f"postgresql://postgres@{hosts}/postgres?target_session_attrs=read-write") as load:
            await load.has_run(30)
            await asyncio.to_thread(primary.kill)
            await asyncio.to_thread(standby.promote)
            await load.has_run(int(30 * SCALE))
            await load.end()
    finally:
        primary.dispose()
        standby.dispose()


async def test_killed_connections_lose_nothing(postgres_database: str) -> None:
    with psycopg.connect(postgres_database, autocommit=True) as admin:
        async with Load(postgres_database) as load:
            for _ in range(KILLS):
                await load.has_run(5)
                admin.execute(KILL)
            await load.end()


async def test_call_raises_while_the_server_is_away_for_longer_than_said(own_server: PostgresServer) -> None:
    async with PostgresHuey("shop", own_server.dsn(), outage_timeout=0) as huey:
        await huey.put("key", "value")
        await asyncio.to_thread(own_server.stop)
        with pytest.raises(StorageUnavailable, match=r"PostgreSQL at 127\.0\.0\.1:"):
            await huey.get("key", peek=True)
        await asyncio.to_thread(own_server.start)
        assert await huey.get("key", peek=True) == "value"


@pytest.mark.parametrize("kind", ["coroutine", "thread"])
async def test_server_that_ends_in_blocks_leaves_each_effect_once(own_server: PostgresServer, kind: str) -> None:
    """Each body writes, and then waits in its block until the server is another one."""
    home = PostgresHome(own_server.dsn(), uuid.uuid4().hex)
    huey = PostgresHuey(home.name, home.target, outage_timeout=60)
    begun, is_back = threading.Semaphore(0), threading.Event()
    if kind == "coroutine":

        @huey.task(context=True, retries=1)
        async def in_coroutine(number: int, task: Task) -> None:
            async with task.transaction() as connection:
                await insert(connection, number)
                begun.release()
                await asyncio.to_thread(is_back.wait, 60)

        work: Any = in_coroutine

    else:

        @huey.task(context=True, retries=1)
        def in_thread(number: int, task: Task) -> None:
            with task.sync.transaction() as connection:
                insert(connection, number)
                begun.release()
                is_back.wait(60)

        work = in_thread

    async with huey, huey.create_consumer(workers=BLOCKS, lease=60.0):
        home.make_table()
        results = [await work(number) for number in range(BLOCKS)]
        for _ in results:
            assert await asyncio.to_thread(begun.acquire, timeout=60)
        await asyncio.to_thread(own_server.kill)
        await asyncio.to_thread(own_server.start)
        is_back.set()
        async with asyncio.timeout(60):
            assert [await result for result in results] == [None] * BLOCKS
    assert sorted(home.rows()) == list(range(BLOCKS))
