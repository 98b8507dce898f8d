"""What kind of connection an application has given: by its class and what it can do, without importing any library.

Those of drivers are known by the classes that theirs is made of. SQLAlchemy's and Django's are known by what they can
do, so that subclasses and proxies of them are taken too: SQLModel's, ``scoped_session``, ``django.db.connection``.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

__all__ = ["Kind", "kind_of"]


class Kind(Enum):
    """The value is what messages call it."""

    SQLITE3 = "a connection of sqlite3"
    AIOSQLITE = "a connection of aiosqlite"
    PSYCOPG = "a connection of psycopg"
    PSYCOPG_ASYNC = "an async connection of psycopg"
    ASYNCPG = "a connection of asyncpg"
    SQLALCHEMY = "a connection of SQLAlchemy"
    """Sync or async."""
    SQLALCHEMY_SESSION = "a session of SQLAlchemy"
    """Sync or async: ``connection()`` gives its connection."""
    DJANGO = "a connection of Django"


_DRIVERS: Final = {
    ("sqlite3", "Connection"): Kind.SQLITE3,
    ("aiosqlite", "Connection"): Kind.AIOSQLITE,
    ("psycopg", "Connection"): Kind.PSYCOPG,
    ("psycopg", "AsyncConnection"): Kind.PSYCOPG_ASYNC,
    ("asyncpg", "Connection"): Kind.ASYNCPG,
    ("asyncpg", "PoolConnectionProxy"): Kind.ASYNCPG,
}
"""By the package and the name of a class."""


def kind_of(connection: Any) -> Kind | None:
    """Say what a connection is; None for anything else, and for a class in the place of its object."""
    if isinstance(connection, type):
        return None
    for base in type(connection).__mro__:
        package = base.__module__.partition(".")[0]
        if (found := _DRIVERS.get((package, base.__name__))) is not None:
            return found
    if hasattr(connection, "exec_driver_sql"):
        return Kind.SQLALCHEMY
    if hasattr(connection, "get_bind") and callable(getattr(connection, "connection", None)):
        return Kind.SQLALCHEMY_SESSION
    if hasattr(connection, "in_atomic_block") and hasattr(connection, "vendor"):
        return Kind.DJANGO
    return None
