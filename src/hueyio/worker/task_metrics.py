"""The metrics by the names of tasks: how they ended, how long they ran, how long they had waited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from hueyio.consumer.tally import TaskTally
from hueyio.control.histogram import EXACT, upper_bound

__all__ = ["task_metrics"]

_BOUNDS: Final = tuple(bucket for bucket in EXACT if bucket % 4 == 0 and 16 <= bucket <= 68)
"""From 0.26 ms to 4.8 h, four times as much each. They are powers of two, so the counts up to there are exact."""


def task_metrics(queues: Iterable[tuple[str, Sequence[TaskTally]]]) -> Iterator[Metric]:
    """Make the metrics of these queues: each with what was counted by name."""
    labels = ["queue", "task"]
    ended = CounterMetricFamily("hueyio_tasks_ended", "Tasks that ended here", labels=[*labels, "end"])
    retried = CounterMetricFamily("hueyio_tasks_retried", "Attempts after which the task went on", labels=labels)
    run = HistogramMetricFamily("hueyio_task_run_seconds", "How long attempts ran", labels=labels)
    wait = HistogramMetricFamily("hueyio_task_wait_seconds", "How long tasks were ready before they ran", labels=labels)
    for queue, tallies in queues:
        for tally in tallies:
            if not (tally.ended or tally.retried):
                continue
            for end, count in tally.all_ends().items():
                ended.add_metric([queue, tally.name, end], count)
            retried.add_metric([queue, tally.name], tally.retried)
            run.add_metric([queue, tally.name], _buckets(tally.run), tally.run_us / 1e6)
            wait.add_metric([queue, tally.name], _buckets(tally.wait), tally.wait_us / 1e6)
    yield from (ended, retried, run, wait)


def _buckets(counts: Sequence[int]) -> list[tuple[str, float]]:
    sums = list(accumulate(counts))
    return [*((str(upper_bound(bucket)), sums[bucket]) for bucket in _BOUNDS), ("+Inf", sums[-1])]
