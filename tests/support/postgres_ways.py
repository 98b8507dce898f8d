"""The ways in which an application is connected to PostgreSQL, each with a transaction open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import psycopg
import sqlalchemy
from psycopg.rows import dict_row
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as aio

from hueyio.storage.shared.foreign.kinds import Kind

__all__ = ["NULL_POOL", "WAYS", "Way", "with_driver"]

NULL_POOL: Final = {"poolclass": sqlalchemy.pool.NullPool}


@dataclass
class Way:
    """One way of being connected: ``given`` is what is connected; ``end`` commits, or rolls back."""

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
    with psycopg.Connection[dict[str, Any]].connect(dsn, row_factory=dict_row) as connection:
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


WAYS: Final[dict[str, Callable[[str], Any]]] = {
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
