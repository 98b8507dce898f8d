"""The driver's connection of an object that owns one: a session or a connection of SQLAlchemy, sync or async.

SQLAlchemy is not imported: the objects are known by the methods that they have, so that their subclasses and proxies
(SQLModel's, ``scoped_session``) are taken too.
"""

from __future__ import annotations

import inspect
from typing import Any

from hueyio.exceptions import HueyException

__all__ = ["connection_of"]


async def connection_of(owner: Any) -> Any:
    """Return the connection of sqlite3 or aiosqlite with which SQLAlchemy runs its transaction.

    Raises HueyException for an object of anything else.
    """
    connection = owner
    if not _runs_statements(owner):
        if not (hasattr(owner, "get_bind") and callable(getattr(owner, "connection", None))):
            raise HueyException(
                "enqueue_in needs a connection of sqlite3 or aiosqlite, or a session or connection of SQLAlchemy, not "
                f"{owner!r}; of Django that is `connection.connection`, of peewee `db.connection()`"
            )
        connection = await _settled(owner.connection())
    # A statement begins its transaction, if there is none yet: else the commit that follows would not be ours.
    (await _settled(connection.exec_driver_sql("SELECT 1"))).close()
    is_async = hasattr(connection, "get_raw_connection")
    pooled = await connection.get_raw_connection() if is_async else connection.connection
    return pooled.driver_connection


def _runs_statements(owner: Any) -> bool:
    return hasattr(owner, "exec_driver_sql") and not isinstance(owner, type)


async def _settled(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
