"""What somebody should know who wonders why a queue does not do what he expects: of the server, and other queues."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

import psycopg

from hueyio.exceptions import HueyException
from hueyio.storage.postgres.connection.connecting import connect
from hueyio.storage.postgres.core import PostgresCore
from hueyio.storage.postgres.options import PostgresOptions
from hueyio.wording import up_to

__all__ = ["find_dangers", "find_neighbours", "find_tasks_of_huey", "read_server"]

logger = logging.getLogger(__name__)

_LONG: Final = 300.0
"""Seconds for which a transaction may be open before it is told of."""

_MUCH: Final = 2**30
"""Bytes of the server's log that may wait for a slot that nobody reads."""

_MOST: Final = 1000
"""Tasks of Huey that are counted: a worker that starts need not wait for a count of millions."""

_TABLES_OF_HUEY: Final = ("huey_task", "huey_schedule")

_SETTINGS: Final = {
    "autovacuum": "autovacuum is off: what ended tasks leave behind is never removed, and the tables grow",
    "fsync": "fsync is off: a crash of the machine may damage the database",
    "full_page_writes": "full_page_writes is off: a crash of the machine may damage the database",
    "synchronous_commit": "synchronous_commit is off: a crash of the server loses the last moments, tasks among them",
}


async def find_dangers(core: PostgresCore) -> list[str]:
    """Return what may lose tasks, make the tables grow, or slow down who waits, each as a sentence."""
    found = await _read(core)
    if await _is_deaf(core.options):
        found.append(
            "a pooler stands before the server and passes no notices on, so that who waits looks again and again: "
            "say in listen_dsn where the server itself is"
        )
    return found


async def find_neighbours(core: PostgresCore) -> list[str]:
    """Return the names of the queues in the same schema, by name: a thousand at most."""
    return [str(name) for (name,) in await core.call("list_queues_1")]


async def find_tasks_of_huey(core: PostgresCore) -> list[str]:
    """Say how many tasks Huey has under this name in the same database, ready or scheduled."""
    try:
        counted = sum([await _count(core, table) for table in _TABLES_OF_HUEY])
    except HueyException as error:  # tables of this name may be others', or not for this role
        logger.debug("tasks of Huey cannot be counted: %s", error)
        return []
    told = up_to(_MOST, counted)
    return [f"the database holds {told} tasks of Huey under this name, for Huey's own consumer"] if counted else []


def read_server(rows: Iterable[tuple[str, str, float]]) -> list[str]:
    """Return a sentence for each fact that ``examine_server`` found and that is dangerous."""
    told = [_say(*row) for row in rows]
    return [it for it in told if it is not None]


async def _read(core: PostgresCore) -> list[str]:
    try:
        return read_server(await core.call("examine_server_1"))
    except HueyException as error:  # a server that is managed by others may not let it ask
        logger.debug("the server cannot be examined: %s", error)
        return []


async def _count(core: PostgresCore, table: str) -> int:
    ((exists,),) = await core.calls.call(b"SELECT to_regclass(%s::text) IS NOT NULL", (table,))
    if not exists:
        return 0
    count = f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE queue = %s::text LIMIT {_MOST}) AS found"
    ((counted,),) = await core.calls.call(count.encode(), (core.options.name,))
    return int(counted)


async def _is_deaf(options: PostgresOptions) -> bool:
    try:
        async with asyncio.timeout(options.timeout):
            async with await connect(options.listen_dsn or options.dsn, None) as connection:
                row = await (await connection.execute("SELECT pg_backend_pid()")).fetchone()
                return row is not None and row[0] != connection.info.backend_pid
    except (psycopg.Error, OSError) as error:
        logger.debug("whether notices are passed on is not known: %s", error)
        return False


def _say(kind: str, what: str, amount: float) -> str | None:
    match kind:
        case "transaction" if amount >= _LONG:
            return (
                f"a transaction of {what} has been open for {_span(amount)}: until it ends, nothing that it may still "
                "see is removed, and the tables grow"
            )
        case "prepared" if amount >= _LONG:
            return (
                f"the prepared transaction {what!r} has waited for {_span(amount)}: until it is committed or rolled "
                "back, nothing that it may still see is removed, and the tables grow"
            )
        case "slot" if amount >= _MUCH:
            return (
                f"nobody reads the replication slot {what!r}, for which the server keeps {amount / 2**30:.1f} GB of "
                "its log: the disk fills up; drop the slot, or start its reader"
            )
        case "old rows":
            return (
                f"nobody reads the replication slot {what!r}, whose standby may still need rows that are deleted: "
                "none is removed, and the tables grow; drop the slot, or start the standby"
            )
        case "setting":
            return _SETTINGS.get(what)
        case _:
            return None


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
