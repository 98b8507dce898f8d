"""What the SQLite tests run in processes of their own, as ``COMMAND FILE ...``. There is no test in here."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from hueyio.storage.records import Entry, Finish, Header
from hueyio.storage.sqlite import SqliteStorage


def say(text: str) -> None:
    print(text, flush=True)


async def connect(file: str) -> None:
    """Open and close, at the same time as others."""
    session = await SqliteStorage("app", file).connect()
    await session.close()


async def produce(file: str, prefix: str) -> None:
    """Enqueue for ever; name each id once it is acknowledged."""
    session = await SqliteStorage("app", file).connect()
    number = 0
    while True:
        ids = [f"{prefix}-{number + offset}" for offset in range(5)]
        number += 5
        await session.enqueue([Entry(Header(id), b"data") for id in ids])
        say("\n".join(ids))


async def consume(file: str) -> None:
    """Settle whatever comes with its own bytes, until a task says stop."""
    session = await SqliteStorage("app", file).connect()
    await session.register("child", b"")
    say("ready")
    number = 0
    while True:
        await session.wait_for_work(["loop"], 30.0)
        while batch := await session.claim({"loop": 100}, "child"):
            number += 1
            await session.settle([Finish(it.receipt, it.data) for it in batch], "child", number)
            if any(it.data == b"stop" for it in batch):
                await session.close()
                return


async def wait(file: str, *ids: str) -> None:
    """Register for outcomes and wait."""
    session = await SqliteStorage("app", file).connect()
    waiting = asyncio.ensure_future(session.await_outcomes(ids))
    await asyncio.sleep(0)
    await session.peek("data", ["nothing"])  # in order: the registration is written
    await session.wait_for_work(["loop"], 0)  # and the doorbell is bound
    say("waiting")
    await waiting


async def idle(file: str, seconds: str) -> None:
    """Wait for work that never comes; say how much of a processor that took, in percent."""
    session = await SqliteStorage("app", file).connect()
    await session.wait_for_work(["loop"], 0)
    cpu, wall = time.process_time(), time.monotonic()
    await session.wait_for_work(["loop"], float(seconds))
    say(f"{100 * (time.process_time() - cpu) / (time.monotonic() - wall):.3f}")
    await session.close()


async def forget(file: str) -> None:
    """Use everything that holds a thread or a socket, and close nothing."""
    storage = SqliteStorage("app", file)
    session = await storage.connect()
    await session.enqueue([Entry(Header("one"), b"")])
    await session.wait_for_work(["loop"], 1.0)
    await session.counts()
    waits = [asyncio.ensure_future(session.await_outcomes(["one"])), asyncio.ensure_future(session.notices("me", None))]
    await waits[1]
    storage.lease_keeper("me").beat()
    _kept.append((session, waits))
    say("done")


_kept: list[object] = []


def forget_bare(file: str) -> None:
    """Forget a session on a loop that is closed without asyncio.run's care."""
    loop = asyncio.new_event_loop()
    session = loop.run_until_complete(SqliteStorage("app", file).connect())
    loop.run_until_complete(session.enqueue([Entry(Header("one"), b"")]))
    loop.run_until_complete(session.wait_for_work(["loop"], 1.0))
    loop.close()
    say("done")


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "forget_bare":
        forget_bare(*arguments)
    else:
        commands: dict[str, Callable[..., Awaitable[None]]] = {
            "connect": connect,
            "consume": consume,
            "forget": forget,
            "idle": idle,
            "produce": produce,
            "wait": wait,
        }
        run: Callable[..., Awaitable[None]] = commands[command]

        async def main() -> None:
            await run(*arguments)

        asyncio.run(main())
