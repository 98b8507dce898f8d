"""The tables and functions in a database: who makes them, what he needs for it, and what all others need."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from tests.conftest import POSTGRES
from tests.support.postgres_roles import granted_role
from tests.support.shared_postgres import Address as Server
from tests.support.shared_postgres import made_database

from hueyio.exceptions import ConfigurationError
from hueyio.storage.postgres import PostgresStorage
from hueyio.storage.postgres.address import Address
from hueyio.storage.postgres.migrating import bring_forward, find_version, script
from hueyio.storage.postgres.migrations import VERSION
from hueyio.storage.records import Entry, Finish, Header


def execute(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def dump(server: Server, dsn: str) -> list[str]:
    """Return all that there is in a database, but the rows."""
    command = [str(POSTGRES[server.version] / "pg_dump"), "--schema-only", "-d", dsn]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [line for line in lines if not line.startswith("\\")]  # of which newer ones have a key that is made up


@pytest.fixture(scope="module")
def database(postgres: Server) -> Iterator[str]:
    """One database with tables, for the tests of what roles may."""
    with made_database(postgres) as dsn:
        asyncio.run(bring_forward(Address(dsn, "hueyio"), 60))
        yield dsn


@pytest.fixture
def granted(database: str) -> Iterator[str]:
    """A role with the rights of the page, in a database whose tables another made."""
    with granted_role(database) as dsn:
        yield dsn


async def use(storage: PostgresStorage) -> None:
    """Enqueue a task, run it, read its result."""
    session = await storage.connect()
    await session.enqueue([Entry(Header("a"), b"message")])
    await session.register("owner", b"{}")
    with closing(storage.lease_keeper("owner")) as keeper:
        assert await asyncio.to_thread(keeper.beat)
    (taken,) = await session.claim({"loop": 1}, "owner")
    assert await session.settle([Finish(taken.receipt, b"result")], "owner", 1) == ["accepted"]
    (over,) = await session.await_outcomes(["a"])
    assert over.data == b"result"
    await session.deregister("owner")
    await session.close()


async def test_script_makes_what_a_migration_makes(postgres: Server, postgres_database: str) -> None:
    with made_database(postgres) as other:
        assert await bring_forward(Address(other, "jobs"), 60) == (0, VERSION)
        execute(postgres_database, script("jobs", 0))
        assert dump(postgres, postgres_database) == dump(postgres, other)


async def test_script_of_what_is_there_does_nothing(postgres_database: str) -> None:
    address = Address(postgres_database, "hueyio")
    await bring_forward(address, 60)
    assert await bring_forward(address, 60) == (VERSION, VERSION)
    assert await find_version(address, 60) == VERSION
    assert script("hueyio", VERSION) == f"-- The schema hueyio has version {VERSION}: nothing is to be done.\n"


async def test_those_who_come_first_at_once_make_one_schema(postgres_database: str) -> None:
    storages = [PostgresStorage(f"queue {number}", postgres_database) for number in range(4)]
    sessions = await asyncio.gather(*[storage.connect() for storage in storages])
    assert await sessions[0].find_neighbours() == [storage.name for storage in storages]
    for session in sessions:
        await session.close()


async def test_queues_of_two_schemas_do_not_see_each_other(postgres_database: str) -> None:
    storages = [PostgresStorage("one", postgres_database, schema=name) for name in ("hueyio", "jobs")]
    sessions = [await storage.connect() for storage in storages]
    await sessions[0].enqueue([Entry(Header("a"), b"")])
    assert [(await session.counts()).queued["loop"] for session in sessions] == [1, 0]
    for session in sessions:
        await session.close()


async def test_role_that_may_not_make_the_tables_is_told_to_have_them_made(granted: str) -> None:
    storage = PostgresStorage("one", granted, schema="jobs")
    with pytest.raises(ConfigurationError, match="does not let this role do that: permission denied"):
        await storage.connect()
    unmade = PostgresStorage("one", granted, schema="jobs", create_tables=False)
    with pytest.raises(ConfigurationError, match="in the schema jobs: run `hueyio migrate` first"):
        await unmade.connect()


async def test_role_with_the_rights_of_the_page_needs_no_more(granted: str) -> None:
    await use(PostgresStorage("one", granted))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM hueyio.tasks",
        "DELETE FROM hueyio.queues",
        "CREATE TABLE hueyio.mine (id int)",
        "INSERT INTO hueyio.versions VALUES (99)",
        "CREATE SCHEMA mine",
    ],
)
async def test_role_with_the_rights_of_the_page_can_do_nothing_else(granted: str, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        execute(granted, statement)


async def test_role_without_the_schema_is_refused(granted: str, database: str) -> None:
    role = conninfo_to_dict(granted)["user"]
    execute(database, f"REVOKE USAGE ON SCHEMA hueyio FROM {role}")
    with pytest.raises(ConfigurationError, match="permission denied for schema hueyio"):
        await PostgresStorage("one", granted, outage_timeout=0).connect()


async def test_search_path_leads_nobody_astray(postgres_database: str) -> None:
    """Tables and functions of the same names stand first in the path of this database."""
    traps = [f"CREATE TABLE trap.{name} ()" for name in ("tasks", "queues", "owners", "keys", "versions")]
    stolen = "CREATE FUNCTION trap.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'"
    database = conninfo_to_dict(postgres_database)["dbname"]
    path = f"ALTER DATABASE {database} SET search_path = trap, pg_catalog"
    execute(postgres_database, "CREATE SCHEMA trap", *traps, stolen, path)
    await use(PostgresStorage("one", postgres_database))


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
async def test_other_isolation_level_is_refused(granted: str, database: str, level: str) -> None:
    role = conninfo_to_dict(granted)["user"]
    execute(database, f"ALTER ROLE {role} SET default_transaction_isolation = '{level}'")
    with pytest.raises(ConfigurationError, match=f"begins transactions as {level}: ALTER ROLE"):
        await PostgresStorage("one", granted).connect()
