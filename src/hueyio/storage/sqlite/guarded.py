"""A connection whose transaction its user must neither end nor begin: another one does."""

from __future__ import annotations

import re
import sqlite3
from typing import Any, Final, NoReturn, Self

from hueyio.storage.shared.blocks import refuse

__all__ = ["GuardedConnection"]

_ENDS: Final = re.compile(r"\s*(?:BEGIN|COMMIT|END|ROLLBACK(?!\s+(?:TRANSACTION\s+)?TO\b))\b", re.IGNORECASE)


class GuardedConnection(sqlite3.Connection):
    """Refuses, in a sentence, whatever would end the transaction.

    It is for mistakes; who hides a COMMIT behind a comment is found out by whoever ends the transaction.
    """

    def commit(self) -> NoReturn:
        """Refuse."""
        refuse("commit()")

    def rollback(self) -> NoReturn:
        """Refuse."""
        refuse("rollback()")

    def __enter__(self) -> NoReturn:
        """Refuse: it commits when it is left."""
        refuse("`with` on the connection")

    def executescript(self, sql_script: str, /) -> NoReturn:
        """Refuse: it commits first."""
        refuse("executescript()")

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Execute what ends no transaction."""
        _check(sql)
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        """Execute what ends no transaction."""
        _check(sql)
        return super().executemany(sql, parameters)

    def cursor(self, factory: Any = None) -> Any:
        """Make a cursor that does the same."""
        return super().cursor(_GuardedCursor if factory is None else factory)

    def execute_as_owner(self, sql: str) -> sqlite3.Cursor:
        """Execute anything: for whoever does end the transaction."""
        cursor: sqlite3.Cursor = super().cursor()
        return cursor.execute(sql)


class _GuardedCursor(sqlite3.Cursor):
    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        _check(sql)
        return super().execute(sql, parameters)

    def executescript(self, sql_script: str, /) -> NoReturn:
        refuse("executescript()")


def _check(sql: str) -> None:
    if isinstance(sql, str) and (found := _ENDS.match(sql)):
        refuse(found[0].strip().upper())
