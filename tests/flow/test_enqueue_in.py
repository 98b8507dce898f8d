"""Enqueue in the application's own transaction: the task is there with the commit, or not at all."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from hueyio import (
    ConfigurationError,
    HueyException,
    MemoryHuey,
    Result,
    SqliteHuey,
    StorageUnavailable,
    TaskArgumentError,
)
from hueyio.core import core_of
from tests.flow.joined_transactions import declare_note

ROOT = Path(__file__).parents[2]
TRANSACTIONS = int(os.environ.get("HUEYIO_TRANSACTIONS", "300"))


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "app.db")


@pytest.fixture
async def huey(file: str) -> AsyncIterator[SqliteHuey]:
    made = SqliteHuey("app", filename=file)
    yield made
    await made.close()


def declare(huey: SqliteHuey | MemoryHuey) -> Any:
    @huey.task(name="add")
    async def add(a: int, b: int) -> int:
        return a + b

    return add


async def test_task_is_there_with_the_commit_and_wakes_a_waiting_consumer(huey: SqliteHuey, file: str) -> None:
    add = declare(huey)
    other = SqliteHuey(huey.name, filename=file)  # its session has nothing to write, so that it waits for no commit
    async with huey.create_consumer(), other:
        assert await other.count() == 0
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("CREATE TABLE rows (id)")
            connection.execute("INSERT INTO rows VALUES (1)")
            result = await add.enqueue_in(connection, 1, 2)
            assert isinstance(result, Result)
            assert await other.result_of(result.id).status() == "unknown"
            connection.commit()
        assert await asyncio.wait_for(result, 60) == 3


async def test_task_is_not_there_after_a_rollback(huey: SqliteHuey, file: str) -> None:
    add = declare(huey)
    with closing(sqlite3.connect(file)) as connection:
        result = await add.enqueue_in(connection, 1, 2)
        assert connection.in_transaction
        connection.rollback()
    assert await result.status() == "unknown"
    assert await huey.count() == 0


async def test_connection_of_aiosqlite_works_alike(huey: SqliteHuey, file: str) -> None:
    add = declare(huey)
    async with aiosqlite.connect(file) as connection:
        await connection.execute("CREATE TABLE rows (id)")
        await add.enqueue_in(connection, 1, 2)
        await connection.rollback()
        await add.options(priority=5).enqueue_in(connection, 3, b=4)
        await connection.commit()
    assert [(task.args, task.kwargs, task.priority) for task in await huey.pending()] == [((3,), {"b": 4}, 5)]


async def test_failure_on_a_connection_of_aiosqlite_leaves_the_transaction_as_it_was(
    huey: SqliteHuey, file: str, tmp_path: Path
) -> None:
    add = declare(huey)
    await core_of(huey).session()
    async with aiosqlite.connect(tmp_path / "other.db") as connection:
        with pytest.raises(ConfigurationError, match="the tasks are in"):
            await add.enqueue_in(connection, 1, 2)
    async with aiosqlite.connect(file, isolation_level=None) as connection:
        with pytest.raises(HueyException, match="begin a transaction first"):
            await add.enqueue_in(connection, 1, 2)
        await connection.execute("BEGIN")
        await connection.execute("CREATE TABLE rows (id)")
        await connection.execute("ALTER TABLE hueyio_tasks RENAME TO away")
        with pytest.raises(HueyException, match="hueyio tables"):
            await add.enqueue_in(connection, 1, 2)
        assert connection.in_transaction
        await connection.execute("ALTER TABLE away RENAME TO hueyio_tasks")
        await connection.commit()
        assert list(await connection.execute_fetchall("SELECT * FROM rows")) == []
    assert await huey.count() == 0


async def test_tasks_that_share_a_connection_of_aiosqlite_do_not_disturb_each_other(
    huey: SqliteHuey, file: str
) -> None:
    add = declare(huey)
    async with aiosqlite.connect(file) as connection:
        connection.row_factory = sqlite3.Row

        async def read() -> list[list[str]]:
            return [row.keys() for _ in range(30) for row in await connection.execute_fetchall("SELECT 1 AS one")]

        async def commit() -> None:
            for _ in range(30):
                await connection.commit()

        calls = [add.options(id=str(number)).enqueue_in(connection, number, 0) for number in range(30)]
        columns, *_ = await asyncio.gather(read(), commit(), *calls)
        await connection.commit()
    assert columns == [["one"]] * 30
    assert await huey.count() == 30


async def test_cancelled_call_on_a_connection_of_aiosqlite_writes_nothing_later(huey: SqliteHuey, file: str) -> None:
    add = declare(huey)
    await core_of(huey).session()
    for turns in range(12):
        async with aiosqlite.connect(file) as connection:
            call = asyncio.ensure_future(add.enqueue_in(connection, 1, 2))
            for _ in range(turns):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            await connection.rollback()
            await connection.execute("SELECT 1")
            assert not connection.in_transaction
    assert await huey.count() == 0


async def test_pipeline_is_enqueued_whole(huey: SqliteHuey, file: str) -> None:
    add = declare(huey)
    async with huey.create_consumer():
        with closing(sqlite3.connect(file)) as connection, connection:
            group = await huey.enqueue_in(connection, add.s(1, 2).then(add, 10))
        assert await asyncio.wait_for(group.get(blocking=True), 60) == [3, 13]


async def test_several_tasks_and_rows_go_into_one_transaction(huey: SqliteHuey, file: str) -> None:
    add = declare(huey)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        await add.enqueue_in(connection, 1, 2)
        connection.execute("CREATE TABLE rows (id)")
        await add.options(delay=60).enqueue_in(connection, 3, 4)
        connection.execute("COMMIT")
    assert (await huey.count(), await huey.scheduled_count()) == (1, 1)


async def test_factories_of_the_connection_are_left_as_they_were(huey: SqliteHuey, file: str) -> None:
    add = declare(huey)
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        connection.text_factory = bytes
        await add.options(id="a").enqueue_in(connection, 1, 2)
        await add.options(id="a").enqueue_in(connection, 1, 2)
        assert (connection.row_factory, connection.text_factory) == (sqlite3.Row, bytes)
        connection.commit()
    assert await huey.count() == 1


async def test_connection_to_another_file_is_refused(huey: SqliteHuey, tmp_path: Path) -> None:
    add = declare(huey)
    for other in (str(tmp_path / "other.db"), ":memory:"):
        with closing(sqlite3.connect(other)) as connection, pytest.raises(ConfigurationError, match="the tasks are in"):
            await add.enqueue_in(connection, 1, 2)


async def test_same_file_under_another_name_is_accepted(huey: SqliteHuey, file: str, tmp_path: Path) -> None:
    add = declare(huey)
    await core_of(huey).session()
    (tmp_path / "link.db").symlink_to(file)
    with closing(sqlite3.connect(tmp_path / "link.db")) as connection, connection:
        await add.enqueue_in(connection, 1, 2)
    assert await huey.count() == 1


async def test_connection_without_a_transaction_is_refused(huey: SqliteHuey, file: str) -> None:
    add = declare(huey)
    with (
        closing(sqlite3.connect(file, isolation_level=None)) as connection,
        pytest.raises(HueyException, match="begin a transaction first"),
    ):
        await add.enqueue_in(connection, 1, 2)
    assert await huey.count() == 0


async def test_failure_leaves_the_transaction_as_it_was(huey: SqliteHuey, file: str) -> None:
    add = declare(huey)
    await core_of(huey).session()
    with (
        closing(sqlite3.connect(file, isolation_level=None)) as other,
        closing(sqlite3.connect(file, timeout=0)) as own,
    ):
        own.isolation_level = None
        own.execute("BEGIN")
        own.execute("SELECT * FROM hueyio_queues").fetchall()
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable):
            await add.enqueue_in(own, 1, 2)
        assert own.in_transaction
        other.execute("ROLLBACK")
        await add.enqueue_in(own, 1, 2)
        own.execute("COMMIT")
    assert await huey.count() == 1


async def test_arguments_and_settings_are_checked_at_the_call(huey: SqliteHuey, file: str) -> None:
    add = declare(huey)
    with closing(sqlite3.connect(file)) as connection:
        with pytest.raises(TaskArgumentError):
            add.enqueue_in(connection, 1)
        with pytest.raises(HueyException, match="sqlite3 or aiosqlite"):
            await add.enqueue_in("app.db", 1, 2)


async def test_storage_without_such_transactions_says_so() -> None:
    add = declare(MemoryHuey())
    with closing(sqlite3.connect(":memory:")) as connection, pytest.raises(ConfigurationError, match="SqliteHuey"):
        await add.enqueue_in(connection, 1, 2)


async def test_task_runs_at_once_in_immediate_mode(file: str) -> None:
    add = declare(immediate := SqliteHuey("app", filename=file, immediate=True))
    with closing(sqlite3.connect(file)) as connection:
        assert await (await add.enqueue_in(connection, 1, 2)) == 3
    await immediate.close()


def test_blocking_code_enqueues_in_its_own_transaction(huey: SqliteHuey, file: str) -> None:
    @huey.task
    def add(a: int, b: int) -> int:
        return a + b

    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE rows (id)")
        connection.execute("INSERT INTO rows VALUES (1)")
        add.sync.enqueue_in(connection, 1, 2)
        connection.rollback()
        assert huey.sync.count() == 0
        connection.execute("INSERT INTO rows VALUES (1)")
        result = huey.sync.enqueue_in(connection, add.s(1, 2))
        assert huey.sync.count() == 0
        connection.commit()
    (task,) = huey.sync.pending()
    assert task.id == result.id
    taken = huey.sync.dequeue()
    assert taken is not None
    assert huey.sync.execute(taken) == 3
    assert result.get() == 3
    huey.sync.close()


def test_blocking_code_runs_it_at_once_in_immediate_mode(file: str) -> None:
    huey = SqliteHuey("app", filename=file, immediate=True)

    @huey.task
    async def add(a: int, b: int) -> int:
        await asyncio.sleep(0)
        return a + b

    with closing(sqlite3.connect(file)) as connection:
        assert add.sync.enqueue_in(connection, 1, 2).get() == 3
    huey.sync.close()


@pytest.mark.timeout(120 + TRANSACTIONS // 10)
async def test_tasks_are_there_exactly_where_rows_are_though_applications_die(huey: SqliteHuey, file: str) -> None:
    """Two applications at once, each in processes that are killed before, in and after their transactions."""
    program = [sys.executable, "-m", "tests.flow.joined_transactions", file, str(TRANSACTIONS // 2)]
    running = [await asyncio.create_subprocess_exec(*program, str(seed), cwd=ROOT) for seed in (1, 2)]
    assert [await process.wait() for process in running] == [0, 0]
    with closing(sqlite3.connect(file)) as connection:
        rows = {id for (id,) in connection.execute("SELECT id FROM rows")}
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    declare_note(huey)
    assert {task.id for task in await huey.pending()} == rows
    assert TRANSACTIONS * 0.4 < len(rows) < TRANSACTIONS * 0.9
    async with huey.create_consumer():
        for id in sorted(rows)[:50]:
            assert await asyncio.wait_for(huey.result_of(id), 60) == id
