"""The process that measures dramatiq: ``benchmarks.child`` starts it. It is imported by name, having no types here."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.blocking_peer import BlockingPeer, serve_blocking
from benchmarks.protocol import Setup

__all__: list[str] = []

_THREADS: Final = 8
"""What ``dramatiq`` starts in each process by default."""

_PATIENCE: Final = 60_000
"""Milliseconds that a result is waited for."""


class Dramatiq(BlockingPeer):
    """A broker, the backend for results, and one actor."""

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        self._library: Any = importlib.import_module("dramatiq")
        brokers: Any = importlib.import_module("dramatiq.brokers.redis")
        results: Any = importlib.import_module("dramatiq.results")
        backends: Any = importlib.import_module("dramatiq.results.backends")
        self._broker: Any = brokers.RedisBroker(url=setup.address)
        self._backend: Any = backends.RedisBackend(url=setup.address)
        self._broker.add_middleware(results.Results(backend=self._backend, store_results=True))
        self._library.set_broker(self._broker)
        self._threads = int(setup.consumer.get("workers", _THREADS))
        self._noop: Any = self._library.actor(self.work, actor_name="noop", queue_name="bench")

    def open(self) -> None:
        self._broker.client.ping()

    def enqueue(self, number: float, **more: Any) -> Any:
        return self._noop.send(number, **more)

    def enqueue_all(self, count: int) -> Sequence[Any]:
        return [self._noop.send(number) for number in range(count)]  # its group sends one after another too

    def enqueue_pipeline(self, stages: int) -> Any:
        messages = [self._noop.message(1), *(self._noop.message() for _ in range(stages - 1))]
        return self._library.pipeline(messages).run()

    def result(self, handle: Any) -> Any:
        return handle.get_result(block=True, timeout=_PATIENCE)

    def read_finished(self, handle: Any) -> Any:
        return handle.get_result()

    def start_worker(self) -> None:
        self._library.Worker(self._broker, worker_threads=self._threads).start()

    def wait_written(self, count: int) -> None:
        """The last results may not be written yet: that is in its favour."""


if __name__ == "__main__":
    serve_blocking(Dramatiq(Setup.from_arguments()))
