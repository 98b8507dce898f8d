"""The heartbeat of one owner: synchronous, on a connection of its own, for a thread of its own."""

from __future__ import annotations

from typing import Any, Final

import psycopg

from hueyio.exceptions import SessionClosed
from hueyio.storage.postgres.connection.connecting import connect_blocking
from hueyio.storage.postgres.connection.errors import translate
from hueyio.storage.postgres.functions import call_of
from hueyio.storage.postgres.options import PostgresOptions

__all__ = ["PostgresLeaseKeeper"]

_TIMEOUT: Final = 2
"""Seconds: a heartbeat that takes longer is a missed one; the next is due soon."""


class PostgresLeaseKeeper:
    """Beats; nothing is repeated, because the next beat is due soon. After any failure it connects anew."""

    def __init__(self, options: PostgresOptions, owner: str) -> None:
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self._options = options
        self._owner = owner
        self._is_closed = False

    def beat(self) -> bool:
        """Raise the owner's counter; False if the owner was given up."""
        if self._is_closed:
            raise SessionClosed(f"the lease keeper of owner {self._owner!r} is closed")
        try:
            if self._connection is None or self._connection.closed:
                self._connection = connect_blocking(self._options.dsn, _TIMEOUT)
            statement = call_of("beat_1", self._options.schema)
            row = self._connection.execute(statement, [self._options.name, self._owner], binary=True).fetchone()
            return row is not None and bool(row[0])
        except Exception as error:
            self._let_go()
            raise translate(error, self._options.where) from error

    def close(self) -> None:
        """Close the connection."""
        self._is_closed = True
        self._let_go()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
