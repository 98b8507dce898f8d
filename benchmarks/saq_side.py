"""The process that measures saq: ``benchmarks.child`` starts it. It is imported by name, having no types here."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Awaitable
from typing import Any, Final

from benchmarks.peer import CONCURRENCY, Peer, run, serve
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
        self._concurrency = int(setup.consumer.get("workers", CONCURRENCY))

    async def open(self) -> None:
        await self._queue.connect()

    async def close(self) -> None:
        os._exit(0)  # a worker that is only to be thrown away takes its time

    def enqueue(self, number: float, **more: Any) -> Awaitable[Any]:
        it: Awaitable[Any] = self._queue.enqueue("noop", number=number, **more)
        return it

    async def result(self, handle: Any) -> Any:
        await handle.refresh()
        while not handle.completed:
            await asyncio.sleep(_CHECK)
            await handle.refresh()
        return handle.result

    async def work(self) -> None:
        async def noop(context: Any, *, number: float, size: int = 0, payload: str = "") -> float | str:
            return self.note_run(number, size)

        await self._saq.Worker(self._queue, functions=[("noop", noop)], concurrency=self._concurrency).start()


async def main() -> None:
    """Measure it."""
    await serve(Saq(Setup.from_arguments()))


if __name__ == "__main__":
    run(main())
