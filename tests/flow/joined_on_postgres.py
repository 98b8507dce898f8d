"""An application on PostgreSQL that writes a row and enqueues a task in one transaction, and dies now and then.

``python -m tests.flow.joined_on_postgres DSN COUNT SEED``: so many transactions, in processes that are forked from this
one before it has a loop or a connection, each connected in one of seven ways. There is no test in here.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import sys
from random import Random
from typing import Any, Final

from psycopg.conninfo import conninfo_to_dict

from hueyio import PostgresHuey
from tests.flow.joined_transactions import die_if
from tests.support.postgres_ways import WAYS

__all__ = ["WAYS_OF_DYING", "declare_note"]

PER_PROCESS: Final = 10
WAYS_OF_DYING: Final = (
    "psycopg", "async psycopg", "asyncpg", "SQLAlchemy", "Session", "AsyncSession on asyncpg", "Django"
)  # fmt: skip


def main(dsn: str, count: int, seed: int) -> None:
    for turn, first in enumerate(range(0, count, PER_PROCESS)):
        name, chance = WAYS_OF_DYING[turn % len(WAYS_OF_DYING)], Random(f"{seed} {first}")
        numbers = range(first, min(first + PER_PROCESS, count))
        ids = [f"{name}-{seed}-{number}" for number in numbers]
        pid = os.fork()
        if not pid:
            if name == "Django":
                transact_by_django(dsn, ids, chance)
            else:
                asyncio.run(transact(dsn, name, ids, chance))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)


def declare_note(huey: PostgresHuey) -> Any:
    async def note(text: str) -> str:
        return text

    note.__module__ = "app"  # and not __main__: the test must know it by the same name
    return huey.task(name="note")(note)


async def transact(dsn: str, name: str, ids: list[str], chance: Random) -> None:
    note = declare_note(PostgresHuey("app", dsn))
    dies_at = chance.choice([*ids, None])
    for id in ids:
        dies_after = chance.randrange(4) if id == dies_at else None
        async with WAYS[name](dsn) as way:
            await insert(way.given, id)
            die_if(dies_after == 0)
            await note.options(id=id).enqueue_in(way.given, id)
            die_if(dies_after == 1)
            ends_well = chance.random() >= 0.3
            await way.end(ends_well)
            die_if(dies_after == (3 if ends_well else 2))


async def insert(connection: Any, id: str) -> None:
    """Write a row; by SQLAlchemy as an application does, by its own call."""
    if hasattr(connection, "get_bind"):
        connection = connection.connection()
        connection = await connection if inspect.isawaitable(connection) else connection
    run = getattr(connection, "exec_driver_sql", None) or connection.execute
    done = run(f"INSERT INTO rows VALUES ('{id}')")
    if inspect.isawaitable(done):
        await done


def transact_by_django(dsn: str, ids: list[str], chance: Random) -> None:
    import django
    from django.conf import settings

    parts = conninfo_to_dict(dsn)
    names = {"NAME": "dbname", "USER": "user", "HOST": "host", "PORT": "port"}
    database = {key: parts[name] for key, name in names.items()} | {"ENGINE": "django.db.backends.postgresql"}
    settings.configure(DATABASES={"default": database})
    django.setup()
    from django.db import connection, transaction

    note = declare_note(PostgresHuey("app", dsn))
    atomic: Any = transaction.atomic  # pyright takes its overloads for what is no context manager
    dies_at = chance.choice([*ids, None])
    for id in ids:
        dies_after = chance.randrange(4) if id == dies_at else None
        ends_well = chance.random() >= 0.3
        with atomic():
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO rows VALUES (%s)", [id])
            die_if(dies_after == 0)
            note.options(id=id).sync.enqueue_in(connection, id)
            die_if(dies_after == 1)
            transaction.set_rollback(not ends_well)
        die_if(dies_after == (3 if ends_well else 2))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
