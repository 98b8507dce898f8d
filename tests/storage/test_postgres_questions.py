"""What questions read: as much as they answer, however much is there, and whatever was there when they were planned."""

from __future__ import annotations

from collections.abc import AsyncIterator
from math import inf
from typing import Any, cast

import psycopg
import pytest
from tests.support.postgres_pages import count_pages

from hueyio.storage.contract import Session
from hueyio.storage.postgres import PostgresStorage
from hueyio.storage.postgres.bounds import bounds_of
from hueyio.storage.postgres.connection.connecting import connect
from hueyio.storage.postgres.session import PostgresSession
from hueyio.testing.storage.conformance.worker import make_entries

pytestmark = pytest.mark.again("how many pages are read is the business of one server")

MANY = 20_000
_FIRST = -(2**63)

_FILL = f"""
INSERT INTO hueyio.letters
    (queue, id, store, lane, rank, max_deliveries, buried_at, kind, size, name, reason, data)
SELECT %(q)s, 'l' || g, 'f', 0, 0, 3, 1e10 + g, 'f', 100, 'app.task', 'no', repeat('x', 500)::bytea
FROM generate_series(1, {MANY}) AS g;
INSERT INTO hueyio.ended (queue, total, at, first, last, kinds, ids)
SELECT %(q)s, g, extract(epoch FROM clock_timestamp()), 'e' || g, 'e' || g, 'd', ARRAY['e' || g]
FROM generate_series(1, {MANY}) AS g;
INSERT INTO hueyio.history (queue, total, at, ids, data)
SELECT %(q)s, g, extract(epoch FROM clock_timestamp()), ARRAY['e' || g], repeat('x', 500)::bytea
FROM generate_series(1, {MANY // 4}) AS g;
INSERT INTO hueyio.keys (queue, area, key, value) SELECT %(q)s, 0, 'k' || g, 'x' FROM generate_series(1, {MANY}) AS g;
INSERT INTO hueyio.expected (queue, id, namer) SELECT %(q)s, 'x' || g, 't' || g FROM generate_series(1, {MANY}) AS g
"""


class Questions:
    """Asks on one connection, and counts the pages."""

    def __init__(self, connection: psycopg.AsyncConnection[tuple[Any, ...]], session: Session) -> None:
        core = cast("PostgresSession", session)._core
        q, bounds = core.queue, bounds_of(core.options)
        self._connection = connection
        self.queue = q
        self.asked: dict[str, tuple[Any, ...]] = {
            "page_ready_1": (q, 2, 0.0, MANY // 2, 100, 50),
            "page_running_1": (q, "", _FIRST, 100, 50),
            "page_scheduled_1": (q, -inf, _FIRST, 100, 50),
            "page_expected_1": (q, "x5", 100, 50),
            "describe_tasks_1": (q, ["t7", "t8"], 100),
            "heads_1": (q,),
            "purge_1": (q, ["l5"], "f", None),
            "list_letters_1": (q, 1e10 + MANY / 2, "", inf, 50),
            "find_letters_1": (q, ["l7", "l8"]),
            "ended_1": (q, [f"e{MANY - 9}", "nobody"], bounds),
            "history_1": (q, 2**63 - 1, 501, 50, bounds),
            "attempts_1": (q, ["t7"], 10, bounds),
            "locate_1": (q, ["t7", "nobody"], bounds),
            "peek_1": (q, 0, ["k7", "k8"]),
            "delete_1": (q, 0, ["k7", "k8"]),
            "promote_1": (q, 0.0, 100, bounds),
        }

    async def ask(self, function: str) -> int:
        """Ask twice: when tables have changed much, the server plans again, and reads its catalogs for that."""
        await count_pages(self._connection, function, *self.asked[function])
        return await count_pages(self._connection, function, *self.asked[function])


@pytest.fixture
async def session(postgres_database: str) -> AsyncIterator[Session]:
    session = await PostgresStorage("questions", dsn=postgres_database, timeout=60).connect()
    try:
        await session.register("owner", b"")
        yield session
    finally:
        await session.close()


async def test_questions_read_no_more_than_they_answer(session: Session, postgres_database: str) -> None:
    async with await connect(postgres_database, None) as connection:
        questions = Questions(connection, session)
        await connection.execute("ANALYZE")
        for _ in range(
            4
        ):  # twice that is more often than the server tries whether a plan for these very values is better
            for function in questions.asked:
                await questions.ask(function)
        await session.enqueue([*make_entries(MANY), *make_entries(MANY // 2, "s", eta=4e9)])
        await session.enqueue(make_entries(MANY // 2, "thread", lane="thread"))
        await session.claim({"loop": 30, "thread": 30}, "owner")
        for statement in _FILL.split(";"):
            await connection.execute(statement.encode(), {"q": questions.queue})
        read = {function: await questions.ask(function) for function in questions.asked}
    assert {function: pages for function, pages in read.items() if pages > 1_000} == {}
