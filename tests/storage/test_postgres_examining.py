"""What a session finds on a real server that somebody should know."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import datetime

import psycopg
import pytest
from huey import PostgresHuey as HueysPostgresHuey
from tests.support.shared_postgres import Address, made_database

from hueyio.storage.postgres import PostgresStorage
from hueyio.storage.postgres.functions import call_of
from hueyio.storage.postgres.session import PostgresSession


@pytest.fixture(scope="module")
def database(postgres: Address) -> Iterator[str]:
    """One for all of them: others' transactions are not seen from it."""
    with made_database(postgres) as dsn:
        yield dsn


@pytest.fixture
async def session(database: str) -> AsyncIterator[PostgresSession]:
    opened = await PostgresStorage("shop", database).connect()
    yield opened
    await opened.close()


@pytest.fixture
def other(database: str) -> Iterator[psycopg.Connection]:
    """Another program's connection; what it has not committed is rolled back."""
    with closing(psycopg.connect(database, application_name="export")) as connection:
        yield connection


def examine(dsn: str) -> dict[str, str]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        rows = connection.execute(call_of("examine_server_1", "hueyio")).fetchall()
    return {kind: what for kind, what, _ in rows if kind != "setting"}


async def test_transaction_that_has_a_snapshot_is_found(
    session: PostgresSession, database: str, other: psycopg.Connection
) -> None:
    assert "transaction" not in examine(database)
    other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    other.execute("SELECT 1")
    found = examine(database)
    assert found["transaction"] == f"export (process {other.info.backend_pid}, user postgres)"
    other.rollback()
    assert "transaction" not in examine(database)


async def test_transaction_that_has_written_is_found(
    session: PostgresSession, database: str, other: psycopg.Connection
) -> None:
    other.execute("CREATE TABLE orders (id int)")
    assert examine(database)["transaction"].startswith("export ")


async def test_transaction_that_holds_nothing_is_not(
    session: PostgresSession, database: str, other: psycopg.Connection
) -> None:
    other.execute("SELECT 1")  # its snapshot ended with the statement
    assert "transaction" not in examine(database)


async def test_prepared_transaction_is_found(
    session: PostgresSession, database: str, other: psycopg.Connection
) -> None:
    other.execute("CREATE TABLE orders (id int)")
    other.execute("PREPARE TRANSACTION 'two-phase'")
    try:
        assert examine(database)["prepared"] == "two-phase"
    finally:
        other.autocommit = True
        other.execute("ROLLBACK PREPARED 'two-phase'")


async def test_setting_that_endangers_the_database_is_told(session: PostgresSession) -> None:
    """The tests' server syncs nothing."""
    assert "fsync is off: a crash of the machine may damage the database" in await session.find_dangers()


async def test_tasks_of_huey_are_counted(session: PostgresSession, database: str) -> None:
    assert await session.find_tasks_of_huey() == []
    for name in ("shop", "other"):
        with closing(HueysPostgresHuey(name, dsn=database).storage) as storage:
            storage.enqueue(b"task")
            storage.add_to_schedule(b"task", datetime(2030, 1, 1))
    said = "the database holds 2 tasks of Huey under this name, for Huey's own consumer"
    assert await session.find_tasks_of_huey() == [said]
    assert said in await session.find_dangers()


async def test_neighbours_are_the_queues_of_the_schema(session: PostgresSession, database: str) -> None:
    other = await PostgresStorage("mail", database).connect()
    await other.close()
    assert await session.find_neighbours() == ["mail", "shop"]
