"""An application that writes a row and enqueues a task in one transaction, and dies now and then.

``python -m tests.flow.joined_transactions FILE COUNT SEED``: so many transactions, in processes that are forked
from this one before it has a loop or a connection. There is no test in here.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from random import Random
from typing import Any

import aiosqlite

from hueyio import SqliteHuey

PER_PROCESS = 25


def main(file: str, count: int, seed: int) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS rows (id TEXT PRIMARY KEY)")
    connection.close()
    first = 0
    while first < count:
        pid = os.fork()
        if not pid:
            asyncio.run(transact(file, range(first, min(first + PER_PROCESS, count)), Random(f"{seed} {first}"), seed))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)
        first += PER_PROCESS


def declare_note(huey: SqliteHuey) -> Any:
    async def note(text: str) -> str:
        return text

    note.__module__ = "app"  # and not __main__: the test must know it by the same name
    return huey.task(name="note")(note)


async def transact(file: str, numbers: range, chance: Random, seed: int) -> None:
    note = declare_note(SqliteHuey("app", filename=file))
    dies_at = chance.choice([*numbers, None])
    async with aiosqlite.connect(file, timeout=30) as other:
        own = sqlite3.connect(file, timeout=30)
        for number in numbers:
            id = f"{seed}-{number}"
            by_thread = chance.random() < 0.5
            dies_after = chance.randrange(4) if number == dies_at else None
            row = ("INSERT INTO rows VALUES (?)", (id,))
            await other.execute(*row) if by_thread else own.execute(*row)
            die_if(dies_after == 0)
            await note.options(id=id).enqueue_in(other if by_thread else own, id)
            die_if(dies_after == 1)
            if chance.random() < 0.3:
                await other.rollback() if by_thread else own.rollback()
                die_if(dies_after == 2)
            else:
                await other.commit() if by_thread else own.commit()
                die_if(dies_after == 3)
        own.close()


def die_if(now: bool) -> None:
    if now:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
