"""The process that measures pgqueuer: ``benchmarks.child`` starts it. It is imported by name, having no types here.

It says what it is driven by: asyncpg on one connection is faster than a pool, whose connections are reset after each
statement, but for many calls at once. It stores no results.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Awaitable, Sequence
from typing import Any, Final

from benchmarks.peer import CONCURRENCY, Peer, run, serve
from benchmarks.protocol import Setup

__all__: list[str] = []

_CHUNK: Final = 1_000
"""Jobs that are enqueued in one statement."""


class Pgqueuer(Peer):
    """A database with pgqueuer's tables, and one entry point."""

    worker_opens = True

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        self._setup = setup
        self._batch = int(setup.consumer.get("batch", CONCURRENCY))
        self._pool_size = int(setup.options.get("pool", 0))
        self._library: Any = importlib.import_module("pgqueuer")
        self._driver: Any = None
        self._queries: Any = None

    async def open(self) -> None:
        asyncpg: Any = importlib.import_module("asyncpg")
        drivers: Any = importlib.import_module("pgqueuer.db")
        address, size = self._setup.address, self._pool_size
        if size:
            pool = await asyncpg.create_pool(address, min_size=size, max_size=size)
            self._driver = drivers.AsyncpgPoolDriver(pool)
        else:
            self._driver = drivers.AsyncpgDriver(await asyncpg.connect(address))
        self._queries = importlib.import_module("pgqueuer.queries").Queries(self._driver)
        if not await self._queries.schema_is_installed():
            await self._queries.install()

    async def close(self) -> None:
        os._exit(0)  # a worker that is only to be thrown away takes its time

    def enqueue(self, number: float, **more: Any) -> Awaitable[Any]:
        it: Awaitable[Any] = self._queries.enqueue("noop", _packed(number))
        return it

    async def enqueue_all(self, count: int) -> Sequence[Any]:
        handles: list[Any] = []
        for start in range(0, count, _CHUNK):
            payloads = [_packed(number) for number in range(start, min(start + _CHUNK, count))]
            handles += await self._queries.enqueue(["noop"] * len(payloads), payloads, [0] * len(payloads))
        return handles

    async def result(self, handle: Any) -> Any:
        raise NotImplementedError("pgqueuer stores no results")

    async def work(self) -> None:
        queue: Any = self._library.PgQueuer(self._driver)

        async def noop(job: Any) -> None:
            self.note_run(json.loads(job.payload))

        queue.entrypoint("noop")(noop)
        await queue.run(batch_size=self._batch)


def _packed(number: float) -> bytes:
    return json.dumps(number).encode()


async def main() -> None:
    """Measure it."""
    await serve(Pgqueuer(Setup.from_arguments()))


if __name__ == "__main__":
    run(main())
