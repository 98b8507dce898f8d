"""How connections are made, for the loop and for the thread of a heartbeat."""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from hueyio.exceptions import ConfigurationError
from hueyio.storage.postgres.connection.guarded import GuardedAsyncConnection, GuardedConnection
from hueyio.storage.postgres.connection.texts import CONTEXT
from hueyio.storage.postgres.connection.uninterrupted import AsyncConnection, Connection

__all__ = ["check_isolation", "connect", "connect_blocking", "connect_for_body", "connect_for_body_blocking"]

_DEFAULTS: Final = {
    "application_name": "hueyio",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "connect_timeout": "5",
}
"""What is not said in the DSN."""


async def connect(dsn: str, prepare_threshold: int | None) -> AsyncConnection:
    """Open a connection on the running loop; raises what psycopg raises."""
    return await AsyncConnection.connect(
        _full(dsn), autocommit=True, prepare_threshold=prepare_threshold, context=CONTEXT
    )


def connect_blocking(dsn: str, timeout: int) -> Connection:
    """Open a connection in a thread."""
    return Connection.connect(
        make_conninfo(_full(dsn), connect_timeout=timeout), autocommit=True, prepare_threshold=None, context=CONTEXT
    )


async def connect_for_body(dsn: str) -> GuardedAsyncConnection:
    """Open a connection for statements of the application's, on the running loop.

    It prepares none by itself: they are few, and an old pooler in between would mix them up.
    """
    connection = await GuardedAsyncConnection.connect(_full(dsn), prepare_threshold=None)
    await connection.set_isolation_level(psycopg.IsolationLevel.READ_COMMITTED)
    return connection


def connect_for_body_blocking(dsn: str) -> GuardedConnection:
    """Do the same in a thread."""
    connection = GuardedConnection.connect(_full(dsn), prepare_threshold=None)
    connection.set_isolation_level(psycopg.IsolationLevel.READ_COMMITTED)
    return connection


async def check_isolation(connection: psycopg.AsyncConnection[tuple[Any, ...]], where: str) -> None:
    """Raise ConfigurationError for any isolation level but READ COMMITTED: each statement has to see all before it.

    The level is a default of the role or the database. To set it for a session would not reach through a pooler.
    """
    row = await (await connection.execute("SELECT current_setting('transaction_isolation')")).fetchone()
    if row is not None and row[0] != "read committed":
        raise ConfigurationError(
            f"{where} begins transactions as {row[0]}: "
            "ALTER ROLE ... SET default_transaction_isolation = 'read committed'"
        )


def _full(dsn: str) -> str:
    known = conninfo_to_dict(dsn)
    more = {key: value for key, value in _DEFAULTS.items() if key not in known}
    return make_conninfo(dsn, **more, client_encoding="UTF8")
