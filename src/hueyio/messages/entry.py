"""Task to Entry: what the storage must know of a task beside its bytes."""

from __future__ import annotations

from hueyio.messages.message import write_task
from hueyio.serializer import Serializer
from hueyio.signals import SIGNAL_ENQUEUED, SIGNAL_SCHEDULED
from hueyio.storage.records import MAX_DELIVERIES, Entry, Header
from hueyio.tasks.declared import TaskSpec
from hueyio.tasks.task import Task

__all__ = ["enqueue_signal", "make_entry"]


def make_entry(task: Task, spec: TaskSpec | None, serializer: Serializer, now: float) -> Entry:
    """Encode a task for its enqueue at ``now`` (epoch seconds); a relative ``expires`` counts from there.
    A relative ``deadline`` counts from the first enqueue: that of a retry leaves it as it is.

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
    if task.chord is not None or task.values is not None or task.on_complete is not None:
        header = _bound(task, header)
    return Entry(header, write_task(task, serializer))


def _bound(task: Task, header: Header) -> Header:
    """Add what ties a task to others."""
    return header._replace(
        latch=None if task.chord is None else task.chord.latch,
        latch_index=None if task.chord is None else task.chord.position,
        collects=task.values is not None,
        expects=tuple(stage.id for stage in task.stages())[1:],
    )


def enqueue_signal(entry: Entry) -> str:
    """Return the signal that tells of this entry: by what was written, because a delay may be over by now."""
    return SIGNAL_ENQUEUED if entry.header.eta is None else SIGNAL_SCHEDULED
