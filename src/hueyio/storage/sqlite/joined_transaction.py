"""Enqueue in a transaction of the application's own, on its own connection to the same file.

Nothing is opened and nothing is committed here: the entries become visible with the application's commit, and if it
rolls back or dies they never were. Nobody is rung, because nobody here learns of the commit; other processes and
sessions find it at their slow look, 25 to 50 ms later at most.

The order matters. The queue's row is written first, which takes the write lock before anything is read; and all is
inside a savepoint, so that a failure leaves the application's transaction as it was. What the application set up
for its own rows (a row factory, a text factory) is put aside meanwhile.

All of it is one function of the ``sqlite3.Connection``, on a connection of aiosqlite as well. There, one ``await`` for
each statement would lose a promise: another task that uses the connection could commit half of a batch, or read a row
without its row factory, and a cancelled call could write after the application's rollback. aiosqlite has no call that
runs a function in its thread, but a cursor of it has a row factory, which sqlite3 calls in that thread with its own
cursor, and that has the connection. So the function is the row factory of a ``SELECT`` of one row.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias, TypeVar
from urllib.parse import unquote, urlsplit

import aiosqlite

from hueyio.exceptions import ConfigurationError, HueyException
from hueyio.storage.records import Enqueued, Entry
from hueyio.storage.sqlite.engine.tables import find_queue
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.errors import explain
from hueyio.storage.sqlite.options import SqliteOptions
from hueyio.storage.sqlite.owned_connection import connection_of
from hueyio.storage.sqlite.tasks import add

__all__ = ["Connection", "enqueue_in", "plain_rows", "run_in_thread_of"]

T = TypeVar("T")

Connection: TypeAlias = "sqlite3.Connection | aiosqlite.Connection | Any"
"""One of SQLAlchemy's or Django's too, whose types are not known here; see ``owned_connection``."""


async def enqueue_in(connection: Connection, options: SqliteOptions, entries: Sequence[Entry]) -> list[Enqueued]:
    """Add entries as part of the connection's transaction; see ``SqliteStorage.enqueue_in``."""
    connection = await connection_of(connection)
    match connection:
        case sqlite3.Connection():
            return _enqueue_in(connection, options, entries)
        case aiosqlite.Connection():
            return await run_in_thread_of(connection, lambda inner: _enqueue_in(inner, options, entries))
        case _:
            raise HueyException(f"enqueue_in needs a connection of sqlite3 or aiosqlite, not {connection!r}")


async def run_in_thread_of(connection: aiosqlite.Connection, function: Callable[[sqlite3.Connection], T]) -> T:
    """Run a function in the thread of aiosqlite's connection; see above."""
    answers: list[T] = []
    async with connection.cursor() as cursor:
        cursor.row_factory = lambda raw, row: answers.append(function(raw.connection))  # type: ignore[assignment]
        await cursor.execute("SELECT 1")
        await cursor.fetchall()
    return answers[0]


def _enqueue_in(connection: sqlite3.Connection, options: SqliteOptions, entries: Sequence[Entry]) -> list[Enqueued]:
    with plain_rows(connection):
        _require_same_file(connection, options)
        try:
            _require_transaction(connection)
            connection.execute("SAVEPOINT hueyio")
            try:
                _take_write_lock(connection, options)
                transaction = Transaction(
                    connection, find_queue(connection, options), "", options.clock(), options.dead_limit
                )
                placed = add(transaction, entries)
                transaction.finish()
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK TO hueyio")
                    connection.execute("RELEASE hueyio")
                raise
            connection.execute("RELEASE hueyio")
            return placed
        except sqlite3.Error as error:
            raise explain(error, options) from error


@contextlib.contextmanager
def plain_rows(connection: sqlite3.Connection) -> Iterator[None]:
    """Put aside what the application set up for its own rows."""
    before = connection.row_factory, connection.text_factory
    connection.row_factory, connection.text_factory = None, str
    try:
        yield
    finally:
        connection.row_factory, connection.text_factory = before


def _require_same_file(connection: sqlite3.Connection, options: SqliteOptions) -> None:
    files = {name: file for _, name, file in connection.execute("PRAGMA database_list").fetchall()}
    if _real_path(files["main"]) != _real_path(_file_of(options)):
        raise ConfigurationError(
            f"the connection is to {files['main'] or 'a database in memory'}, and the tasks are in {options.path}; "
            "one transaction cannot write both"
        )


def _file_of(options: SqliteOptions) -> str:
    return unquote(urlsplit(options.target).path) if options.connect.get("uri") else options.target


def _real_path(file: str) -> str:
    return os.path.realpath(file) if file else ""


def _require_transaction(connection: sqlite3.Connection) -> None:
    """Begin a transaction where the connection itself would at the next write; else there must be one."""
    if connection.in_transaction:
        return
    # Python 3.12 and later: ``autocommit`` is -1 where isolation_level decides, as it always did before.
    if connection.isolation_level is None or getattr(connection, "autocommit", -1) is True:
        raise HueyException(
            "the connection commits each statement by itself: begin a transaction first, so that the task becomes "
            "visible together with your rows"
        )
    connection.execute("BEGIN IMMEDIATE")


def _take_write_lock(connection: sqlite3.Connection, options: SqliteOptions) -> None:
    """Write before anything is read: what is read first may be out of date by the time it is written to."""
    try:
        connection.execute("INSERT OR IGNORE INTO hueyio_queues (name) VALUES (?)", (options.name,))
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
