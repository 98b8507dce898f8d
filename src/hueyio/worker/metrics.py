"""Metrics for Prometheus, through its own client library: read when they are asked for, so that nobody pays between.

Imported only where that library, an extra (``hueyio[metrics]``), is installed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as Late
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hueyio.app import Huey
from hueyio.exceptions import HueyException
from hueyio.worker.status import Status, memory_in_use

__all__ = ["make_metrics"]

logger = logging.getLogger(__name__)

_PATIENCE: Final = 2.0
"""Seconds that the storage gets to count; a scrape without the queues is better than none."""


def make_metrics(status: Status) -> Callable[[], tuple[str, bytes]]:
    """Return what writes the metrics of this process as (content type, body)."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(status))
    return lambda: (CONTENT_TYPE_LATEST, generate_latest(registry))


class _Collector(Collector):
    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        yield from self._of_tasks()
        yield from self._of_queues()
        yield from self._of_the_loop()

    def _of_tasks(self) -> Iterator[Metric]:
        ended = CounterMetricFamily("hueyio_tasks", "Runs of tasks that ended here", labels=["queue", "outcome"])
        running = GaugeMetricFamily("hueyio_tasks_running", "Tasks that run here now", labels=["queue", "lane"])
        lent = GaugeMetricFamily(
            "hueyio_slots_lent", "Tasks that run here and wait for others, their slots lent", labels=["queue", "lane"]
        )
        stuck = GaugeMetricFamily("hueyio_tasks_stuck", "Tasks that ignore their cancellation", labels=["queue"])
        left = GaugeMetricFamily("hueyio_threads_abandoned", "Threads of tasks that were let go", labels=["queue"])
        pool = GaugeMetricFamily("hueyio_pool_processes", "Processes for run_in=process tasks", labels=["queue"])
        held = GaugeMetricFamily("hueyio_tasks_held", "Tasks under this process's lease", labels=["queue"])
        for huey, consumer in self._status.consumers:
            now = consumer.statistics()
            for outcome, count in now.outcomes.items():
                ended.add_metric([huey.name, outcome], count)
            for lane, count in now.running.items():
                running.add_metric([huey.name, lane], count)
            for lane, count in now.lent.items():
                lent.add_metric([huey.name, lane], count)
            held.add_metric([huey.name], now.held)
            stuck.add_metric([huey.name], now.stuck)
            pool.add_metric([huey.name], now.pool_processes)
            left.add_metric([huey.name], now.abandoned_threads)
        yield from (ended, running, lent, held, stuck, left, pool)

    def _of_queues(self) -> Iterator[Metric]:
        tasks = GaugeMetricFamily("hueyio_queue_tasks", "Tasks in the storage", labels=["queue", "place"])
        for huey, _ in self._status.consumers:
            for place, count in self._count(huey).items():
                tasks.add_metric([huey.name, place], count)
        yield tasks

    def _count(self, huey: Huey) -> dict[str, int]:
        counting = asyncio.run_coroutine_threadsafe(huey.counts(), self._status.loop)
        try:
            counts = counting.result(_PATIENCE)
        except (Late, HueyException) as error:
            counting.cancel()
            logger.debug("no figures of the queue %s: %r", huey.name, error)
            return {}
        return {
            "queued": sum(counts.queued.values()) + counts.suspects,
            "scheduled": counts.scheduled,
            "running": counts.running,
            "dead": counts.dead,
        }

    def _of_the_loop(self) -> Iterator[Metric]:
        statistics = [consumer.statistics() for _, consumer in self._status.consumers]
        lag = max((each.lag for each in statistics), default=0.0)
        yield GaugeMetricFamily("hueyio_loop_lag_seconds", "How late the loop answered last", value=lag)
        blocked = max((each.blocks for each in statistics), default=0)
        yield CounterMetricFamily("hueyio_loop_blocked", "How often the loop was found blocked", value=blocked)
        memory = memory_in_use() * 2**20
        yield GaugeMetricFamily("hueyio_memory_bytes", "Resident memory of this process", value=memory)
