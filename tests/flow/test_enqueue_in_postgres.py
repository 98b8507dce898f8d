"""Enqueue in the application's own transaction on PostgreSQL, whichever way it is connected."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest
from psycopg import errors

from hueyio import ConfigurationError, HueyException, PostgresHuey, Result, TaskNotUnique
from tests.conftest import POSTGRES_KINDS, first_and
from tests.flow.joined_on_postgres import WAYS_OF_DYING, declare_note
from tests.support.postgres_roles import granted_role
from tests.support.postgres_ways import WAYS
from tests.support.shared_postgres import join, made_database, own_database

ROOT = Path(__file__).parents[2]
TRANSACTIONS = int(os.environ.get("HUEYIO_TRANSACTIONS", "140"))
EACH_WAY = first_and("that each way runs a statement in its transaction, test_foreign_connections shows", list(WAYS))


@pytest.fixture
def dsn() -> str:
    return own_database(POSTGRES_KINDS[0])


@pytest.fixture
def database() -> Iterator[str]:
    """Make an empty database."""
    with made_database(join(POSTGRES_KINDS[0])) as dsn:
        yield dsn


@pytest.fixture
async def huey(dsn: str) -> AsyncIterator[PostgresHuey]:
    made = PostgresHuey(uuid.uuid4().hex, dsn)
    yield made
    await made.close()


def declare(huey: PostgresHuey) -> Any:
    @huey.task(name="add")
    async def add(a: int, b: int) -> int:
        return a + b

    return add


@pytest.mark.parametrize("name", EACH_WAY)
async def test_task_is_there_with_the_commit_or_never(huey: PostgresHuey, dsn: str, name: str) -> None:
    add = declare(huey)
    async with WAYS[name](dsn) as way:
        result = await add.enqueue_in(way.given, 1, 2)
        assert isinstance(result, Result)
        assert await huey.count() == 0
        await way.end(False)
    assert await result.status() == "unknown"
    async with WAYS[name](dsn) as way:
        await add.options(id="a\0b", priority=5).enqueue_in(way.given, 3, b="\0%s")
        await add.options(delay=3600).enqueue_in(way.given, 5, 6)
        assert await huey.count() == 0
        await way.end(True)
    (task,) = await huey.pending()
    assert (task.id, task.args, task.kwargs, task.priority) == ("a\0b", (3,), {"b": "\0%s"}, 5)
    assert await huey.scheduled_count() == 1


async def test_consumer_runs_what_was_committed_after_younger_tasks(huey: PostgresHuey, dsn: str) -> None:
    add = declare(huey)
    async with huey.create_consumer():
        with psycopg.connect(dsn) as connection:
            result = await add.enqueue_in(connection, 1, 2)
            assert await asyncio.wait_for(await add(3, 4), 60) == 7
            connection.commit()
        assert await asyncio.wait_for(result, 60) == 3


@pytest.mark.parametrize("level", ["READ COMMITTED", "SERIALIZABLE"])
async def test_commit_rings_all_who_listen_and_a_rollback_nobody(huey: PostgresHuey, dsn: str, level: str) -> None:
    """Also those who listen only since the task was written."""
    add = declare(huey)
    await huey.count()
    with psycopg.connect(dsn, autocommit=True) as listener, psycopg.connect(dsn) as connection:
        row = listener.execute("SELECT queue FROM hueyio.queues WHERE name = %s", [huey.name]).fetchone()
        assert row is not None
        for ends_well in (False, True):
            connection.execute(f"SET TRANSACTION ISOLATION LEVEL {level}".encode())
            await add.enqueue_in(connection, 1, 2)
            await add.options(delay=3600).enqueue_in(connection, 1, 2)
            listener.execute(f'LISTEN "hueyio.{row[0]}"'.encode())
            connection.commit() if ends_well else connection.rollback()
            listener.execute("NOTIFY marker")
            heard = [it.payload.split()[0] for it in listener.notifies(timeout=0)]
            assert heard == (["l1", "l8"] if ends_well else [])


async def test_open_transaction_holds_nothing_that_others_lock(huey: PostgresHuey, dsn: str) -> None:
    """A sleeper's row above all: it could be rung by nobody else."""
    add = declare(huey)
    session = await huey.storage.connect()
    await session.wait_for_work(["loop"], 0)  # writes the row of the sleeper
    with psycopg.connect(dsn, autocommit=True) as other, psycopg.connect(dsn) as connection:
        await add.enqueue_in(connection, 1, 2)
        sleepers = "SELECT FROM hueyio.asleep JOIN hueyio.queues USING (queue) WHERE name = %s"
        assert other.execute(f"{sleepers} FOR UPDATE NOWAIT".encode(), [huey.name]).rowcount == 1
        connection.rollback()
    await session.close()


