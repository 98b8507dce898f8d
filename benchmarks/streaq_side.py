"""The process that measures streaq: ``benchmarks.child`` starts it. It is imported by name, having no types here."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Awaitable
from typing import Any

from benchmarks.peer import CONCURRENCY, Peer, serve
from benchmarks.protocol import Setup

__all__: list[str] = []


class Streaq(Peer):
    """A worker object and its task: producers need the same."""

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        library: Any = importlib.import_module("streaq")
        self._worker_object: Any = library.Worker(redis_url=setup.address, queue_name="bench", concurrency=CONCURRENCY)

        async def noop(number: int) -> int:
            self.note_run()
            return number

        self._noop: Any = self._worker_object.task(noop)

    async def open(self) -> None:
        await self._worker_object.__aenter__()

    async def close(self) -> None:
        os._exit(0)  # its context belongs to another task

    def enqueue(self, number: int) -> Awaitable[Any]:
        it: Awaitable[Any] = self._noop.enqueue(number)
        return it

    async def enqueue_all(self, count: int) -> None:
        await self._worker_object.enqueue_many([self._noop.enqueue(number) for number in range(count)])

    async def call(self) -> None:
        await (await self._noop.enqueue(1)).result(5)

    async def work(self) -> None:
        await self._worker_object.run_async()


async def main() -> None:
    """Measure it."""
    await serve(Streaq(Setup.from_arguments()))


if __name__ == "__main__":
    asyncio.run(main())
