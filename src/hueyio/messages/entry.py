"""Task to Entry: what the storage must know of a task beside its bytes."""

from __future__ import annotations

import sys
from typing import Final

from hueyio.messages.message import write_stages, write_task
from hueyio.serializer import Serializer
from hueyio.signals import SIGNAL_ENQUEUED, SIGNAL_SCHEDULED
from hueyio.storage.records import MAX_DELIVERIES, Entry, Header
from hueyio.tasks.declared import TaskSpec
from hueyio.tasks.task import Task

__all__ = ["CUT_FROM", "NEVER", "enqueue_signal", "make_entry"]

CUT_FROM: Final = 8
"""From how many later stages on a pipeline is cut. Shorter ones cost no more in one piece, and hueyio 0.1 runs them."""

NEVER: Final = sys.maxsize
"""More stages than any pipeline has."""


def make_entry(
    task: Task, spec: TaskSpec | None, serializer: Serializer, now: float, *, cut_from: int = CUT_FROM
) -> Entry:
    """Encode a task for its enqueue at ``now`` (epoch seconds); a relative ``expires`` counts from there.
    A relative ``deadline`` counts from the first enqueue: that of a retry leaves it as it is.

    Of a pipeline with ``cut_from`` later stages or more each stage becomes a message of its own.

    A task that is unknown here (``spec`` is None) goes to the loop's lane: a consumer that knows it runs it where it
    belongs.
    """
    if task.expires is not None:
        task.expires_resolved = task.resolve_expires(now)
    if task.deadline is not None and task.deadline_resolved is None:
        task.deadline_resolved = task.resolve_deadline(now)
    eta = None if task.eta is None else task.eta.timestamp()
    header = Header(
        task.id,
        "loop" if spec is None else spec.lane,
        task.priority or 0.0,
        eta if eta is not None and eta > now else None,
        MAX_DELIVERIES if spec is None else spec.options.max_deliveries,
    )
    if task.attempt:
        header = header.attempted(task.attempt)
    if task.chord is None and task.values is None and task.on_complete is None:
        return Entry(header, write_task(task, serializer))
    header = header._replace(
        latch=None if task.chord is None else task.chord.latch,
        latch_index=None if task.chord is None else task.chord.position,
        collects=task.values is not None,
    )
    return _with_stages(task, header, serializer, cut_from)


def _with_stages(task: Task, header: Header, serializer: Serializer, cut_from: int) -> Entry:
    """Make the entry of a task that others may follow."""
    if task.is_cut and task.on_complete is not None:
        return Entry(header._replace(expects=(task.on_complete.id,)), write_task(task, serializer))
    head, *later = [stage.id for stage in task.stages()]
    # The storage keeps stages by their ids, so each must have its own.
    if len(later) < cut_from or len({head, *later}) <= len(later):
        return Entry(header._replace(expects=tuple(later)), write_task(task, serializer))
    data, stages = write_stages(task, serializer)
    return Entry(header._replace(expects=(later[0],)), data, stages)


def enqueue_signal(entry: Entry) -> str:
    """Return the signal that tells of this entry: by what was written, because a delay may be over by now."""
    return SIGNAL_ENQUEUED if entry.header.eta is None else SIGNAL_SCHEDULED
