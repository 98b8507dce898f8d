"""Very many ready tasks: what it takes to look at them, and how long the server is in one script meanwhile."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.contenders import Kind
from benchmarks.hueyio_app import Noop
from benchmarks.server import RedisServer
from hueyio.client.prepare import prepare
from hueyio.control.listing import list_tasks
from hueyio.control.statistics import read_statistics
from hueyio.control.wish import make_wish
from hueyio.core import core_of
from hueyio.storage.contract import Session
from hueyio.storage.records import COUNTED, Entry, Header

__all__ = ["measure_and_print"]

_CHUNK: Final = 10_000
_TIMES: Final = 7


def measure_and_print(kind: Kind, count: int, server: RedisServer | None, folder: Path) -> None:
    """Measure and print; of several times the best."""
    if server is not None:
        server.clear()
    address = server.url if server is not None else str(folder / "look.db")
    asyncio.run(_measure(kind, address, count, server))


async def _measure(kind: Kind, address: str, count: int, server: RedisServer | None) -> None:
    app = Noop(kind, address, {})
    async with app.huey:
        session = await core_of(app.huey).session()
        (id, *_), message, _ = prepare(core_of(app.huey), app.task.s(1))
        for first in range(0, count, _CHUNK):
            ids = [f"{number:0{len(id)}}" for number in range(first, min(first + _CHUNK, count))]
            messages = [message.replace(id.encode(), it.encode()) for it in ids]
            entries = [Entry(Header(it), data) for it, data in zip(ids, messages, strict=True)]
            await session.enqueue(entries)
        await _look(session, kind, count, server)
        await _run_command(kind, address, app.huey.name)


async def _look(session: Session, kind: Kind, count: int, server: RedisServer | None) -> None:
    page = await session.page("ready", 100)
    middle = await _go_to(session, count // 2)
    nothing = make_wish("ready", "nobody.*", None)
    looks: dict[str, Callable[[], Awaitable[Any]]] = {
        "first page of 100": lambda: session.page("ready", 100),
        "page of 100 behind the first": lambda: session.page("ready", 100, page.next),
        "page of 100 in the middle": lambda: session.page("ready", 100, middle),
        "filter that finds nothing, cut": lambda: list_tasks(session, nothing, 50),
        "filter that finds nothing, all": lambda: list_tasks(session, nothing, 50, patience=1e9),
        "counts to 10,000, what watch asks each second": lambda: session.counts(COUNTED),
        "statistics of an hour, what stats asks, and watch every 5 s": lambda: read_statistics(session, 3600.0),
        "counts, exact": lambda: session.counts(),
    }
    for what, look in looks.items():
        best, longest = await _best_of(look, 3 if what.endswith("all") else _TIMES, server)
        script = f"; longest script {longest:.1f} ms" if server is not None else ""
        print(f"  {kind}, {count:,} ready: {what}: {best * 1000:.2f} ms{script}", flush=True)


async def _go_to(session: Session, place: int) -> str | None:
    """Return the cursor behind so many tasks."""
    after: str | None = None
    for _ in range(place // 500):
        after = (await session.page("ready", 500, after)).next
    return after


async def _best_of(look: Callable[[], Awaitable[Any]], times: int, server: RedisServer | None) -> tuple[float, float]:
    """Return the seconds of the fastest time, and the milliseconds of the longest script in the best time for that.

    A server counts by the clock on the wall: in thousands of scripts it is put aside in one or another for longer than
    any of them takes, but not in the same one each time.
    """
    taken: list[float] = []
    longest: list[float] = []
    for _ in range(times):
        if server is not None:
            server.watch_scripts()
        begun = time.perf_counter()
        await look()
        taken.append(time.perf_counter() - begun)
        if server is not None:
            longest.append(server.longest_script())
    return min(taken), min(longest, default=0.0)


async def _run_command(kind: Kind, address: str, queue: str) -> None:
    where = ("--url", address, "--queue", queue) if kind == "redis" else ("--file", address)
    for line in (
        ("ls", "ready"),
        ("ls", "ready", "--name", "nobody.*"),
        ("stats",),
        ("watch", "--times", "6"),
        ("--version",),
    ):
        options = () if line[0] == "--version" else where
        begun = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hueyio", *line, *options, stdout=-3, stderr=-3
        )
        await process.wait()
        print(f"  {kind}: hueyio {' '.join(line)}: {time.perf_counter() - begun:.2f} s", flush=True)
