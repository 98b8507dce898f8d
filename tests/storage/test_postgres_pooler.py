"""Behind a PgBouncer: what is told, and that everybody gets what he waits for all the same."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from tests.support.own_rows import PostgresHome, insert
from tests.support.pgbouncer import PGBOUNCER, pooled

from hueyio import PostgresHuey, Task
from hueyio.storage.contract import Examined

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="there is no pgbouncer: apt-get install pgbouncer")

DEAF = "passes no notices on"


async def run_tasks(huey: PostgresHuey) -> None:
    @huey.task
    async def double(number: int) -> int:
        return 2 * number

    async with huey.create_consumer(workers=2):
        results = await asyncio.gather(*[double(number) for number in range(20)])
        assert [await result for result in results] == [2 * number for number in range(20)]
        assert await (await double(21)) == 42  # the worker sleeps by now, or is about to


async def test_tasks_run_without_notices(postgres_database: str, caplog: pytest.LogCaptureFixture) -> None:
    with pooled(postgres_database, "transaction") as dsn:
        async with PostgresHuey("shop", dsn, prepare_threshold=None) as huey:
            await run_tasks(huey)
    warnings = [it.getMessage() for it in caplog.records if it.levelno == logging.WARNING]
    assert any(DEAF in it for it in warnings)


async def test_notices_come_by_the_way_that_is_said(postgres_database: str, caplog: pytest.LogCaptureFixture) -> None:
    with pooled(postgres_database, "transaction") as dsn:
        async with PostgresHuey("shop", dsn, listen_dsn=postgres_database, prepare_threshold=None) as huey:
            await run_tasks(huey)
    assert DEAF not in caplog.text


async def test_task_ends_in_a_transaction_of_its_body(postgres_database: str) -> None:
    home = PostgresHome(postgres_database, "shop")
    home.make_table()
    with pooled(postgres_database, "transaction") as dsn:
        async with PostgresHuey("shop", dsn, prepare_threshold=None) as huey:

            @huey.task(context=True, retries=1)
            async def write(task: Task, number: int) -> None:
                async with (tx := task.transaction()) as connection:
                    for _ in range(10):  # more often than psycopg takes to prepare a statement
                        await insert(connection, number)
                    tx.result = number
                    if not task.attempt:
                        raise ValueError("the server's connection is given to others as it was")

            async with huey.create_consumer(workers=2):
                results: list[Any] = [await write(number) for number in range(5)]
                assert [await result for result in results] == list(range(5))
    assert sorted(home.rows()) == sorted(list(range(5)) * 10)


async def test_doctor_names_a_pooler_that_is_in_the_way(postgres_database: str) -> None:
    with pooled(postgres_database, "transaction") as dsn:
        for listen_dsn, told in ((None, 1), (postgres_database, 0)):
            storage = PostgresHuey("shop", dsn, listen_dsn=listen_dsn, prepare_threshold=None).storage
            session = await storage.connect()
            assert isinstance(session, Examined)
            assert sum(DEAF in it for it in await session.find_dangers()) == told
            await session.close()
