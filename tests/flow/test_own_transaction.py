"""``task.transaction()``: what a body writes and the good end of its task are one commit."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import threading
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from hueyio import (
    SIGNAL_COMPLETE,
    FileHuey,
    Huey,
    HueyException,
    LeaseLost,
    MemoryHuey,
    RetryTask,
    SqliteHuey,
    Task,
    TaskException,
    TransactionTooLong,
    chord,
    crontab,
    current_task,
)
from hueyio.core import core_of
from tests.conftest import POSTGRES_KINDS
from tests.flow.own_transactions import declare as declare_mortals
from tests.support.own_rows import Home, PostgresHome, home_at, insert
from tests.support.patience import until
from tests.support.shared_postgres import own_database

ROOT = Path(__file__).parents[2]
CUT = (sqlite3.OperationalError, psycopg.OperationalError)
"""What a statement raises when the time of its block is over."""

ENDLESS = {
    "sqlite": "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO rows SELECT max(i) FROM n",
    "postgres": "SELECT pg_sleep(600)",
}

KILLED = {
    kind: int(os.environ.get("HUEYIO_KILLED_TRANSACTIONS", default))
    for kind, default in (("sqlite", "48"), ("postgres", "24"))
}

Do = Callable[[Any, Task], Any]


@pytest.fixture(params=["sqlite", "postgres"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    if request.param == "sqlite":
        return home_at(str(tmp_path / "app.db"), "app")
    return home_at(own_database(POSTGRES_KINDS[0]), uuid.uuid4().hex)


on_postgres = pytest.mark.parametrize("home", ["postgres"], indirect=True)


@pytest.fixture
async def huey(home: Home) -> AsyncIterator[Huey]:
    made = home.huey()
    await core_of(made).session()
    yield made
    await made.close()


@pytest.fixture
def rows(home: Home, huey: Huey) -> Callable[[], list[Any]]:
    home.make_table()
    return home.rows


def declare_async(huey: Huey) -> Any:
    """Make a task that writes a row, and whose value is ten times that."""

    @huey.task(name="write", context=True)
    async def write(number: int, task: Task) -> None:
        async with (tx := task.transaction()) as connection:
            await insert(connection, number)
            tx.result = 10 * number

    return write


def declare_sync(huey: Huey) -> Any:
    @huey.task(name="write", context=True)
    def write(number: int, task: Task) -> None:
        with (tx := task.sync.transaction()) as connection:
            insert(connection, number)
            tx.result = 10 * number

    return write


async def come(question: Callable[[], bool]) -> None:
    """Wait for a state that nothing announces."""

    async def ask() -> bool:
        return question()

    await until(ask)


def kind_of(home: Home) -> str:
    return "postgres" if isinstance(home, PostgresHome) else "sqlite"


both = pytest.mark.parametrize("declare", [declare_async, declare_sync], ids=["coroutine", "thread"])


@both
async def test_row_and_end_are_there_together(
    huey: Huey, home: Home, rows: Callable[[], list[Any]], declare: Any
) -> None:
    write = declare(huey)
    seen: list[str] = []
    huey.signal(SIGNAL_COMPLETE)(lambda signal, task: seen.append(task.id))
    huey.post_execute()(lambda task, value, error: seen.append(f"{value} {error}"))
    other = home.huey()
    async with other, huey.create_consumer() as consumer:
        results = [await write(number) for number in (1, 2)]
        assert [await asyncio.wait_for(result, 60) for result in results] == [10, 20]
        assert await other.result_of(results[0].id).status() == "done"
        await come(lambda: len(seen) == 4)
        assert consumer.task_tallies()[0].done == 2
        assert consumer.statistics().outcomes == {"Succeeded": 2}
    assert sorted(rows()) == [1, 2]
    assert sorted(seen) == sorted([*(result.id for result in results), "10 None", "20 None"])
    assert [ended.kind for ended in (await huey.history()).items] == ["done", "done"]
    assert await huey.count() == 0


@both
async def test_task_driven_by_hand_ends_in_its_transaction(
    huey: Huey, rows: Callable[[], list[Any]], declare: Any
) -> None:
    result = await declare(huey)(3)
    task = await huey.dequeue()
    assert task is not None
    assert await huey.execute(task) == 30
    assert await result == 30
    assert rows() == [3]


async def test_value_is_none_by_default(huey: Huey, rows: Callable[[], list[Any]]) -> None:
    @huey.task(context=True)
    async def write(task: Task) -> None:
        async with task.transaction() as connection:
            await insert(connection, 1)

    async with huey.create_consumer():
        result: Any = await write()
        assert await asyncio.wait_for(result, 60) is None
    assert rows() == [1]


@both
async def test_exception_in_the_block_rolls_back_and_the_task_is_retried(
    huey: Huey, rows: Callable[[], list[Any]], declare: Any
) -> None:
    attempts = iter(["fail", "ask", "end"])

    def fail(task: Task) -> None:
        match next(attempts):
            case "fail":
                raise ValueError("no")
            case "ask":
                raise RetryTask

    if declare is declare_async:

        @huey.task(context=True, retries=1)
        async def in_coroutine(task: Task) -> None:
            async with task.transaction() as connection:
                await insert(connection, task.attempt)
                fail(task)

        write: Any = in_coroutine

    else:

        @huey.task(context=True, retries=1)
        def in_thread(task: Task) -> None:
            with task.sync.transaction() as connection:
                insert(connection, task.attempt)
                fail(task)

        write = in_thread

    async with huey.create_consumer():
        result = await write()
        await asyncio.wait_for(result, 60)
        assert [it.number for it in await huey.attempts(result.id)] == [1, 3]
    assert rows() == [2]


@both
async def test_error_behind_the_block_is_logged_and_changes_nothing(
    huey: Huey, rows: Callable[[], list[Any]], declare: Any, caplog: pytest.LogCaptureFixture
) -> None:
    write = declare(huey)
    if declare is declare_async:

        @huey.task(context=True, retries=3)
        async def in_coroutine(task: Task) -> None:
            await write.call_local(1, task)
            raise ValueError("too late")

        late: Any = in_coroutine

    else:

        @huey.task(context=True, retries=3)
        def in_thread(task: Task) -> None:
            write.call_local(1, task)
            raise ValueError("too late")

        late = in_thread

    async with huey.create_consumer():
        result: Any = await late()
        assert await asyncio.wait_for(result, 60) == 10
        await come(lambda: "raised later changes nothing: ValueError('too late')" in caplog.text)
    assert rows() == [1]
    assert (await huey.counts()).failed == 0


async def test_value_that_the_body_returns_behind_the_block_is_told_to_be_dropped(
    huey: Huey, rows: Callable[[], list[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    write = declare_async(huey)

    @huey.task(context=True)
    async def both_ways(task: Task) -> int:
        await write.call_local(1, task)
        return 7

    async with huey.create_consumer():
        assert await asyncio.wait_for(await both_ways(), 60) == 10
    assert "what its body returned is dropped" in caplog.text


async def test_tasks_are_enqueued_in_the_block(huey: Huey, rows: Callable[[], list[Any]]) -> None:
    write = declare_async(huey)

    @huey.task(context=True, retries=1)
    async def parent(task: Task) -> None:
        async with (tx := task.transaction()) as connection:
            child = await write.enqueue_in(connection, 1)
            tx.result = child.id
            if not task.attempt:
                raise ValueError("the first child never was")

    @huey.task(context=True)
    def threaded(first: str, task: Task) -> None:
        with (tx := task.sync.transaction()) as connection:
            tx.result = [first, write.sync.enqueue_in(connection, 2).id]

    async with huey.create_consumer():
        group = await huey.enqueue(parent.s().then(threaded))
        ids = (await asyncio.wait_for(group.get(blocking=True), 60))[1]
        assert [await asyncio.wait_for(huey.result_of(id), 60) for id in ids] == [10, 20]
    assert sorted(rows()) == [1, 2]


async def test_members_of_a_chord_end_in_transactions(huey: Huey, rows: Callable[[], list[Any]]) -> None:
    write = declare_async(huey)

    @huey.task
    async def add_up(values: list[int]) -> int:
        return sum(values)

    async with huey.create_consumer():
        callback = await huey.enqueue(chord([write.s(number) for number in range(4)], add_up.s()))
        assert await asyncio.wait_for(callback.callback, 60) == 60
    assert sorted(rows()) == [0, 1, 2, 3]


async def test_unique_key_is_free_with_the_commit(huey: Huey, rows: Callable[[], list[Any]]) -> None:
    free = asyncio.Event()

    @huey.task(context=True, unique="skip")
    async def write(task: Task) -> None:
        async with task.transaction() as connection:
            await insert(connection, task.id)
        await free.wait()

    async with huey.create_consumer():
        first = await write()
        await asyncio.wait_for(first, 60)
        second = await write()
        assert second.id != first.id
        free.set()
        await asyncio.wait_for(second, 60)
    assert rows() == [first.id, second.id]


async def give_up_all(huey: Huey) -> None:
    """Take the leases of all consumers away, as others do with one that is dead."""
    session = await core_of(huey).session()
    for owner in await session.owners():
        assert await session.reclaim(owner.owner, owner.beat) is not None


@pytest.mark.parametrize("at", ["before", "in"])
async def test_lease_that_is_lost_rolls_back(huey: Huey, rows: Callable[[], list[Any]], at: str) -> None:
    raised: list[BaseException] = []

    @huey.task(context=True)
    async def write(task: Task) -> None:
        if not raised and at == "before":
            await give_up_all(huey)
        try:
            async with task.transaction() as connection:
                if not raised and at == "in":
                    await give_up_all(huey)
                await insert(connection, len(raised))
        except LeaseLost as error:
            raised.append(error)
            raise

    result = await write()
    for _ in range(2):
        task = await huey.dequeue()
        assert task is not None
        await huey.execute(task)
    await result
    assert len(raised) == 1
    assert rows() == [1]


@both
async def test_block_that_is_open_for_too_long_is_rolled_back(
    huey: Huey, home: Home, rows: Callable[[], list[Any]], declare: Any
) -> None:
    raised: list[BaseException] = []

    if declare is declare_async:

        @huey.task(context=True)
        async def in_coroutine(task: Task) -> None:
            try:
                async with task.transaction() as connection:
                    cursor = await connection.execute("SELECT 1 UNION SELECT 2")
                    await cursor.fetchone()
                    await insert(connection, 1)
                    await asyncio.to_thread(home.wait_until_free)
                    with pytest.raises(CUT):
                        await insert(connection, 2)
            except TransactionTooLong as error:
                raised.append(error)
                raise

        write: Any = in_coroutine

    else:

        @huey.task(context=True)
        def in_thread(task: Task) -> None:
            try:
                with task.sync.transaction() as connection:
                    insert(connection, 1)
                    home.wait_until_free()
                    insert(connection, 2)
            except TransactionTooLong as error:
                raised.append(error)
                raise

        write = in_thread

    async with huey.create_consumer(lease=1.0):
        result = await write()
        with pytest.raises(TaskException, match=r"open for more than 0\.5 s, half a lease"):
            await asyncio.wait_for(result, 60)
    assert len(raised) == 1
    assert rows() == []


async def test_statement_that_runs_for_too_long_is_ended(huey: Huey, home: Home, rows: Callable[[], list[Any]]) -> None:
    @huey.task(context=True)
    async def write(task: Task) -> None:
        async with task.transaction() as connection:
            await connection.execute(ENDLESS[kind_of(home)])

    async with huey.create_consumer(lease=1.0):
        with pytest.raises(TaskException, match="TransactionTooLong"):
            await asyncio.wait_for(await write(), 60)
    assert rows() == []


async def test_second_block_is_refused_unless_the_first_was_rolled_back(
    huey: Huey, rows: Callable[[], list[Any]]
) -> None:
    said: list[str] = []

    @huey.task(context=True)
    async def write(task: Task) -> None:
        with pytest.raises(ZeroDivisionError):
            async with task.transaction() as connection:
                await insert(connection, 1 / 0)
        async with task.transaction() as connection:
            await insert(connection, 1)
            with pytest.raises(HueyException) as in_it:
                async with task.transaction():
                    raise AssertionError
        with pytest.raises(HueyException) as behind_it:
            async with task.transaction():
                raise AssertionError
        said.extend([str(in_it.value), str(behind_it.value)])

    async with huey.create_consumer():
        await asyncio.wait_for(await write(), 60)
    assert ["that is open" in said[0], "that has ended it" in said[1]] == [True, True]
    assert rows() == [1]


@both
async def test_block_that_is_left_open_is_rolled_back_and_the_task_fails(
    huey: Huey, rows: Callable[[], list[Any]], declare: Any
) -> None:
    if declare is declare_async:

        @huey.task(context=True)
        async def in_coroutine(task: Task) -> str:
            connection = await task.transaction().__aenter__()
            await insert(connection, 1)
            return "well"

        write: Any = in_coroutine

    else:

        @huey.task(context=True)
        def in_thread(task: Task) -> str:
            insert(task.sync.transaction().__enter__(), 1)
            return "well"

        write = in_thread

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="ended inside of its transaction, which was rolled back"):
            await asyncio.wait_for(await write(), 60)
    assert rows() == []


async def test_cancellation_at_each_moment_leaves_all_or_nothing(huey: Huey, rows: Callable[[], list[Any]]) -> None:
    write = declare_async(huey)
    ended = 0
    moments = [*(round(1.25**power) for power in range(40)), sys.maxsize]
    for number, turns in enumerate(moments):
        result = await write(number)
        task = await huey.dequeue()
        assert task is not None
        running = asyncio.ensure_future(huey.execute(task))
        for _ in range(turns):
            await asyncio.sleep(0)
            if running.done():
                break
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        is_done = await result.status() == "done"
        assert (number in rows()) is is_done
        ended += is_done
        if not is_done:
            assert await result.status() in ("ready", "running")  # it was not begun, or is back
            await huey.flush()
    assert 0 < ended < len(moments)


async def test_cancelled_task_rolls_back(huey: Huey, rows: Callable[[], list[Any]]) -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    @huey.task(context=True)
    async def write(task: Task) -> None:
        async with task.transaction() as connection:
            await connection.execute("SELECT 1")
            begun.set()
            await never.wait()

    async with huey.create_consumer():
        result = await write()
        await begun.wait()
        await result.cancel()
        with pytest.raises(TaskException):
            await asyncio.wait_for(result, 60)
    assert rows() == []


async def test_body_that_is_cut_short_behind_its_block_has_ended_well(
    huey: Huey, rows: Callable[[], list[Any]]
) -> None:
    behind = asyncio.Event()
    write = declare_async(huey)

    @huey.task(context=True)
    async def stay(task: Task) -> None:
        await write.call_local(1, task)
        behind.set()
        await asyncio.Event().wait()

    async with huey.create_consumer() as consumer:
        result: Any = await stay()
        await behind.wait()
        assert await result == 10
        consumer.stop(graceful=False)
        await consumer.wait_stopped()
    assert await result.status() == "done"
    assert await huey.count() == 0
    assert rows() == [1]


async def test_body_that_times_out_in_its_thread_has_no_effect_when_it_goes_on(
    huey: Huey, rows: Callable[[], list[Any]]
) -> None:
    go, left = threading.Event(), threading.Event()
    raised: list[BaseException] = []

    @huey.task(context=True, timeout=0.2)
    def write(task: Task) -> None:
        try:
            with task.sync.transaction() as connection:
                go.wait(60)
                insert(connection, 1)
        except LeaseLost as error:
            raised.append(error)
        left.set()

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="TaskTimeout"):
            await asyncio.wait_for(await write(), 60)
        go.set()
        await asyncio.to_thread(left.wait, 60)
    assert len(raised) == 1
    assert rows() == []


END_IT: dict[str, Callable[[Any], object]] = {
    "commit": lambda connection: connection.commit(),
    "rollback": lambda connection: connection.rollback(),
    "with": lambda connection: connection.__enter__(),
    "text": lambda connection: connection.execute(" commit"),
    "cursor": lambda connection: connection.cursor().execute("ROLLBACK"),
}
END_ITS_OWN_WAY: dict[str, dict[str, Callable[[Any], object]]] = {
    "sqlite": {"script": lambda connection: connection.executescript("SELECT 1")},
    "postgres": {
        "bytes": lambda connection: connection.execute(b"ABORT"),
        "composed": lambda connection: connection.execute(sql.SQL("start transaction {}").format(sql.SQL("READ ONLY"))),
        "two phases": lambda connection: connection.execute("PREPARE TRANSACTION 'mine'"),
    },
}


async def test_connection_refuses_to_end_the_transaction(huey: Huey, home: Home, rows: Callable[[], list[Any]]) -> None:
    refused: list[str] = []

    @huey.task(context=True)
    def write(task: Task) -> None:
        with task.sync.transaction() as connection:
            insert(connection, 1)
            connection.execute("SAVEPOINT mine")
            insert(connection, 2)
            connection.execute("rollback to mine")
            for how, end_it in (END_IT | END_ITS_OWN_WAY[kind_of(home)]).items():
                with pytest.raises(HueyException, match="leaving the block commits"):
                    end_it(connection)
                refused.append(how)

    async with huey.create_consumer():
        await asyncio.wait_for(await write(), 60)
    assert refused == [*END_IT, *END_ITS_OWN_WAY[kind_of(home)]]
    assert rows() == [1]


@on_postgres
async def test_connection_of_a_coroutine_refuses_too(huey: Huey, rows: Callable[[], list[Any]]) -> None:
    refused: list[str] = []

    @huey.task(context=True)
    async def write(task: Task) -> None:
        async with task.transaction() as connection:
            await insert(connection, 1)
            with suppress(psycopg.DataError):
                async with connection.transaction():
                    await insert(connection, 2)
                    await connection.execute("SELECT 1 / 0")
            for how, end_it in END_IT.items():
                with pytest.raises(HueyException, match="leaving the block commits"):
                    await (connection.__aenter__() if how == "with" else end_it(connection))  # type: ignore[misc]
                refused.append(how)

    async with huey.create_consumer():
        await asyncio.wait_for(await write(), 60)
    assert refused == list(END_IT)
    assert rows() == [1]


async def test_transaction_that_was_ended_all_the_same_is_found_out(huey: Huey, rows: Callable[[], list[Any]]) -> None:
    @huey.task(context=True)
    async def write(task: Task) -> None:
        async with task.transaction() as connection:
            await insert(connection, 1)
            await connection.execute("/* nobody sees */ ROLLBACK")
            await insert(connection, 2)

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="not the one that was begun"):
            await asyncio.wait_for(await write(), 60)
    assert rows() == []


async def test_result_that_cannot_be_stored_rolls_back(huey: Huey, rows: Callable[[], list[Any]]) -> None:
    @huey.task(context=True)
    async def write(task: Task) -> None:
        async with (tx := task.transaction()) as connection:
            await insert(connection, 1)
            tx.result = threading.Lock()

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="SerializationError"):
            await asyncio.wait_for(await write(), 60)
    assert rows() == []


async def test_storages_and_modes_without_transactions_say_so(tmp_path: Path) -> None:
    immediate = SqliteHuey("app", filename=tmp_path / "app.db", immediate=True)
    with pytest.raises(TaskException, match="in immediate mode none is there"):
        await (await declare_async(immediate)(1))
    await immediate.close()
    for declare in (declare_async, declare_sync):
        for other in (MemoryHuey("app"), FileHuey("app", path=tmp_path / "queue")):
            async with other.create_consumer():
                with pytest.raises(TaskException, match=r"ConfigurationError.*SqliteHuey and PostgresHuey have it"):
                    await asyncio.wait_for(await declare(other)(1), 60)
            await other.close()


async def test_transaction_outside_of_a_body_is_refused(huey: Huey) -> None:
    kept: list[Task] = []

    @huey.task(context=True)
    async def keep(task: Task) -> None:
        kept.append(task)

    with pytest.raises(HueyException, match="nobody runs this"):
        keep.s().transaction()
    async with huey.create_consumer():
        await asyncio.wait_for(await keep(), 60)
        with pytest.raises(HueyException, match="it does not run here"):
            await come(lambda: kept[0].transaction() is None)


async def test_wrong_form_is_refused_at_the_call(huey: Huey) -> None:
    @huey.task(context=True)
    async def on_loop(task: Task) -> None:
        task.sync.transaction()

    @huey.task(context=True)
    def in_thread(task: Task) -> None:
        task.transaction()

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="would block the consumer's loop"):
            await asyncio.wait_for(await on_loop(), 60)
        with pytest.raises(TaskException, match=r"use `with task\.sync\.transaction"):
            await asyncio.wait_for(await in_thread(), 60)


async def test_periodic_task_ends_in_its_transaction(huey: Huey, rows: Callable[[], list[Any]]) -> None:
    @huey.periodic_task(crontab())
    async def tick() -> None:
        async with (tx := current_task().transaction()) as connection:
            await insert(connection, 1)
            tx.result = "nobody reads it"

    result = await tick()
    task = await huey.dequeue()
    assert task is not None
    await huey.execute(task)
    assert rows() == [1]
    assert await result.status() == "done"
    assert (await huey.counts()).results == 0


@pytest.mark.timeout(120 + 3 * max(KILLED.values()))
async def test_each_effect_is_there_once_though_workers_are_killed_at_every_step(
    huey: Huey, home: Home, rows: Callable[[], list[Any]]
) -> None:
    count = KILLED[kind_of(home)]
    in_coroutine, in_thread = declare_mortals(huey)
    results = [await (in_thread if number % 3 else in_coroutine).options(id=str(number))() for number in range(count)]
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.flow.own_transactions", home.target, home.name, "1", cwd=ROOT
    )
    assert await running.wait() == 0
    expected = sorted(result.id for result in results)
    assert sorted(rows()) == expected
    assert [await result for result in results] == [result.id for result in results]
    notes = [huey.result_of(f"note-{id}") for id in expected]
    assert [await note for note in notes] == expected
    counts = await huey.counts()
    assert (await huey.count(), counts.running, counts.failed, counts.dead) == (0, 0, 0, 0)
    if kind_of(home) == "sqlite":
        with closing(sqlite3.connect(home.target)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
