"""What a log record says of a task beside its text: the fields by which a log collector finds it.

Lines about tasks are written in the middle of what must go on: the end of a run, the answer of the storage. So
``log_about`` raises nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress

from hueyio.tasks.task import Task

__all__ = ["log_about", "log_fields"]


def log_fields(task: Task, queue: str | None = None, duration: float | None = None) -> dict[str, object]:
    """Return the ``extra`` of a record about a task; ``attempt`` counts from 1, ``duration`` is in seconds."""
    fields: dict[str, object] = {"task": task.path, "task_id": task.id, "attempt": task.attempt + 1}
    if queue is not None:
        fields["queue"] = queue
    if duration is not None:
        fields["duration"] = round(duration, 6)
    return fields


def log_about(
    logger: logging.Logger,
    level: int,
    text: str,
    *args: object,
    fields: Mapping[str, object],
    error: BaseException | None = None,
) -> None:
    """Log a line with these fields, whatever the application has made of logging.

    ``logging`` raises where a record factory of the application's sets an attribute that has the name of a field, and
    lets through what a filter raises. The line is then tried once more without the fields.
    """
    try:
        logger.log(level, text, *args, exc_info=error, extra=fields, stacklevel=2)
    except Exception:
        with suppress(Exception):  # nobody could be told
            logger.log(level, text, *args, exc_info=error, stacklevel=2)
