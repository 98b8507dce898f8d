"""Transactions of bodies on PostgreSQL: who waits for them, what a dead client leaves, and what the driver says."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.adapt import Dumper
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from tests.conftest import POSTGRES_KINDS
from tests.support.own_rows import PostgresHome, insert
from tests.support.postgres_roles import granted_role
from tests.support.shared_postgres import own_database

from hueyio import HueyException, PostgresHuey, Task, TaskException
from hueyio.core import core_of
from hueyio.storage.contract import Session
from hueyio.storage.postgres import PostgresStorage
from hueyio.storage.records import Bury, Defer, Entry, Finish, Header, HistoryBatch, Receipt, Settlement
from hueyio.testing.storage.conformance.worker import Worker, make_suspects, quiet

ROOT = Path(__file__).parents[2]
SECONDS = 60.0


@pytest.fixture
def home() -> PostgresHome:
    return PostgresHome(own_database(POSTGRES_KINDS[0]), uuid.uuid4().hex)


@pytest.fixture
def storage(home: PostgresHome) -> PostgresStorage:
    return PostgresStorage(home.name, home.target)


@pytest.fixture
async def session(storage: PostgresStorage) -> AsyncIterator[Session]:
    session = await storage.connect()
    yield session
    await session.close()


@pytest.fixture
async def huey(home: PostgresHome) -> AsyncIterator[PostgresHuey]:
    made = home.huey()
    await core_of(made).session()
    home.make_table()
    yield made
    await made.close()


@pytest.mark.parametrize("table", ["tasks", "owners", "holdings", "beats", "queues"])
async def test_open_block_locks_no_row_of_the_queue(
    home: PostgresHome, storage: PostgresStorage, session: Session, table: str
) -> None:
    worker = await Worker.register(session)
    delivery = await worker.take_one("a")
    completion = storage.completion(delivery.receipt, SECONDS)
    connection = await completion.begin()
    await connection.execute("SELECT 1")
    number = "SELECT queue FROM hueyio.queues WHERE name = %s"
    rows = f"SELECT FROM hueyio.{table} WHERE queue = ({number}) FOR UPDATE NOWAIT"
    with psycopg.connect(home.target) as other:
        assert other.execute(rows.encode(), [home.name]).rowcount == 1
    assert await completion.finish(Finish(delivery.receipt)) == "accepted"
    await completion.abandon()


async def test_what_others_do_to_the_task_does_not_wait_for_its_block(
    storage: PostgresStorage, session: Session
) -> None:
    worker, other = await Worker.register(session), await Worker.register(session)
    delivery = await worker.take_one("a")
    completion = storage.completion(delivery.receipt, SECONDS)
    await completion.begin()
    async with asyncio.timeout(SECONDS / 2):
        assert await session.start([delivery.receipt], worker.owner) == [True]
        assert await session.report(delivery.receipt, b"half")
        assert await session.cancel(["a"], other.owner) == []
        (seen,) = [it for it in await session.owners() if it.owner == worker.owner]
        assert seen.held == 1
        assert await session.reclaim(worker.owner, seen.beat) == 1
    assert await completion.finish(Finish(delivery.receipt)) == "stale"
    await completion.abandon()


async def test_end_is_counted_though_the_owner_is_left_alone(storage: PostgresStorage, session: Session) -> None:
    """A suspect is given to who holds nothing: that depends on the count."""
    worker = await Worker.register(session)
    for id in ("a", "b"):
        delivery = await worker.take_one(id)
        completion = storage.completion(delivery.receipt, SECONDS)
        await completion.begin()
        assert await completion.finish(Finish(delivery.receipt)) == "accepted"
        await completion.abandon()
    await make_suspects(session, "bad")

    async def held() -> int:
        return {it.owner: it.held for it in await session.owners()}[worker.owner]

    assert await held() == 0
    (suspect,) = await worker.claim()
    assert await held() == 1
    assert await session.publish(worker.owner, 0, b"added up")
    assert await held() == 1
    await worker.finish(suspect)
    assert await held() == 0


async def test_sleeper_is_rung_for_what_the_held_task_has_kept_back(storage: PostgresStorage, session: Session) -> None:
    worker = await Worker.register(session)
    delivery = await worker.take_one("a")
    await make_suspects(session, "bad")
    await quiet(session)
    completion = storage.completion(delivery.receipt, SECONDS)
    await completion.begin()
    ringing = asyncio.ensure_future(session.wait_for_work(["loop"], SECONDS))
    assert await completion.finish(Finish(delivery.receipt)) == "accepted"
    await completion.abandon()
    assert await ringing == {"loop"}
    assert await worker.claim_ids() == ["bad"]


async def test_what_counts_goes_with_the_lease(home: PostgresHome, storage: PostgresStorage, session: Session) -> None:
    worker = await Worker.register(session)
    delivery = await worker.take_one("a")
    completion = storage.blocking_completion(delivery.receipt, SECONDS)
    await asyncio.to_thread(completion.begin)
    assert await asyncio.to_thread(completion.finish, Finish(delivery.receipt)) == "accepted"
    completion.abandon()
    count = "SELECT count(*) FROM hueyio.completed JOIN hueyio.queues USING (queue) WHERE name = %s"
    with psycopg.connect(home.target, autocommit=True) as other:
        assert other.execute(count, [home.name]).fetchone() == (1,)
        await session.deregister(worker.owner)
        assert other.execute(count, [home.name]).fetchone() == (0,)


async def test_each_kind_of_settlement_ends_a_block(storage: PostgresStorage, session: Session) -> None:
    worker = await Worker.register(session)
    ends: dict[str, Callable[[Receipt], Settlement]] = {
        "a\0b": lambda it: Finish(it, b"\0value", 60.0, follow_ups=(Entry(Header("next"), b"message"),)),
        "failed": lambda it: Bury(it, "no", b"error", 60.0, into="failed", name="work"),
        "later": lambda it: Defer(it, Header("later", eta=2e9)),
    }
    for id, end in ends.items():
        delivery = await worker.take_one(id)
        completion = storage.completion(delivery.receipt, SECONDS)
        await completion.begin()
        history = HistoryBatch(ids=(id,), places=(0,), data=b"known")
        assert await completion.finish(end(delivery.receipt), history) == "accepted"
        await completion.abandon()
        with pytest.raises(HueyException, match="is over"):
            await completion.finish(end(delivery.receipt))
        assert await worker.claim_ids() in ([], ["next"])
    assert await session.peek("results", ["a\0b"]) == [b"\0value"]
    assert [it.header.id for it in (await session.failed(10)).items] == ["failed"]
    assert [it.header.id for it in await session.scan_tasks("scheduled")] == ["later"]
    assert [it.ids for it in (await session.history(10)).items] == [("later",), ("failed",), ("a\0b",)]


async def test_settings_of_the_body_for_its_connection_are_its_own(huey: PostgresHuey, home: PostgresHome) -> None:
    class Shouting(Dumper):
        def dump(self, obj: Any) -> bytes:
            return str(obj).upper().encode()

    @huey.task(context=True)
    async def write(task: Task) -> None:
        async with (tx := task.transaction()) as connection:
            connection.row_factory = dict_row
            connection.adapters.register_dumper(str, Shouting)
            row = await (await connection.execute("SELECT %s::text AS said", ["loud"])).fetchone()
            await insert(connection, row)
            tx.result = "quiet"

    async with huey.create_consumer():
        result: Any = await write()
        assert await asyncio.wait_for(result, 60) == "quiet"
    assert home.rows() == [{"said": "LOUD"}]


@pytest.mark.parametrize("kind", ["coroutine", "thread"])
async def test_statement_that_failed_and_was_passed_over_is_found_out(
    huey: PostgresHuey, home: PostgresHome, kind: str
) -> None:
    if kind == "coroutine":

        @huey.task(context=True)
        async def in_coroutine(task: Task) -> None:
            async with task.transaction() as connection:
                await insert(connection, 1)
                with pytest.raises(psycopg.DataError):
                    await connection.execute("SELECT 1 / 0")

        write: Any = in_coroutine

    else:

        @huey.task(context=True)
        def in_thread(task: Task) -> None:
            with task.sync.transaction() as connection:
                insert(connection, 1)
                with pytest.raises(psycopg.DataError):
                    connection.execute("SELECT 1 / 0")

        write = in_thread

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="has failed, so PostgreSQL commits nothing of it"):
            await asyncio.wait_for(await write(), 60)
    assert home.rows() == []


@pytest.mark.parametrize("kind", ["coroutine", "thread"])
async def test_constraint_that_is_checked_at_the_commit_rolls_back(
    huey: PostgresHuey, home: PostgresHome, kind: str
) -> None:
    with psycopg.connect(home.target) as owner:
        owner.execute("ALTER TABLE rows ADD UNIQUE (id) DEFERRABLE INITIALLY DEFERRED")
    raised: list[BaseException] = []
    if kind == "coroutine":

        @huey.task(context=True)
        async def in_coroutine(task: Task) -> None:
            try:
                async with task.transaction() as connection:
                    await insert(connection, 1)
                    await insert(connection, 1)
            except psycopg.Error as error:
                raised.append(error)
                raise

        write: Any = in_coroutine

    else:

        @huey.task(context=True)
        def in_thread(task: Task) -> None:
            try:
                with task.sync.transaction() as connection:
                    insert(connection, 1)
                    insert(connection, 1)
            except psycopg.Error as error:
                raised.append(error)
                raise

        write = in_thread

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="UniqueViolation"):
            await asyncio.wait_for(await write(), 60)
    assert [type(it) for it in raised] == [psycopg.errors.UniqueViolation]
    assert home.rows() == []


async def test_role_with_the_rights_of_the_page_and_its_own_tables_may_do_it(
    huey: PostgresHuey, home: PostgresHome
) -> None:
    with granted_role(home.target) as granted, psycopg.connect(home.target, autocommit=True) as owner:
        role = conninfo_to_dict(granted)["user"]
        owner.execute(f"GRANT ALL ON TABLE rows TO {role}; GRANT ALL ON SEQUENCE rows_place_seq TO {role}".encode())
        mine = PostgresHuey(home.name, granted)

        @mine.task(context=True)
        async def write(task: Task) -> None:
            async with task.transaction() as connection:
                await insert(connection, 1)

        async with mine.create_consumer():
            await asyncio.wait_for(await write(), 60)
        await mine.close()
    assert home.rows() == [1]


async def test_isolation_of_the_block_cannot_be_changed(huey: PostgresHuey, home: PostgresHome) -> None:
    @huey.task(context=True)
    async def write(task: Task) -> None:
        async with task.transaction() as connection:
            await connection.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="must be called before any query"):
            await asyncio.wait_for(await write(), 60)


@pytest.mark.parametrize("ending", ["terminated", "closed"])
async def test_connection_that_is_lost_in_the_block_leaves_nothing(
    huey: PostgresHuey, home: PostgresHome, ending: str
) -> None:
    @huey.task(context=True, retries=1)
    async def write(task: Task) -> None:
        async with task.transaction() as connection:
            await insert(connection, task.attempt)
            if task.attempt:
                return
            if ending == "terminated":
                with psycopg.connect(home.target, autocommit=True) as admin:
                    admin.execute("SELECT pg_terminate_backend(%s, 60000)", [connection.info.backend_pid])
            else:
                await connection.close()

    async with huey.create_consumer():
        result = await write()
        await asyncio.wait_for(result, 60)
        first, _ = await huey.attempts(result.id)
        assert "StorageUnavailable" in repr(first)
    assert home.rows() == [1]


async def test_server_ends_the_block_of_a_worker_that_is_stopped(huey: PostgresHuey, home: PostgresHome) -> None:
    async def write() -> None: ...

    write.__module__ = "app"  # as the program has it
    result = await huey.task(write)()
    program = [sys.executable, "-m", "tests.flow.stopped_in_block", home.target, home.name]
    stopped = await asyncio.create_subprocess_exec(*program, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(60):
            how = os.WSTOPPED | os.WEXITED | os.WNOWAIT
            seen = await asyncio.to_thread(os.waitid, os.P_PID, stopped.pid, how)
            assert seen is not None
            assert seen.si_code == os.CLD_STOPPED
        await asyncio.to_thread(home.wait_until_free)
        async with huey.create_consumer(lease=1.0):
            await asyncio.wait_for(result, 60)
        stopped.send_signal(signal.SIGCONT)
        said, _ = await asyncio.wait_for(stopped.communicate(), 60)
    finally:
        if stopped.returncode is None:
            stopped.kill()
            await stopped.wait()
    assert said == b"TransactionTooLong\n"
    assert home.rows() == []
