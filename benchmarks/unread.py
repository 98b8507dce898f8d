"""Results that nobody reads, for one minute: how many rows stand in the storage, those whose time is over included.

One consumer in this process, so many results a second, each kept for ``TTL`` seconds. The rows are counted in the
storage itself: hueyio's own counts pass over what has expired.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import redis

from benchmarks.contenders import Kind
from benchmarks.server import RedisServer
from hueyio import FileHuey, Huey, MemoryHuey, RedisHuey, SqliteHuey
from hueyio.core import core_of

__all__ = ["measure_and_print"]

_TTL: Final = 3.0
_SECONDS: Final = 60
_LOOK_EVERY: Final = 10


def measure_and_print(kind: Kind, count: int, server: RedisServer | None, folder: Path) -> None:
    """Measure at ``count`` results a second and print a line for each storage: files and memory beside SQLite."""
    if server is not None:
        server.clear()
        made: list[Huey] = [RedisHuey("bench", url=server.url, result_ttl=_TTL)]
    else:
        made = [
            SqliteHuey("bench", filename=str(folder / "unread.db"), result_ttl=_TTL),
            FileHuey("bench", path=str(folder / "unread"), result_ttl=_TTL),
            MemoryHuey("bench", result_ttl=_TTL),
        ]
    for huey in made:
        looks = asyncio.run(_measure(huey, count, server, folder))
        told = ", ".join(f"{rows} after {seconds} s" for seconds, rows in looks)
        print(f"  {type(huey).__name__}, {count} results a second, result_ttl {_TTL:g} s, rows: {told}", flush=True)


async def _measure(huey: Huey, count: int, server: RedisServer | None, folder: Path) -> list[tuple[int, int]]:
    @huey.task(name="noop")
    async def noop(number: int) -> int:
        return number

    looks: list[tuple[int, int]] = []
    async with huey, huey.create_consumer():
        session: Any = await core_of(huey).session()
        began = time.monotonic()
        for tenth in range(1, 10 * _SECONDS + 1):
            await noop.map(range(count // 10))
            await asyncio.sleep(max(began + tenth / 10 - time.monotonic(), 0))
            if tenth % (10 * _LOOK_EVERY) == 0:
                looks.append((tenth // 10, _count_rows(huey, session, server, folder)))
    return looks


def _count_rows(huey: Huey, session: Any, server: RedisServer | None, folder: Path) -> int:
    match huey:
        case MemoryHuey():
            return len(session._state.areas["results"]._items)
        case FileHuey():
            return len(session._engine._replica.state.areas["results"]._items)
        case SqliteHuey():
            with closing(sqlite3.connect(folder / "unread.db")) as connection:
                return int(connection.execute("SELECT count(*) FROM hueyio_keys").fetchone()[0])
        case _:
            assert server is not None
            with redis.Redis.from_url(server.url) as client:
                rows: Any = client.hlen("hueyio:{bench}:results")
                return int(rows)
