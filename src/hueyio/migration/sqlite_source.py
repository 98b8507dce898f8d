"""Huey's queue in an SQLite file.

Each operation is one short transaction, in a thread: Huey's own locks the whole file too, and waits 5 s for it.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from hueyio.exceptions import StorageUnavailable
from hueyio.loops.carry_through import carry_through
from hueyio.migration.source import PLACES, Aside, Held, Place
from hueyio.migration.text_files import read_text

__all__ = ["SqliteSource"]

T = TypeVar("T")

_NAMED: Final = re.compile(r"^-- name: (\w+)\n([^;]*?)(?=^--|\Z)", re.MULTILINE)
_SQL: Final = {name: text.strip() for name, text in _NAMED.findall(read_text("sql/huey.sql"))}
_POLL: Final = 0.1


class SqliteSource:
    """One queue of Huey's in one file."""

    def __init__(self, path: Path, name: str, timeout: float) -> None:
        self._path = path
        self._name = name
        self._timeout = timeout
        self._connection: sqlite3.Connection | None = None

    @property
    def name(self) -> str:
        return self._name

    def __str__(self) -> str:
        return f"queue {self._name} of {self._path}"

    @classmethod
    def is_one(cls, path: Path, timeout: float) -> bool:
        """Say whether Huey has its tables in this file."""
        with cls._looking(path, timeout) as connection:
            return all(_has_table(connection, name) for name in ("task", "schedule", "kv"))

    @classmethod
    def find_names(cls, path: Path, timeout: float) -> list[str]:
        """Return the names of Huey's queues in a file."""
        with cls._looking(path, timeout) as connection:
            return [name for (name,) in connection.execute(_SQL["list_queues"])]

    @classmethod
    @contextmanager
    def _looking(cls, path: Path, timeout: float) -> Iterator[sqlite3.Connection]:
        with cls(path, "", timeout)._reading() as connection, closing(connection):
            yield connection

    async def count(self) -> dict[Place, int]:
        return await self._read(self._count)

    async def page(self, place: Place, skip: int, limit: int) -> list[Held]:
        rows = await self._read(
            lambda connection: connection.execute(_SQL[f"page_{place}"], (self._name, limit, skip)).fetchall()
        )
        return [Held(place, id, bytes(data)) for id, data in rows]

    async def take(self, messages: Mapping[str, Held], *, all_or_none: bool = False) -> set[str]:
        return await self._write(partial(self._take, messages, all_or_none)) if messages else set()

    async def aside(self) -> list[Aside]:
        return await self._read(self._list_aside)

    async def drop(self, tokens: Sequence[str]) -> None:
        await self._write(partial(_move, ["drop_aside"], tokens))

    async def give_back(self, tokens: Sequence[str]) -> None:
        await self._write(partial(_move, ["give_back_queue", "give_back_schedule", "drop_aside"], tokens))

    async def keys(self) -> list[str]:
        rows = await self._read(lambda it: it.execute(_SQL["list_keys"], (self._name,)).fetchall())
        return [key for (key,) in rows]

    async def values(self, keys: Sequence[str]) -> dict[str, bytes]:
        return await self._read(partial(self._values, keys))

    async def delete(self, keys: Sequence[str]) -> None:
        if keys:
            await self._write(lambda it: it.executemany(_SQL["delete_key"], [(self._name, key) for key in keys]))

    async def wait(self, timeout: float) -> None:
        await asyncio.sleep(min(timeout, _POLL))

    async def close(self) -> None:
        await self._run(self._close)

    def _count(self, connection: sqlite3.Connection) -> dict[Place, int]:
        return {place: connection.execute(_SQL[f"count_{place}"], (self._name,)).fetchone()[0] for place in PLACES}

    def _take(self, messages: Mapping[str, Held], all_or_none: bool, connection: sqlite3.Connection) -> set[str]:
        connection.execute(_SQL["make_aside"])
        taken: set[str] = set()
        for token, it in messages.items():
            row = (token, it.mark, self._name, it.data)
            if connection.execute(_SQL[f"keep_{it.place}"], row).rowcount == 1:
                connection.execute(_SQL[f"delete_{it.place}"], (it.mark,))
                taken.add(token)
        if all_or_none and len(taken) < len(messages):
            connection.rollback()
            return set()
        return taken

    def _list_aside(self, connection: sqlite3.Connection) -> list[Aside]:
        if not _has_table(connection, "hueyio_aside"):
            return []
        return [Aside(token, bytes(data)) for token, data in connection.execute(_SQL["list_aside"], (self._name,))]

    def _values(self, keys: Sequence[str], connection: sqlite3.Connection) -> dict[str, bytes]:
        found = ((key, connection.execute(_SQL["read_key"], (self._name, key)).fetchone()) for key in keys)
        return {key: bytes(row[0]) for key, row in found if row is not None}

    def _close(self) -> None:
        if self._connection is None:
            return
        with self._writing() as connection:
            if _has_table(connection, "hueyio_aside") and not connection.execute(_SQL["count_aside"]).fetchone()[0]:
                connection.execute(_SQL["drop_table"])
        self._connection.close()
        self._connection = None

    async def _read(self, act: Callable[[sqlite3.Connection], T]) -> T:
        def within() -> T:
            with self._reading() as connection:
                return act(connection)

        return await self._run(within)

    async def _write(self, act: Callable[[sqlite3.Connection], T]) -> T:
        def within() -> T:
            with self._writing() as connection:
                return act(connection)

        return await self._run(within)

    async def _run(self, act: Callable[[], T]) -> T:
        """Run it in a thread, one at a time; what has begun is carried through."""
        return await carry_through(asyncio.to_thread(act))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            if connection.in_transaction:
                connection.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(
                    f"{self._path.absolute().as_uri()}?mode=rw",
                    uri=True,
                    timeout=self._timeout,
                    isolation_level=None,
                    check_same_thread=False,
                )
            yield self._connection
        except sqlite3.Error as error:
            raise StorageUnavailable(f"SQLite file {self._path}, which has Huey's queue: {error}") from error


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    return bool(connection.execute(_SQL["has_table"], (name,)).fetchone()[0])


def _move(names: Sequence[str], tokens: Sequence[str], connection: sqlite3.Connection) -> None:
    """Run these statements for each token."""
    connection.execute(_SQL["make_aside"])  # another one may have recovered all of them, and dropped the table
    for name in names:
        connection.executemany(_SQL[name], [(token,) for token in tokens])
