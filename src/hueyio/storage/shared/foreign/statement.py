"""One statement in the transaction that is open on an application's connection, however it is connected.

For storages that write a batch by one statement. Nothing is opened and nothing committed. A connection that commits
each statement by itself is refused: what is written there stays, whatever becomes of the application's rows.
SQLAlchemy is asked by its own call and never for its driver's connection: it begins its transaction at its own calls.
What is written below it, its ``commit()`` does not commit, or it was committed at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeAlias, assert_never

from hueyio.exceptions import HueyException
from hueyio.named_tuple import NamedTuple
from hueyio.storage.shared.foreign.kinds import Kind, kind_of
from hueyio.storage.shared.foreign.unseen_loop import unseen_loop

__all__ = ["ParamStyle", "Row", "Statement", "run_in_transaction"]

ParamStyle: TypeAlias = Literal["format", "numeric_dollar"]
"""How parameters stand in the text: ``%s``, or ``$1``."""

Row: TypeAlias = tuple[Any, ...]

_IDLE: Final = 0
"""The status of a session of Postgres without a transaction, as libpq numbers them."""


class Statement(NamedTuple):
    """SQL, and its parameters by position."""

    sql: str
    parameters: Sequence[Any]


async def run_in_transaction(connection: Any, make: Callable[[ParamStyle], Statement]) -> list[Row]:
    """Run the statement that is made in the style of the connection; return its rows.

    Raises HueyException for what is no connection to a server, and where no transaction is open that would hold it.
    What the driver raises comes through: it is the application's transaction.
    """
    match kind := kind_of(connection):
        case Kind.PSYCOPG | Kind.PSYCOPG_ASYNC:
            _require(not connection.autocommit or connection.info.transaction_status != _IDLE, kind)
            cursor = connection.cursor(row_factory=_tuples)
            await _settled(cursor.execute(*make("format")))
            rows = await _settled(cursor.fetchall())
            await _settled(cursor.close())
            return list(rows)
        case Kind.ASYNCPG:
            _require(connection.is_in_transaction(), kind)
            statement = make("numeric_dollar")
            return [tuple(row) for row in await connection.fetch(statement.sql, *statement.parameters)]
        case Kind.SQLALCHEMY:
            return await _run_by_sqlalchemy(connection, make)
        case Kind.SQLALCHEMY_SESSION:
            return await _run_by_sqlalchemy(await _settled(connection.connection()), make)
        case Kind.DJANGO:
            statement = make("format")
            with unseen_loop():
                _require(connection.in_atomic_block, kind)
                with connection.cursor() as cursor:
                    cursor.execute(*statement)
                    return [tuple(row) for row in cursor.fetchall()]
        case None | Kind.SQLITE3 | Kind.AIOSQLITE:
            raise HueyException(
                "enqueue_in needs a connection of psycopg or asyncpg, a session or connection of SQLAlchemy, or one of "
                f"Django, to the database of the queue, not {connection!r}"
            )
        case _:
            assert_never(kind)


async def _run_by_sqlalchemy(connection: Any, make: Callable[[ParamStyle], Statement]) -> list[Row]:
    is_async = hasattr(connection, "get_raw_connection")
    pooled = await connection.get_raw_connection() if is_async else connection.connection
    _require(getattr(pooled.dbapi_connection, "autocommit", False) is not True, Kind.SQLALCHEMY)
    statement = make("numeric_dollar" if connection.dialect.driver == "asyncpg" else "format")
    result = await _settled(connection.exec_driver_sql(statement.sql, tuple(statement.parameters)))
    return [tuple(row) for row in result.fetchall()]


def _require(is_open: bool, kind: Kind) -> None:
    if not is_open:
        raise HueyException(
            f"{kind.value} was given that commits each statement by itself: begin a transaction first, so that the "
            "task becomes visible together with your rows"
        )


def _tuples(cursor: Any) -> Callable[[Sequence[Any]], Row]:
    """Be a row factory of psycopg, whatever the application has set for its own rows."""
    return tuple


async def _settled(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
