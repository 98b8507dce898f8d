"""The process that measures procrastinate: ``benchmarks.child`` starts it. It is imported by name, having no types.

It stores no results.
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Awaitable, Sequence
from typing import Any, Final

from benchmarks.peer import CONCURRENCY, Peer, run, serve
from benchmarks.protocol import Setup

__all__: list[str] = []

_POOL: Final = 10
"""Connections at most; by default it has 4."""
_CHUNK: Final = 1_000
"""Jobs that are enqueued in one statement."""


class Procrastinate(Peer):
    """A database with procrastinate's tables, and one task."""

    worker_opens = True

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        library: Any = importlib.import_module("procrastinate")
        self._concurrency = int(setup.consumer.get("workers", CONCURRENCY))
        pool = int(setup.options.get("pool", _POOL))
        logging.getLogger("procrastinate").setLevel(logging.ERROR)  # it warns of a task in the main module
        connector = library.PsycopgConnector(conninfo=setup.address, min_size=1, max_size=pool)
        self._app: Any = library.App(connector=connector)

        async def noop(number: float) -> float:
            self.note_run(number)
            return number

        self._noop: Any = self._app.task(name="noop")(noop)

    async def open(self) -> None:
        await self._app.open_async()
        found = await self._app.connector.execute_query_one_async(
            "SELECT to_regclass('procrastinate_jobs')::text AS it"
        )
        if found["it"] is None:
            await self._app.schema_manager.apply_schema_async()

    async def close(self) -> None:
        os._exit(0)  # a worker that is only to be thrown away takes its time

    def enqueue(self, number: float, **more: Any) -> Awaitable[Any]:
        it: Awaitable[Any] = self._noop.defer_async(number=number)
        return it

    async def enqueue_all(self, count: int) -> Sequence[Any]:
        handles: list[Any] = []
        for start in range(0, count, _CHUNK):
            numbers = range(start, min(start + _CHUNK, count))
            handles += await self._noop.batch_defer_async(*({"number": number} for number in numbers))
        return handles

    async def result(self, handle: Any) -> Any:
        raise NotImplementedError("procrastinate stores no results")

    async def work(self) -> None:
        await self._app.run_worker_async(concurrency=self._concurrency, install_signal_handlers=False)


async def main() -> None:
    """Measure it."""
    await serve(Procrastinate(Setup.from_arguments()))


if __name__ == "__main__":
    run(main())
