"""Metrics of enqueues and attempts, by the semantic conventions: what the Prometheus endpoint says, for a meter."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from opentelemetry.metrics import Histogram, Meter
from opentelemetry.util.types import AttributeValue

from hueyio.contrib.otel.names import ATTEMPT, ERROR_TYPE, MANY, MESSAGE, of_attempt, of_enqueue
from hueyio.execution.run_context import is_pool_process
from hueyio.tasks.enqueue import Enqueue
from hueyio.tasks.task import Task

__all__ = ["Measures"]

_OF_ONE = (ATTEMPT, MANY, MESSAGE)
"""Attributes that are no dimension of a metric: they have too many values."""


class Measures:
    """Middleware of one Huey: how many calls were sent and taken, and how long that took."""

    def __init__(self, queue: str, meter: Meter) -> None:
        self._queue = queue
        self._sent = meter.create_counter(
            "messaging.client.sent.messages", "{message}", "Number of calls that were enqueued."
        )
        self._send_time = meter.create_histogram("messaging.client.operation.duration", "s", "Duration of enqueues.")
        self._taken = meter.create_counter(
            "messaging.client.consumed.messages", "{message}", "Number of attempts that were begun."
        )
        self._run_time = meter.create_histogram("messaging.process.duration", "s", "Duration of attempts.")

    @contextmanager
    def around_enqueue(self, calls: Enqueue) -> Iterator[None]:
        """Count what is written."""
        attributes = _dimensions(of_enqueue(self._queue, calls.tasks))
        try:
            with _timed(self._send_time, attributes):
                yield
        finally:
            self._sent.add(len(calls.tasks), attributes)

    @asynccontextmanager
    async def around_attempt(self, task: Task) -> AsyncIterator[None]:
        """Count and time an attempt, once: in the worker, if its body runs in a process."""
        if is_pool_process():
            yield
            return
        attributes = _dimensions(of_attempt(self._queue, task))
        self._taken.add(1, attributes)
        with _timed(self._run_time, attributes):
            yield


@contextmanager
def _timed(histogram: Histogram, attributes: dict[str, AttributeValue]) -> Iterator[None]:
    """Record how long the block takes; what it raises is noted in the attributes."""
    began = time.perf_counter()
    try:
        yield
    except BaseException as error:
        attributes[ERROR_TYPE] = type(error).__qualname__
        raise
    finally:
        histogram.record(time.perf_counter() - began, attributes)


def _dimensions(attributes: dict[str, AttributeValue]) -> dict[str, AttributeValue]:
    return {name: value for name, value in attributes.items() if name not in _OF_ONE}
