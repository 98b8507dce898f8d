"""What a log record says of a task beside its text: the fields by which a log collector finds it."""

from __future__ import annotations

from hueyio.tasks.task import Task

__all__ = ["log_fields"]


def log_fields(task: Task, queue: str | None = None, duration: float | None = None) -> dict[str, object]:
    """Return the ``extra`` of a record about a task; ``attempt`` counts from 1, ``duration`` is in seconds."""
    fields: dict[str, object] = {"task": task.path, "task_id": task.id, "attempt": task.attempt + 1}
    if queue is not None:
        fields["queue"] = queue
    if duration is not None:
        fields["duration"] = round(duration, 6)
    return fields
