"""Rows of an application's own beside a queue: one table, in each kind of database that both can be in."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any, Final, Protocol

import psycopg
from psycopg.types.json import Jsonb

from hueyio import Huey, PostgresHuey, SqliteHuey
from hueyio.storage.postgres_url import is_postgres_url

__all__ = ["Home", "PostgresHome", "SqliteHome", "home_at", "insert"]


class Home(Protocol):
    """A database with a table ``rows``; ``target`` says where, for another process."""

    @property
    def target(self) -> str: ...

    @property
    def name(self) -> str: ...

    def huey(self) -> Huey:
        """Make a Huey whose tasks are in this database."""
        ...

    def make_table(self) -> None:
        """Make the table; empty it, if it is there."""
        ...

    def rows(self) -> list[Any]:
        """Return what was inserted and committed, in order."""
        ...

    def wait_until_free(self) -> None:
        """Return when nobody has a transaction open that wrote to the table."""
        ...


class SqliteHome:
    """A file."""

    def __init__(self, target: str, name: str) -> None:
        self.target: Final = target
        self.name: Final = name

    def huey(self) -> SqliteHuey:
        return SqliteHuey(self.name, filename=self.target)

    def make_table(self) -> None:
        with closing(sqlite3.connect(self.target, timeout=30)) as connection:
            connection.execute("CREATE TABLE rows (id)")

    def rows(self) -> list[Any]:
        with closing(sqlite3.connect(self.target, timeout=30)) as connection:
            return [id for (id,) in connection.execute("SELECT id FROM rows ORDER BY rowid")]

    def wait_until_free(self) -> None:
        with closing(sqlite3.connect(self.target, timeout=60, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")


class PostgresHome:
    """A database on a server, which may have other queues too."""

    def __init__(self, target: str, name: str) -> None:
        self.target: Final = target
        self.name: Final = name

    def huey(self) -> PostgresHuey:
        return PostgresHuey(self.name, self.target)

    def make_table(self) -> None:
        with psycopg.connect(self.target) as connection:
            connection.execute("SET lock_timeout = '30s'")
            connection.execute("DROP TABLE IF EXISTS rows")
            connection.execute("CREATE TABLE rows (place serial, id jsonb)")

    def rows(self) -> list[Any]:
        with psycopg.connect(self.target) as connection:
            return [id for (id,) in connection.execute("SELECT id FROM rows ORDER BY place")]

    def wait_until_free(self) -> None:
        with psycopg.connect(self.target) as connection:
            connection.execute("SET lock_timeout = '60s'")
            connection.execute("LOCK TABLE rows")


def home_at(target: str, name: str) -> Home:
    """Return the home of a file's name or a URL."""
    return PostgresHome(target, name) if is_postgres_url(target) else SqliteHome(target, name)


def insert(connection: Any, value: Any) -> Any:
    """Insert a row; what comes back is to be awaited where the connection is of a coroutine."""
    if isinstance(connection, (psycopg.Connection, psycopg.AsyncConnection)):
        return connection.execute("INSERT INTO rows (id) VALUES (%s)", (Jsonb(value),))
    return connection.execute("INSERT INTO rows VALUES (?)", (value,))
