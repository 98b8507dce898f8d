"""How many pages a function of the PostgreSQL storage looks at, with those of all functions that it calls."""

from __future__ import annotations

from typing import Any

import psycopg

from hueyio.storage.postgres.functions import call_of

__all__ = ["count_pages"]


async def count_pages(connection: psycopg.AsyncConnection[tuple[Any, ...]], function: str, *args: Any) -> int:
    """Call a function in the schema ``hueyio``, and return the pages; the first call reads catalogs too."""
    statement = b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + call_of(function, "hueyio")
    row = await (await connection.execute(statement, args)).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])
