"""The process that measures arq: ``benchmarks.child`` starts it. It is imported by name, having no types here."""

from __future__ import annotations

import importlib
import os
from collections.abc import Awaitable
from typing import Any, Final

from benchmarks.peer import CONCURRENCY, Peer, run, serve
from benchmarks.protocol import Setup

__all__: list[str] = []

_CHECK: Final = 0.001
"""Seconds between two looks for a job, or for a result; by default 0.5."""

_PATIENCE: Final = 60
"""Seconds that a result is waited for."""


class Arq(Peer):
    """A pool of connections and one function, found by its name."""

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        connections: Any = importlib.import_module("arq.connections")
        self._settings: Any = connections.RedisSettings.from_dsn(setup.address)
        self._connect: Any = connections.create_pool
        self._concurrency = int(setup.consumer.get("workers", CONCURRENCY))
        self._pool: Any = None

    async def open(self) -> None:
        self._pool = await self._connect(self._settings, default_queue_name="bench")

    async def close(self) -> None:
        os._exit(0)  # as the others

    def enqueue(self, number: float, **more: Any) -> Awaitable[Any]:
        it: Awaitable[Any] = self._pool.enqueue_job("noop", number, **more)
        return it

    async def result(self, handle: Any) -> Any:
        return await handle.result(timeout=_PATIENCE, poll_delay=_CHECK)

    async def work(self) -> None:
        async def noop(context: Any, number: float, size: int = 0, payload: str = "") -> float | str:
            return self.note_run(number, size)

        library: Any = importlib.import_module("arq.worker")
        worker = library.Worker(
            functions=[library.func(noop, name="noop")],
            queue_name="bench",
            redis_settings=self._settings,
            handle_signals=False,
            max_jobs=self._concurrency,
            poll_delay=_CHECK,
        )
        await worker.async_run()


async def main() -> None:
    """Measure it."""
    await serve(Arq(Setup.from_arguments()))


if __name__ == "__main__":
    run(main())
