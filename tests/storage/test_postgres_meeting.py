"""What sessions do when they meet transactions that are open elsewhere, each other, or the end of their loop."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator

import psycopg
import pytest
from tests.support.patience import until

from hueyio.storage.contract import Session
from hueyio.storage.postgres import PostgresStorage
from hueyio.storage.records import Enqueued, Entry, Header
from hueyio.testing.storage.conformance.worker import make_entries, make_entry, soon

pytestmark = pytest.mark.again("locks are those of any version")

INSERT = """
INSERT INTO hueyio.tasks (queue, id, state, lane, rank, place, max_deliveries, unique_key, data)
SELECT queue, %s, 0, 0, 0, nextval('hueyio.places'), 3, %s, '' FROM hueyio.queues WHERE name = %s
"""
"""As a program of the application's adds a task that is to be seen with its commit."""


@pytest.fixture
def name() -> str:
    return uuid.uuid4().hex


@pytest.fixture
async def session(postgres_database: str, name: str) -> AsyncIterator[Session]:
    session = await PostgresStorage(name, postgres_database, timeout=60).connect()
    yield session
    await session.close()


@pytest.fixture
async def elsewhere(session: Session, postgres_database: str) -> AsyncIterator[psycopg.AsyncConnection]:
    async with await psycopg.AsyncConnection.connect(postgres_database) as connection:
        yield connection
        await connection.rollback()


async def until_blocked(dsn: str) -> None:
    """Wait until a session waits for a lock."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:

        async def is_blocked() -> bool:
            cursor = await connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            row = await cursor.fetchone()
            return row is not None and row[0] > 0

        await until(is_blocked)


async def test_unique_key_of_an_open_transaction_is_waited_for(
    session: Session, elsewhere: psycopg.AsyncConnection, postgres_database: str, name: str
) -> None:
    await elsewhere.execute(INSERT, ["first", "key", name])
    adding = asyncio.create_task(session.enqueue([make_entry("second", unique_key="key")]))
    await until_blocked(postgres_database)
    await elsewhere.commit()
    assert await soon(adding) == [Enqueued("taken", "first")]


async def test_unique_key_of_a_transaction_that_is_rolled_back_is_free(
    session: Session, elsewhere: psycopg.AsyncConnection, postgres_database: str, name: str
) -> None:
    await elsewhere.execute(INSERT, ["first", "key", name])
    adding = asyncio.create_task(session.enqueue([make_entry("second", unique_key="key")]))
    await until_blocked(postgres_database)
    await elsewhere.rollback()
    assert await soon(adding) == [Enqueued("added")]


async def test_sleeper_finds_what_is_committed_after_its_look(
    session: Session, elsewhere: psycopg.AsyncConnection, name: str
) -> None:
    await elsewhere.execute(INSERT, ["late", None, name])  # nobody sleeps yet, so that nobody is rung
    waiting = asyncio.create_task(session.wait_for_work(["loop"], 60))

    async def is_asleep() -> bool:
        row = await (await elsewhere.execute("SELECT count(*) FROM hueyio.asleep")).fetchone()
        return row is not None and row[0] > 0

    await until(is_asleep)
    await elsewhere.commit()
    assert await soon(waiting) == {"loop"}


async def test_write_that_has_begun_outlives_its_loop(
    session: Session, elsewhere: psycopg.AsyncConnection, postgres_database: str, name: str
) -> None:
    await elsewhere.execute("LOCK TABLE hueyio.tasks IN EXCLUSIVE MODE")

    async def enqueue() -> None:
        other = await PostgresStorage(name, postgres_database).connect()
        await other.enqueue([make_entry("a")])

    async def leave() -> None:
        enqueueing = asyncio.create_task(enqueue())
        await until_blocked(postgres_database)
        enqueueing.cancel()  # and the end of the loop cancels what is left

    await asyncio.to_thread(lambda: asyncio.run(leave()))
    await elsewhere.rollback()

    async def is_there() -> bool:
        (found,) = await session.locate(["a"])
        return found.state == "queued"

    await until(is_there)


async def test_those_who_add_the_same_in_other_orders_all_get_an_answer(postgres_database: str, name: str) -> None:
    sessions = [await PostgresStorage(name, postgres_database, timeout=60).connect() for _ in range(4)]
    keys = [f"key{number}" for number in range(20)]

    async def add(session: Session, who: int) -> int:
        added = 0
        for turn in range(10):
            order = random.Random(10 * who + turn).sample(keys, len(keys))
            entries = [Entry(Header(f"{who} {turn} {key}", unique_key=f"{turn} {key}"), b"") for key in order]
            answers = await session.enqueue(entries)
            added += sum(it.verdict == "added" for it in answers)
        return added

    counts = await asyncio.gather(*[add(session, who) for who, session in enumerate(sessions)])
    assert sum(counts) == 10 * len(keys)
    for session in sessions:
        await session.close()


async def test_too_long_an_id_fails_its_own_call_alone(session: Session) -> None:
    long = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=20_000))
    calls = [session.enqueue([entry]) for entry in [*make_entries(3), make_entry(long)]]
    *answers, failure = await asyncio.gather(*calls, return_exceptions=True)
    assert answers == [[Enqueued("added")]] * 3
    assert "cannot take an id or a key as long as that" in str(failure)
