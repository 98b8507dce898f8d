"""The process that measures taskiq: ``benchmarks.child`` starts it. It is imported by name, having no types here."""

from __future__ import annotations

import importlib
import os
from collections.abc import Awaitable
from typing import Any, Final

from benchmarks.peer import CONCURRENCY, Peer, run, serve
from benchmarks.protocol import Setup

__all__: list[str] = []

_CHECK: Final = 0.001
"""Seconds between two looks for a result; by default 0.2."""

_PATIENCE: Final = 60
"""Seconds that a result is waited for."""


class Taskiq(Peer):
    """A list broker, the fastest that it has, and a result backend, both of taskiq-redis."""

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        library: Any = importlib.import_module("taskiq_redis")
        backend: Any = library.RedisAsyncResultBackend(redis_url=setup.address)
        self._broker: Any = library.ListQueueBroker(url=setup.address, queue_name="bench")
        self._broker = self._broker.with_result_backend(backend)
        self._consumer = setup.consumer

        async def noop(number: float, size: int = 0, payload: str = "") -> float | str:
            return self.note_run(number, size)

        def noop_in_thread(number: float, size: int = 0, payload: str = "") -> float | str:
            return self.note_run(number, size)

        body: Any = noop_in_thread if setup.task == "thread" else noop
        self._noop: Any = self._broker.task(task_name="noop")(body)

    async def open(self) -> None:
        await self._broker.startup()

    async def close(self) -> None:
        os._exit(0)  # as the others

    def enqueue(self, number: float, **more: Any) -> Awaitable[Any]:
        it: Awaitable[Any] = self._noop.kiq(number, **more)
        return it

    async def result(self, handle: Any) -> Any:
        return (await handle.wait_result(check_interval=_CHECK, timeout=_PATIENCE)).return_value

    async def read_finished(self, handle: Any) -> Any:
        return (await handle.get_result()).return_value

    async def work(self) -> None:
        receiver: Any = importlib.import_module("taskiq.api.receiver")
        self._broker.is_worker_process = True
        await receiver.run_receiver_task(
            self._broker,
            max_async_tasks=int(self._consumer.get("workers", CONCURRENCY)),
            sync_workers=self._consumer.get("threads"),
        )


async def main() -> None:
    """Measure it."""
    await serve(Taskiq(Setup.from_arguments()))


if __name__ == "__main__":
    run(main())
