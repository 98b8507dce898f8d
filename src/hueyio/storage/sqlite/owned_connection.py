"""The driver's connection below what an application has: sessions and connections of SQLAlchemy, Django's connection.

Neither library is imported; ``storage.shared.foreign.kinds`` knows their objects.
"""

from __future__ import annotations

import inspect
from typing import Any

from hueyio.exceptions import ConfigurationError, HueyException
from hueyio.storage.shared.foreign.kinds import Kind, kind_of
from hueyio.storage.shared.foreign.unseen_loop import unseen_loop

__all__ = ["connection_of"]


async def connection_of(owner: Any) -> Any:
    """Return the connection of sqlite3 or aiosqlite with which its owner runs its transaction.

    Raises HueyException for an object of anything else, ConfigurationError for a connection to another database.
    """
    match kind_of(owner):
        case Kind.SQLITE3 | Kind.AIOSQLITE:
            return owner
        case Kind.SQLALCHEMY:
            return await _of_sqlalchemy(owner)
        case Kind.SQLALCHEMY_SESSION:
            return await _of_sqlalchemy(await _settled(owner.connection()))
        case Kind.DJANGO:
            with unseen_loop():
                _require_sqlite(owner.vendor)
                owner.ensure_connection()
                return owner.connection
        case _:
            raise HueyException(
                "enqueue_in needs a connection of sqlite3 or aiosqlite, a session or connection of SQLAlchemy, or one "
                f"of Django, not {owner!r}; of peewee that is `db.connection()`"
            )


async def _of_sqlalchemy(connection: Any) -> Any:
    _require_sqlite(connection.dialect.name)
    # A statement begins its transaction, if there is none yet: else the commit that follows would not be ours.
    (await _settled(connection.exec_driver_sql("SELECT 1"))).close()
    is_async = hasattr(connection, "get_raw_connection")
    pooled = await connection.get_raw_connection() if is_async else connection.connection
    return pooled.driver_connection


def _require_sqlite(database: str) -> None:
    if database != "sqlite":
        raise ConfigurationError(
            f"the connection is to a database of {database}, and the tasks are in an SQLite file; "
            "one transaction cannot write both"
        )


async def _settled(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
