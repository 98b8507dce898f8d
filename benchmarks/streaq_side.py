"""The process that measures streaq: ``benchmarks.child`` starts it. It is imported by name, having no types here."""

from __future__ import annotations

import importlib
import os
from collections.abc import Awaitable, Sequence
from typing import Any, Final

from benchmarks.peer import CONCURRENCY, Peer, run, serve
from benchmarks.protocol import Setup

__all__: list[str] = []

_PATIENCE: Final = 60
"""Seconds that a result is waited for."""


class Streaq(Peer):
    """A worker object and its task: producers need the same."""

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        library: Any = importlib.import_module("streaq")
        self._worker_object: Any = library.Worker(
            redis_url=setup.address,
            queue_name="bench",
            concurrency=int(setup.consumer.get("workers", CONCURRENCY)),
            sync_concurrency=int(setup.consumer.get("threads", CONCURRENCY)),
        )

        async def noop(number: float, size: int = 0, payload: str = "") -> float | str:
            return self.note_run(number, size)

        def noop_in_thread(number: float, size: int = 0, payload: str = "") -> float | str:
            return self.note_run(number, size)

        body: Any = noop_in_thread if setup.task == "thread" else noop
        self._noop: Any = self._worker_object.task(body)

    async def open(self) -> None:
        await self._worker_object.__aenter__()

    async def close(self) -> None:
        os._exit(0)  # its context belongs to another task

    def enqueue(self, number: float, **more: Any) -> Awaitable[Any]:
        it: Awaitable[Any] = self._noop.enqueue(number, **more)
        return it

    async def enqueue_all(self, count: int) -> Sequence[Any]:
        tasks = [self._noop.enqueue(number) for number in range(count)]
        await self._worker_object.enqueue_many(tasks)
        return tasks

    async def enqueue_pipeline(self, stages: int) -> Any:
        last = self._noop.enqueue(1)
        for _ in range(stages - 1):
            last = last.then(self._noop)
        return await last

    async def result(self, handle: Any) -> Any:
        return (await handle.result(_PATIENCE)).result

    async def work(self) -> None:
        await self._worker_object.run_async()


async def main() -> None:
    """Measure it."""
    await serve(Streaq(Setup.from_arguments()))


if __name__ == "__main__":
    run(main())
