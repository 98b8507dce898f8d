"""Writing in a transaction of the application's own, whichever way it is connected: told apart, run, and refused."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
import psycopg
import pytest
import sqlalchemy
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as aio

from hueyio import HueyException
from hueyio.storage.records import Enqueued, Entry, Header
from hueyio.storage.shared.foreign.enqueuing import enqueue_by_statement
from hueyio.storage.shared.foreign.kinds import Kind, kind_of
from hueyio.storage.shared.foreign.statement import ParamStyle, Row, Statement, run_in_transaction
from tests.conftest import POSTGRES_KINDS
from tests.support.postgres_ways import NULL_POOL, WAYS, with_driver
from tests.support.shared_postgres import join, made_database

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    """Make a database with a table of an application's."""
    with made_database(join(POSTGRES_KINDS[0])) as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute("CREATE TABLE rows (id text, data bytea)")
        yield dsn


def make(style: ParamStyle) -> Statement:
    one, other = ("%s", "%s") if style == "format" else ("$1", "$2")
    text = f"INSERT INTO rows SELECT * FROM unnest({one}::text[], {other}::bytea[]) RETURNING id, length(data)"
    return Statement(text, [["a", "b"], [b"1", b"%s"]])


@pytest.mark.parametrize("name", WAYS)
async def test_statement_is_committed_or_rolled_back_with_the_applications(dsn: str, name: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as other:
        other.execute("TRUNCATE rows")
        async with WAYS[name](dsn) as way:
            assert kind_of(way.given) is way.kind
            assert await run_in_transaction(way.given, make) == [("a", 1), ("b", 2)]
            assert other.execute("SELECT count(*) FROM rows").fetchone() == (0,)
            await way.end(False)
        assert other.execute("SELECT count(*) FROM rows").fetchone() == (0,)
        async with WAYS[name](dsn) as way:
            await run_in_transaction(way.given, make)
            await way.end(True)
        assert other.execute("SELECT id, data FROM rows ORDER BY id").fetchall() == [("a", b"1"), ("b", b"%s")]


async def test_connection_that_commits_each_statement_is_refused(dsn: str) -> None:
    url = with_driver(dsn, "psycopg")
    automatic = {"isolation_level": "AUTOCOMMIT", **NULL_POOL}
    async_psycopg = await psycopg.AsyncConnection.connect(dsn, autocommit=True)
    plain_asyncpg = await asyncpg.connect(dsn)
    with (
        psycopg.connect(dsn, autocommit=True) as connection,
        sqlalchemy.create_engine(url, **automatic).connect() as by_engine,
        sqlalchemy.create_engine(url, **NULL_POOL).connect() as by_option,
    ):
        by_option.execution_options(isolation_level="AUTOCOMMIT")
        async with (
            aio.create_async_engine(url, **automatic).connect() as on_psycopg,
            aio.create_async_engine(with_driver(dsn, "asyncpg"), **automatic).connect() as on_asyncpg,
        ):
            for given in (connection, async_psycopg, plain_asyncpg, by_engine, by_option, on_psycopg, on_asyncpg):
                with pytest.raises(HueyException, match="begin a transaction first"):
                    await run_in_transaction(given, make)
        with connection.transaction():
            assert len(await run_in_transaction(connection, make)) == 2
    await async_psycopg.close()
    await plain_asyncpg.close()


async def test_what_is_no_connection_to_a_server_is_refused(dsn: str) -> None:
    with closing(sqlite3.connect(":memory:")) as lite:
        async with aiosqlite.connect(":memory:") as async_lite:
            assert [kind_of(lite), kind_of(async_lite)] == [Kind.SQLITE3, Kind.AIOSQLITE]
            for given in (lite, async_lite, dsn, None, sqlite3.Connection, orm.Session):
                with pytest.raises(HueyException, match="needs a connection of psycopg or asyncpg"):
                    await run_in_transaction(given, make)


def test_class_of_a_library_and_what_looks_like_none_have_no_kind() -> None:
    for given in (sqlite3.Connection, psycopg.Connection, orm.Session, object(), "app.db", None):
        assert kind_of(given) is None


def test_subclass_of_a_drivers_connection_is_of_its_kind() -> None:
    class Own(sqlite3.Connection):
        pass

    with closing(sqlite3.connect(":memory:", factory=Own)) as connection:
        assert kind_of(connection) is Kind.SQLITE3


async def test_storage_says_what_is_run_and_reads_the_answer(dsn: str) -> None:
    class Storage:
        def enqueue_statement(self, entries: list[Entry], style: ParamStyle) -> Statement:
            text = make(style).sql
            return Statement(text, [[entry.header.id for entry in entries], [entry.data for entry in entries]])

        def read_enqueued(self, entries: list[Entry], rows: list[Row]) -> list[Enqueued]:
            assert [id for id, _ in rows] == [entry.header.id for entry in entries]
            return [Enqueued("added") for _ in rows]

    storage: Any = Storage()
    with psycopg.connect(dsn) as connection:
        entries = [Entry(Header("x", "loop"), b"1"), Entry(Header("y", "loop"), b"22")]
        assert await enqueue_by_statement(storage, connection, entries) == [Enqueued("added")] * 2
        connection.rollback()


DJANGO = """
import json, sys
import django
from django.conf import settings
from django.db import connection, transaction

from hueyio import HueyException
from hueyio.loops.portal import block_here
from hueyio.storage.shared.foreign.kinds import Kind, kind_of
from hueyio.storage.shared.foreign.statement import run_in_transaction
from tests.flow.test_foreign_connections import make

settings.configure(DATABASES={"default": json.loads(sys.argv[1])})
django.setup()


def run():
    return block_here(run_in_transaction(connection, make))  # Django refuses to work where it sees a loop


def count():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM rows")
        return cursor.fetchone()[0]


before = count()
assert kind_of(connection) is Kind.DJANGO
try:
    run()
except HueyException as error:
    assert "begin a transaction first" in str(error)
else:
    raise AssertionError
try:
    with transaction.atomic():
        assert run() == [("a", 1), ("b", 2)]
        raise ZeroDivisionError
except ZeroDivisionError:
    pass
assert count() == before
with transaction.atomic():
    run()
assert count() == before + 2
"""


async def test_djangos_connection_is_taken_inside_of_atomic(dsn: str) -> None:
    parts = conninfo_to_dict(dsn)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts["dbname"],
        "USER": parts["user"],
        "HOST": parts["host"],
        "PORT": parts.get("port", ""),
    }
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", DJANGO, json.dumps(database)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
