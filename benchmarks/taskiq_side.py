"""The process that measures taskiq: ``benchmarks.child`` starts it. It is imported by name, having no types here."""

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
"""Seconds between two looks for a result; by default 0.2."""


class Taskiq(Peer):
    """A list broker and a result backend, both of taskiq-redis."""

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        library: Any = importlib.import_module("taskiq_redis")
        backend: Any = library.RedisAsyncResultBackend(redis_url=setup.address)
        self._broker: Any = library.ListQueueBroker(url=setup.address, queue_name="bench")
        self._broker = self._broker.with_result_backend(backend)

        async def noop(number: int) -> int:
            self.note_run()
            return number

        self._noop: Any = self._broker.task(task_name="noop")(noop)

    async def open(self) -> None:
        await self._broker.startup()

    async def close(self) -> None:
        os._exit(0)  # as the others

    def enqueue(self, number: int) -> Awaitable[Any]:
        it: Awaitable[Any] = self._noop.kiq(number)
        return it

    async def enqueue_all(self, count: int) -> None:
        for start in range(0, count, CONCURRENCY):  # it has nothing for many
            await asyncio.gather(*(self.enqueue(number) for number in range(start, start + CONCURRENCY)))

    async def call(self) -> None:
        await (await self._noop.kiq(1)).wait_result(check_interval=_CHECK, timeout=5)

    async def work(self) -> None:
        receiver: Any = importlib.import_module("taskiq.api.receiver")
        self._broker.is_worker_process = True
        await receiver.run_receiver_task(self._broker, max_async_tasks=CONCURRENCY)


async def main() -> None:
    """Measure it."""
    await serve(Taskiq(Setup.from_arguments()))


if __name__ == "__main__":
    asyncio.run(main())
