"""The process that measures Huey: ``benchmarks.child`` starts it.

Huey has no types, and is installed for the benchmarks only: it is imported by name.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.blocking_peer import BlockingPeer, serve_blocking
from benchmarks.protocol import Setup

__all__: list[str] = []


class Side(BlockingPeer):
    """A Huey and its task."""

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        library: Any = importlib.import_module("huey")
        self._huey: Any
        if setup.kind == "redis":
            # One more than there are workers; redis-py allows 100 by default.
            self._huey = library.RedisHuey("bench", url=f"{setup.address}?max_connections=1000", **setup.options)
        elif setup.kind == "postgres":
            self._huey = library.PostgresHuey("bench", dsn=setup.address, **setup.options)
        else:
            self._huey = library.SqliteHuey("bench", filename=setup.address, **setup.options)
        self._consumer = setup.consumer
        self._poll = setup.poll
        self._noop: Any = self._huey.task(name="noop")(self.work)

    def open(self) -> None:
        self._huey.pending_count()

    def enqueue(self, number: float, **more: Any) -> Any:
        return self._noop(number, **more)

    def enqueue_all(self, count: int) -> Sequence[Any]:
        return list(self._noop.map(range(count)))

    def enqueue_pipeline(self, stages: int) -> Any:
        call = self._noop.s(1)
        for _ in range(stages - 1):
            call = call.then(self._noop)
        results = self._huey.enqueue(call)
        return list(results)[-1]

    def result(self, handle: Any) -> Any:
        if self._poll is None:
            return handle.get(blocking=True)
        while (value := handle.get()) is None:
            time.sleep(self._poll)
        return value

    def read_finished(self, handle: Any) -> Any:
        return handle.get()

    def start_worker(self) -> None:
        self._huey.create_consumer(periodic=False, **self._consumer).start()

    def wait_ran(self) -> None:
        # What runs in a process is not heard of here.
        if self._consumer.get("worker_type") != "process":
            super().wait_ran()

    def wait_written(self, count: int) -> None:
        while int(self._huey.result_count()) < count:
            time.sleep(0.0005)


if __name__ == "__main__":
    serve_blocking(Side(Setup.from_arguments()))
