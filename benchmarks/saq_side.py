"""The process that measures saq: ``benchmarks.child`` starts it. It is imported by name, having no types here."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Awaitable
from typing import Any, Final

from benchmarks.peer import CONCURRENCY, Peer, serve
from benchmarks.protocol import Setup

__all__: list[str] = []

_CHECK: Final = 0.001
"""Seconds between two looks for a result; by default 0.5."""


class Saq(Peer):
    """A queue and one function, found by its name."""

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        self._saq: Any = importlib.import_module("saq")
        self._queue: Any = self._saq.Queue.from_url(f"{setup.address}?max_connections=1000", name="bench")

    async def open(self) -> None:
        await self._queue.connect()

    async def close(self) -> None:
        os._exit(0)  # a worker that is only to be thrown away takes its time

    def enqueue(self, number: int) -> Awaitable[Any]:
        it: Awaitable[Any] = self._queue.enqueue("noop", number=number)
        return it

    async def enqueue_all(self, count: int) -> None:
        for start in range(0, count, CONCURRENCY):  # it has nothing for many
            await asyncio.gather(*(self.enqueue(number) for number in range(start, start + CONCURRENCY)))

    async def call(self) -> None:
        await self._queue.apply("noop", timeout=5, poll_interval=_CHECK, number=1)

    async def work(self) -> None:
        async def noop(context: Any, *, number: int) -> int:
            self.note_run()
            return number

        await self._saq.Worker(self._queue, functions=[("noop", noop)], concurrency=CONCURRENCY).start()


async def main() -> None:
    """Measure it."""
    await serve(Saq(Setup.from_arguments()))


if __name__ == "__main__":
    asyncio.run(main())