async def test_connection_without_a_transaction_is_refused(huey: PostgresHuey, dsn: str) -> None:
    add = declare(huey)
    plain = await asyncpg.connect(dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        for given in (connection, plain):
            with pytest.raises(HueyException, match="begin a transaction first"):
                await add.enqueue_in(given, 1, 2)
        with pytest.raises(HueyException, match="needs a connection of psycopg or asyncpg"):
            await add.enqueue_in(dsn, 1, 2)
    await plain.close()
    assert await huey.count() == 0


async def test_connection_to_another_database_is_refused(huey: PostgresHuey) -> None:
    add = declare(huey)
    with made_database(join(POSTGRES_KINDS[0])) as elsewhere:
        with psycopg.connect(elsewhere) as connection:
            with pytest.raises(ConfigurationError, match="not to the database of the tasks"):
                await add.enqueue_in(connection, 1, 2)  # there is no schema
            connection.rollback()
        async with PostgresHuey(huey.name, elsewhere) as namesake:
            assert await namesake.count() == 0
            with psycopg.connect(elsewhere) as connection:
                with pytest.raises(ConfigurationError, match="not to the database of the tasks"):
                    await add.enqueue_in(connection, 1, 2)
                connection.commit()
            assert await namesake.count() == 0
    with psycopg.connect(own_database(POSTGRES_KINDS[0])) as connection:
        await add.enqueue_in(connection, 1, 2)
    assert await huey.count() == 1


async def test_first_call_makes_the_tables(database: str) -> None:
    huey = PostgresHuey("app", database)
    with psycopg.connect(database) as connection:
        await declare(huey).enqueue_in(connection, 1, 2)
    assert await huey.count() == 1
    await huey.close()


async def test_role_with_the_rights_of_the_page_may_do_it(huey: PostgresHuey, dsn: str) -> None:
    await huey.count()
    with granted_role(dsn) as granted:
        add = declare(PostgresHuey(huey.name, granted))
        with psycopg.connect(granted) as connection:
            await add.enqueue_in(connection, 1, 2)
    assert await huey.count() == 1


async def test_holder_of_a_unique_key_and_a_conflict_are_told(huey: PostgresHuey, dsn: str) -> None:
    @huey.task(unique="raise", unique_key="\0")
    async def work(n: int) -> None: ...

    with psycopg.connect(dsn) as connection, psycopg.connect(dsn) as other:
        first = await work.options(id="\0 first").enqueue_in(connection, 1)
        with pytest.raises(TaskNotUnique, match="first"):
            await work.enqueue_in(connection, 2)
        assert (await work.options(unique="skip").enqueue_in(connection, 3)).id == first.id
        other.execute("SET lock_timeout = '1ms'")
        with pytest.raises(errors.LockNotAvailable):  # the application's own patience counts
            await work.enqueue_in(other, 4)
        connection.commit()
    assert await huey.count() == 1


def test_blocking_code_enqueues_in_its_own_transaction(huey: PostgresHuey, dsn: str) -> None:
    @huey.task
    def add(a: int, b: int) -> int:
        return a + b

    with psycopg.connect(dsn) as connection:
        add.sync.enqueue_in(connection, 1, 2)
        connection.rollback()
        result = huey.sync.enqueue_in(connection, add.s(1, 2).then(add, 10))
        assert huey.sync.count() == 0
    (task,) = huey.sync.pending()
    assert task.id == result[0].id
    huey.sync.close()


@pytest.mark.again("the server rolls back what is left open; that all is in one transaction, other tests show")
@pytest.mark.timeout(120 + TRANSACTIONS // 5)
async def test_tasks_are_there_exactly_where_rows_are_though_applications_die(database: str) -> None:
    """Two applications at once, each in processes that are killed before, in and after their transactions."""
    huey = PostgresHuey("app", database)
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE rows (id text PRIMARY KEY)")
    program = [sys.executable, "-m", "tests.flow.joined_on_postgres", database, str(TRANSACTIONS // 2)]
    running = [await asyncio.create_subprocess_exec(*program, str(seed), cwd=ROOT) for seed in (1, 2)]
    assert [await process.wait() for process in running] == [0, 0]
    with psycopg.connect(database) as connection:
        rows = {id for (id,) in connection.execute("SELECT id FROM rows")}
    declare_note(huey)
    assert {task.id for task in await huey.pending()} == rows
    assert TRANSACTIONS * 0.2 < len(rows) < TRANSACTIONS * 0.8
    assert {id.partition("-")[0] for id in rows} == set(WAYS_OF_DYING)
    async with huey.create_consumer():
        for id in sorted(rows)[:50]:
            assert await asyncio.wait_for(huey.result_of(id), 60) == id
    await huey.close()
