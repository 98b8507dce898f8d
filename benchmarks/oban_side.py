"""The process that measures oban: ``benchmarks.child`` starts it. It is imported by name, having no types here.

It stores no results: a job would have to ask for that.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Awaitable, Sequence
from typing import Any, Final

from benchmarks.peer import CONCURRENCY, Peer, run, serve
from benchmarks.protocol import Setup

__all__: list[str] = []

_POOL: Final = 10
"""Connections at most, as by default."""
_CHUNK: Final = 1_000
"""Jobs that are enqueued at once."""


class Oban(Peer):
    """A database with oban's tables, and one worker."""

    worker_opens = True

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        self._address = setup.address
        self._limit = int(setup.consumer.get("limit", CONCURRENCY))
        self._library: Any = importlib.import_module("oban")
        self._pool: Any = None
        self._producer: Any = None
        peer = self

        class Noop:
            async def process(self, job: Any) -> None:
                peer.note_run(job.args["number"])

        self._noop: Any = self._library.worker(queue="default")(Noop)

    async def open(self) -> None:
        self._pool = await self._library.Oban.create_pool(self._address, min_size=1, max_size=_POOL)
        async with self._pool.connection() as connection:
            found = await (await connection.execute("SELECT to_regclass('oban_jobs')::text")).fetchone()
        if found[0] is None:
            await importlib.import_module("oban.schema").install(self._pool)
        self._producer = self._library.Oban(pool=self._pool, name="producer")

    async def close(self) -> None:
        os._exit(0)  # a worker that is only to be thrown away takes its time

    def enqueue(self, number: float, **more: Any) -> Awaitable[Any]:
        it: Awaitable[Any] = self._producer.enqueue(self._noop.new({"number": number}))
        return it

    async def enqueue_all(self, count: int) -> Sequence[Any]:
        handles: list[Any] = []
        for start in range(0, count, _CHUNK):
            jobs = [self._noop.new({"number": number}) for number in range(start, min(start + _CHUNK, count))]
            handles += await self._producer.enqueue_many(jobs)
        return handles

    async def result(self, handle: Any) -> Any:
        raise NotImplementedError("oban stores results only of jobs that ask for it")

    async def work(self) -> None:
        await self._library.Oban(pool=self._pool, queues={"default": self._limit}).start()


async def main() -> None:
    """Measure it."""
    await serve(Oban(Setup.from_arguments()))


if __name__ == "__main__":
    run(main())
