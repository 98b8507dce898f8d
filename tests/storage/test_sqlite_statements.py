"""How many statements an operation of SQLite takes, and that many rows in one are as good as one by one."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from hueyio.storage.records import Entry, Finish, Header
from hueyio.storage.sqlite import SqliteStorage, statements
from hueyio.storage.sqlite.many_rows import ManyRows, chunk_sizes
from hueyio.storage.sqlite.session import SqliteSession

TRACE: list[str] = []
SQL: Final = Path(statements.__file__).parent / "sql"


class Traced(sqlite3.Connection):
    """A connection that writes down what it runs."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.set_trace_callback(TRACE.append)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
async def session(file: Path) -> AsyncIterator[SqliteSession]:
    opened = await SqliteStorage("app", file, factory=Traced).connect()
    await opened.register("me", b"")
    await opened.enqueue(entries("first"))
    TRACE.clear()
    yield opened
    await opened.close()


def entries(*ids: str) -> list[Entry]:
    return [Entry(Header(id), id.encode()) for id in ids]


def numbered(count: int) -> list[Entry]:
    return entries(*(f"t{number}" for number in range(count)))


def counters(file: Path) -> tuple[int, ...]:
    """The counters of the queue's row, but for the last place."""
    with contextlib.closing(sqlite3.connect(file)) as other:
        row: tuple[int, ...] = other.execute(
            "SELECT loop, thread, process, schedule, revocations, entered_loop, entered_thread FROM hueyio_queues"
        ).fetchone()
    return row


@pytest.mark.parametrize("path", sorted(SQL.glob("*.sql")), ids=lambda path: path.stem)
def test_parameters_have_no_numbers(path: Path) -> None:
    """Python 3.14 takes numbered ones from a mapping only; 3.12 warns."""
    assert re.findall(r"\?\d", path.read_text()) == []


def verbs() -> list[str]:
    return [statement.split()[0] for statement in TRACE if not statement.startswith("PRAGMA")]


async def test_enqueue_takes_four_statements_when_nothing_is_in_the_way(session: SqliteSession) -> None:
    await session.enqueue(entries("a"))
    assert verbs() == ["BEGIN", "UPDATE", "INSERT", "COMMIT"]


async def test_many_tasks_take_few_statements(session: SqliteSession) -> None:
    await session.enqueue(numbered(200))
    assert len(verbs()) == 3 + len(chunk_sizes(200))
    taken = await session.claim({"loop": 300}, "me")
    assert [it.receipt.id for it in taken] == ["first", *(f"t{number}" for number in range(200))]
    TRACE.clear()
    assert set(await session.settle([Finish(it.receipt, b"") for it in taken], "me", 1)) == {"accepted"}
    assert len(verbs()) < 40


async def test_counters_count_what_was_added_when_some_was_alive(session: SqliteSession, file: Path) -> None:
    before = counters(file)
    assert [it.verdict for it in await session.enqueue(entries("first"))] == ["alive"]
    assert counters(file) == before, "nobody is rung for what was there"
    both = [Entry(Header("first", "thread"), b""), Entry(Header("later", eta=2e9), b""), *entries("new", "new")]
    assert [it.verdict for it in await session.enqueue(both)] == ["alive", "added", "added", "alive"]
    raised = [now - old for now, old in zip(counters(file), before, strict=True)]
    assert raised == [1, 0, 0, 1, 0, 2, 0]


async def test_plain_endings_are_fenced_when_they_fill_several_statements(session: SqliteSession) -> None:
    await session.enqueue(numbered(150))
    taken = await session.claim({"loop": 200}, "me")
    settled = [Finish(it.receipt, b"value") for it in (*taken[:40], *taken[38:])]
    answers = await session.settle(settled, "me", 1)
    assert answers == ["accepted"] * 40 + ["stale"] * 2 + ["accepted"] * 111
    assert (await session.counts()).running == 0


@pytest.mark.parametrize("count", [0, 1, 2, 3, 63, 64, 65, 127, 128, 200])
def test_rows_are_all_there_when_they_go_in_chunks(count: int) -> None:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE it (area, number PRIMARY KEY)")
        insert = ManyRows("INSERT INTO it (area, number) VALUES (?, ?)... ON CONFLICT DO NOTHING")
        assert insert.run(connection.execute, [(7, number) for number in range(count)]) == count
        assert insert.run(connection.execute, [(7, number) for number in range(count + 1)]) == 1
        delete = ManyRows("DELETE FROM it WHERE area = ? AND number IN (?...)")
        assert delete.run(connection.execute, [(number,) for number in range(count)], (8,)) == 0
        assert delete.run(connection.execute, [(number,) for number in range(count)], (7,)) == count
        assert connection.execute("SELECT number FROM it").fetchall() == [(count,)]
