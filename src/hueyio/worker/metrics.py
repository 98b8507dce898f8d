"""Metrics for Prometheus, through its own client library: read when they are asked for, so that nobody pays between.

What a process knows of itself it says itself. What the storage knows of a queue is said by one of its consumers, that
which began first, so that a sum over all processes is right. What the application registered in the library's default
registry follows. Imported only where that library, an extra (``hueyio[metrics]``), is installed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as Late
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hueyio.app import Huey
from hueyio.consumer import Consumer
from hueyio.consumer.memory import memory_in_use
from hueyio.control.statistics import oldest_ages
from hueyio.core import core_of
from hueyio.exceptions import HueyException
from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import Counts, Lane
from hueyio.worker.status import Status
from hueyio.worker.task_metrics import task_metrics

__all__ = ["make_metrics"]

logger = logging.getLogger(__name__)

_PATIENCE: Final = 2.0
"""Seconds that the storage gets to count; a scrape without the queues is better than none."""


def make_metrics(status: Status) -> Callable[[], tuple[str, bytes]]:
    """Return what writes the metrics of this process as (content type, body)."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(status))
    return lambda: (CONTENT_TYPE_LATEST, generate_latest(registry) + _of_the_application())


def _of_the_application() -> bytes:
    try:
        return generate_latest(REGISTRY)
    except Exception:  # of a collector that is the user's
        logger.exception("the application's own metrics are left out")
        return b""


class _Queue(NamedTuple):
    """What the storage says of a queue."""

    counts: Counts
    oldest: dict[Lane, float]


class _Collector(Collector):
    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        yield from self._of_tasks()
        yield from task_metrics([(huey.name, consumer.task_tallies()) for huey, consumer in self._status.consumers])
        yield from self._of_queues()
        yield from self._of_the_loop()

    def _of_tasks(self) -> Iterator[Metric]:
        ended = CounterMetricFamily("hueyio_tasks", "Runs of tasks that ended here", labels=["queue", "outcome"])
        running = GaugeMetricFamily("hueyio_tasks_running", "Tasks that run here now", labels=["queue", "lane"])
        slots = GaugeMetricFamily("hueyio_slots", "Tasks that may run here at a time", labels=["queue", "lane"])
        lent = GaugeMetricFamily(
            "hueyio_slots_lent", "Tasks that run here and wait for others, their slots lent", labels=["queue", "lane"]
        )
        stuck = GaugeMetricFamily("hueyio_tasks_stuck", "Tasks that ignore their cancellation", labels=["queue"])
        left = GaugeMetricFamily("hueyio_threads_abandoned", "Threads of tasks that were let go", labels=["queue"])
        pool = GaugeMetricFamily("hueyio_pool_processes", "Processes for run_in=process tasks", labels=["queue"])
        held = GaugeMetricFamily("hueyio_tasks_held", "Tasks under this process's lease", labels=["queue"])
        for huey, consumer in self._status.consumers:
            now = consumer.statistics()
            for lane, size in consumer.options.sizes.items():
                slots.add_metric([huey.name, lane], size)
                running.add_metric([huey.name, lane], now.running.get(lane, 0))
            for outcome, count in now.outcomes.items():
                ended.add_metric([huey.name, outcome], count)
            for lane, count in now.lent.items():
                lent.add_metric([huey.name, lane], count)
            held.add_metric([huey.name], now.held)
            stuck.add_metric([huey.name], now.stuck)
            pool.add_metric([huey.name], now.pool_processes)
            left.add_metric([huey.name], now.abandoned_threads)
        yield from (ended, running, slots, lent, held, stuck, left, pool)

    def _of_queues(self) -> Iterator[Metric]:
        tasks = GaugeMetricFamily("hueyio_queue_tasks", "Tasks in the storage", labels=["queue", "state"])
        oldest = GaugeMetricFamily(
            "hueyio_queue_oldest_seconds", "For how long the first of a lane has been ready", labels=["queue", "lane"]
        )
        workers = GaugeMetricFamily("hueyio_queue_consumers", "Consumers that are alive", labels=["queue"])
        for huey, consumer in self._status.consumers:
            found = self._ask(huey, consumer)
            if found is None:
                continue
            queue, alive = found
            workers.add_metric([huey.name], alive)
            for state, count in _states(queue.counts).items():
                tasks.add_metric([huey.name, state], count)
            for lane in queue.counts.queued:
                oldest.add_metric([huey.name, lane], queue.oldest.get(lane, 0.0))
        yield from (tasks, oldest, workers)

    def _ask(self, huey: Huey, consumer: Consumer) -> tuple[_Queue, int] | None:
        """Ask the storage, for the metrics of a queue; None where another consumer says them, or it does not answer."""
        asking = asyncio.run_coroutine_threadsafe(_look(huey, consumer.owner), self._status.loop)
        try:
            return asking.result(_PATIENCE)
        except (Late, HueyException) as error:
            asking.cancel()
            logger.debug("no figures of the queue %s: %r", huey.name, error)
            return None

    def _of_the_loop(self) -> Iterator[Metric]:
        statistics = [consumer.statistics() for _, consumer in self._status.consumers]
        lag = max((each.lag for each in statistics), default=0.0)
        yield GaugeMetricFamily("hueyio_loop_lag_seconds", "How late the loop answered last", value=lag)
        blocked = max((each.blocks for each in statistics), default=0)
        yield CounterMetricFamily("hueyio_loop_blocked", "How often the loop was found blocked", value=blocked)
        memory = memory_in_use() * 2**20
        yield GaugeMetricFamily("hueyio_memory_bytes", "Resident memory of this process", value=memory)


async def _look(huey: Huey, owner: str) -> tuple[_Queue, int] | None:
    """Look at the queue, if it is this consumer that speaks for it; say also how many consumers there are."""
    consumers = await huey.consumers()
    first = min(consumers, key=lambda it: (it.started, it.id), default=None)
    if first is None or first.id != owner:
        return None
    session = await core_of(huey).session()
    counts = await huey.counts()
    heads, now = await session.heads(), await session.time()
    return _Queue(counts, oldest_ages(heads, now)), len(consumers)


def _states(counts: Counts) -> dict[str, int]:
    return {
        "ready": sum(counts.queued.values()) + counts.suspects,
        "scheduled": counts.scheduled,
        "running": counts.running,
        "failed": counts.failed,
        "dead": counts.dead,
    }
