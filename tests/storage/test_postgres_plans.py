"""What the hot functions read: as little on large tables as on small ones, whatever was there when they were planned.

The server counts the pages that a statement looks at, with those of all functions that it calls.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import psycopg
import pytest

from hueyio.storage.contract import Session
from hueyio.storage.postgres import PostgresStorage
from hueyio.storage.postgres.bounds import bounds_of
from hueyio.storage.postgres.connection.connecting import connect
from hueyio.storage.postgres.floors import Floors
from hueyio.storage.postgres.functions import call_of
from hueyio.storage.postgres.session import PostgresSession
from hueyio.storage.postgres.settlements import pack_settlement, pack_settlements
from hueyio.storage.records import Delivery, Entry, Finish, Header
from hueyio.testing.storage.conformance.worker import make_entries

pytestmark = pytest.mark.again("how many pages are read is the business of one server")

MANY = 20_000
BATCH = 100


class Counted:
    """Calls functions on one connection, as the sessions do, and counts the pages."""

    def __init__(self, connection: psycopg.AsyncConnection[tuple[Any, ...]], session: Session) -> None:
        self._connection = connection
        self._core = cast("PostgresSession", session)._core

    async def pages(self, function: str, *args: Any) -> int:
        statement = b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + call_of(function, "hueyio")
        cursor = await self._connection.execute(statement, [self._core.queue, *args])
        return pages_of(await cursor.fetchone())

    async def tasks_read(self, function: str, *args: Any) -> int:
        """Count the rows of ``tasks`` that a call reads: many of them stand on one page."""
        read = "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'tasks'"
        async with self._connection.transaction():
            await self._connection.execute(call_of(function, "hueyio"), [self._core.queue, *args])
            row = await (await self._connection.execute(read)).fetchone()
        assert row is not None
        return int(row[0])

    async def claim(self, floors: Floors) -> int:
        return await self.pages("claim_1", "owner", [BATCH, 0, 0], *floors.arguments())

    async def settle(self, deliveries: list[Delivery], number: int) -> int:
        ends = [Finish(it.receipt, b"result", 60.0) for it in deliveries]
        packed = pack_settlements(ends, "owner", number, None, keeps_failed=True)
        return await self.pages("settle_1", *packed, None, [], [], [], -1, True, bounds_of(self._core.options))


def pages_of(row: tuple[Any, ...] | None) -> int:
    """Read how many pages a plan that was carried out has looked at."""
    assert row is not None
    plan = row[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


@pytest.fixture
async def session(postgres_database: str) -> AsyncIterator[Session]:
    session = await PostgresStorage("plans", dsn=postgres_database, timeout=60).connect()
    try:
        await session.register("owner", b"")
        yield session
    finally:
        await session.close()


@pytest.fixture
async def counted(session: Session, postgres_database: str) -> AsyncIterator[Counted]:
    async with await connect(postgres_database, None) as connection:
        yield Counted(connection, session)


async def drain(session: Session, first_number: int, *, but: int = 0) -> int:
    """Claim and settle until so many tasks are left."""
    number = first_number
    left = sum((await session.counts()).queued.values())
    while left > but:
        deliveries = await session.claim({"loop": 1_000}, "owner")
        await session.settle([Finish(it.receipt) for it in deliveries], "owner", number)
        number += 1
        left -= len(deliveries)
    return number


async def test_plans_that_were_made_on_empty_tables_serve_large_ones(counted: Counted, session: Session) -> None:
    floors = Floors()
    await counted._connection.execute("ANALYZE")
    for number in range(1, 8):  # more often than the server tries whether a plan for these very values is better
        await counted.claim(floors)
        await counted.settle([], number)
    await session.enqueue(make_entries(MANY))
    await session.put("results", {f"other {i}": b"value" for i in range(MANY)})
    # To plan reads catalogs, and the server plans anew when it has found by itself how large the tables are.
    pages = min([await counted.claim(floors), await counted.claim(floors)])
    assert pages < 6 * BATCH
    deliveries = await session.held("owner")
    assert len(deliveries) == 2 * BATCH
    halves = enumerate((deliveries[:BATCH], deliveries[BATCH:]), start=8)
    pages = min([await counted.settle(half, number) for number, half in halves])
    assert pages < 20 * BATCH
    assert await session.held("owner") == []


async def test_transaction_of_a_body_reads_no_more_where_there_is_much(counted: Counted, session: Session) -> None:
    core = cast("PostgresSession", session)._core
    await counted._connection.execute("SELECT set_config('hueyio.block', 'mark', false)")
    await counted._connection.execute("ANALYZE")

    async def end_one() -> tuple[int, int]:
        (delivery,) = await session.claim({"loop": 1}, "owner")
        owner, id, deliveries = delivery.receipt
        beginning = counted._connection.execute(
            b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + call_of("begin_block_1", "hueyio"),
            [core.options.name, id, owner, deliveries, "mark", 1000],
        )
        begun = pages_of(await (await beginning).fetchone())
        packed = pack_settlement(Finish(delivery.receipt, b"result", 60.0), None, keeps_failed=True)
        return begun, await counted.pages("complete_1", *packed, "mark", bounds_of(core.options))

    await session.enqueue(make_entries(2, "first"))
    await end_one()  # to plan reads catalogs
    few = await end_one()
    await session.enqueue(make_entries(MANY))
    await session.put("results", {f"other {i}": b"value" for i in range(MANY)})
    many = await end_one()
    assert max(many) < 100
    assert [after - before < 20 for before, after in zip(few, many, strict=True)] == [True, True]


async def test_claim_reads_no_dead_rows_while_a_transaction_is_open_elsewhere(
    counted: Counted, session: Session, postgres_database: str
) -> None:
    core = cast("PostgresSession", session)._core
    await session.enqueue(make_entries(MANY))
    async with await psycopg.AsyncConnection.connect(postgres_database) as elsewhere:
        await elsewhere.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        await elsewhere.execute("SELECT count(*) FROM hueyio.tasks")
        await drain(session, 1, but=MANY // 4)
        floors = core.floors
        floors._next_look = float("inf")
        await counted.claim(floors)  # to plan reads catalogs
        with_floors = await counted.claim(floors)
        without = await counted.claim(Floors())
        await elsewhere.rollback()
    assert with_floors < 6 * BATCH
    assert without > 3 * with_floors


async def test_floors_hide_nothing_that_goes_back(session: Session) -> None:
    await session.enqueue(make_entries(10))
    first = await session.claim({"loop": 5}, "owner")
    await session.register("other", b"")
    await session.claim({"loop": 1}, "other")
    await session.deregister("other")
    assert [it.header.id for it in await session.claim({"loop": 1}, "owner")] == ["t5"]
    assert len(first) == 5


async def test_floors_hide_no_higher_priority_that_comes_later(session: Session) -> None:
    for priority in (1.0, 5.0, 3.0, 9.0, 0.0, 5.0):
        await session.enqueue([Entry(Header(f"p{priority}", priority=priority), b"")])
        (delivery,) = await session.claim({"loop": 3}, "owner")
        assert delivery.header.priority == priority
        await session.enqueue([Entry(Header(f"q{priority}", priority=priority), b"")])
        (delivery,) = await session.claim({"loop": 3}, "owner")
        assert delivery.header.id == f"q{priority}"
        await session.settle(
            [Finish(it.receipt) for it in await session.held("owner")], "owner", int(priority * 10) + 1
        )


async def test_registration_reads_few_pages_when_its_client_waits_for_thousands(
    counted: Counted, session: Session
) -> None:
    bounds = bounds_of(cast("PostgresSession", session)._core.options)

    async def register(ids: list[str]) -> int:
        numbers = list(range(len(ids)))
        return await counted.pages("register_1", "client", [], [], ids, numbers, [False] * len(ids), bounds)

    await counted._connection.execute("ANALYZE")
    for number in range(1, 8):
        await register([f"nobody {number}"])
    await session.enqueue(make_entries(BATCH))
    await drain(session, 1)
    ended = [f"t{number}" for number in range(BATCH)]
    await session.enqueue([Entry(Header(f"later {number}"), b"") for number in range(5_000)])
    for start in range(0, 5_000, 500):
        await register([f"later {number}" for number in range(start, start + 500)])
    assert await register(ended) < 40 * BATCH
    waiters = await (await counted._connection.execute("SELECT count(*) FROM hueyio.waiters")).fetchone()
    assert waiters == (5_000,)


@pytest.mark.parametrize("function", ["deregister_1", "reclaim_1"])
async def test_end_of_a_lease_reads_what_it_held_and_not_the_backlog(
    counted: Counted, session: Session, function: str
) -> None:
    await session.enqueue(make_entries(MANY))
    await session.register("other", b"")
    await session.claim({"loop": 50}, "other")
    await session.claim({"loop": BATCH}, "owner")
    gone = await session.claim({"loop": BATCH}, "other")
    await session.settle([Finish(it.receipt) for it in gone], "other", 1)
    beat = next(it.beat for it in await session.owners() if it.owner == "other")
    assert await counted.tasks_read(function, "other", *([beat] if function == "reclaim_1" else [])) < 10 * BATCH
    assert [it.owner for it in await session.owners()] == ["owner"]
    counts = await session.counts()
    assert (counts.running, counts.queued["loop"]) == (BATCH, MANY - 2 * BATCH)
    await session.register("third", b"")
    again = await session.claim({"loop": 60}, "third")
    assert [it.receipt.deliveries for it in again] == [int(function == "reclaim_1")] * 50 + [0] * 10
