"""The tables of a file and the row of a queue: made where they are missing; tables of another version are refused."""

from __future__ import annotations

import os
import sqlite3
from typing import Final

from hueyio.exceptions import ConfigurationError
from hueyio.storage.sqlite.engine.file import SqliteFile
from hueyio.storage.sqlite.errors import insist
from hueyio.storage.sqlite.options import SqliteOptions
from hueyio.storage.sqlite.statements import ADDED_SCHEMAS, SCHEMA

__all__ = ["find_queue", "open_queue"]

_VERSION: Final = 1
_KNOWN: Final = "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'hueyio_*'"


def open_queue(file: SqliteFile, options: SqliteOptions) -> tuple[int, str]:
    """Open the file for the first time, patiently; return the queue's number and the file's real path."""

    def attempt() -> tuple[int, str]:
        with file as connection:
            queue = _prepare_queue(connection, options)
            listed = connection.execute("PRAGMA database_list").fetchone()
            return queue, os.path.realpath(listed[2])

    return insist(attempt, options.timeout)


def _prepare_queue(connection: sqlite3.Connection, options: SqliteOptions) -> int:
    """Make the tables and the queue's row where they are missing; return the queue's number.

    One BEGIN IMMEDIATE, so that of many processes that come at once one makes them and the others find them.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        queue = find_queue(connection, options)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return queue


def find_queue(connection: sqlite3.Connection, options: SqliteOptions) -> int:
    """Make the tables and the queue's row in the transaction that is open; return the queue's number."""
    _make_tables(connection, options)
    connection.execute("INSERT OR IGNORE INTO hueyio_queues (name) VALUES (?)", (options.name,))
    row = connection.execute("SELECT queue FROM hueyio_queues WHERE name = ?", (options.name,)).fetchone()
    return int(row[0])


def _make_tables(connection: sqlite3.Connection, options: SqliteOptions) -> None:
    known = {name for (name,) in connection.execute(_KNOWN).fetchall()}
    if "hueyio_meta" not in known and options.create_tables:
        for statement in SCHEMA:
            connection.execute(statement)
        connection.execute("INSERT INTO hueyio_meta (version) VALUES (?)", (_VERSION,))
    version = connection.execute("SELECT version FROM hueyio_meta").fetchone()
    if version != (_VERSION,):
        raise ConfigurationError(
            f"SQLite file {options.path} has tables of version {version and version[0]}, "
            f"this hueyio knows version {_VERSION}; use the hueyio that wrote it"
        )
    for table in ADDED_SCHEMAS:
        if table not in known:
            _add_tables(connection, options, table)


def _add_tables(connection: sqlite3.Connection, options: SqliteOptions, table: str) -> None:
    """Add what the tables of an earlier hueyio lack."""
    if not options.create_tables:
        raise ConfigurationError(
            f"SQLite file {options.path} has the tables of an earlier hueyio: open it once with create_tables=True"
        )
    for statement in ADDED_SCHEMAS[table]:
        connection.execute(statement)
    if table == "hueyio_ended":  # it did not remember which way its tasks ended
        connection.execute("UPDATE hueyio_queues SET forgotten_at = ?", (options.clock(),))
