"""Give log records the name and the id of the task in which they were written: ``TaskLogFilter``.

What runs is known from context variables, which go along into threads and into asyncio tasks that a body starts. A pool
process gives its records what runs there before it sends them to its parent.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from hueyio.execution.context import running
from hueyio.execution.run_context import RUN_CONTEXT
from hueyio.named_tuple import NamedTuple

__all__ = ["FIELDS", "TaskLogFilter", "TaskOfRecord", "is_ours", "task_of"]

FIELDS: Final = ("task", "task_id", "attempt", "queue")
"""What a record gets."""

_OURS: Final = "hueyio"
"""The logger above all of ours; only hueyio itself logs there."""


class TaskOfRecord(NamedTuple):
    """Which task a record belongs to; empty if none. In the record as ``hueyio_task``, whatever ``extra`` it has."""

    task: str = ""
    task_id: str = ""
    attempt: int = 0
    queue: str = ""
    given: tuple[str, ...] = ()
    """Which of these names the record had already, from the application's ``extra``."""


_NONE: Final = TaskOfRecord()


class TaskLogFilter(logging.Filter):
    """Add ``task``, ``task_id``, ``attempt`` and ``queue`` to each record; keep all records.

    Put it on a handler, or on a logger of yours: ``handler.addFilter(TaskLogFilter())``. Outside of a task all four are
    ``missing``, so that a format such as ``"%(task_id)s %(message)s"`` always works. What the record has already, given
    with ``extra=``, stays.
    """

    def __init__(self, missing: Any = "") -> None:
        super().__init__()
        self._missing = missing

    def filter(self, record: logging.LogRecord) -> bool:
        """Add what runs here; return True."""
        fields = vars(record)
        found = fields.get("hueyio_task")
        if type(found) is not TaskOfRecord:
            found = fields["hueyio_task"] = _told_by_hueyio(record) or _found_here(record)
        for name in FIELDS:
            fields.setdefault(name, getattr(found, name) if found.task_id else self._missing)
        return True


def task_of(record: logging.LogRecord) -> TaskOfRecord:
    """Return which task a record that was filtered belongs to."""
    found = vars(record).get("hueyio_task")
    return found if type(found) is TaskOfRecord else _NONE


def is_ours(record: logging.LogRecord) -> bool:
    """Say whether hueyio itself logged this."""
    return record.name.partition(".")[0] == _OURS


def _told_by_hueyio(record: logging.LogRecord) -> TaskOfRecord | None:
    """Return which task a line of hueyio is about: it may be written while another one runs."""
    fields = vars(record)
    if not is_ours(record) or "task_id" not in fields:
        return None
    return TaskOfRecord(**{name: fields[name] for name in FIELDS if name in fields})


def _found_here(record: logging.LogRecord) -> TaskOfRecord:
    """Return which task runs where this is written."""
    given = tuple([name for name in FIELDS if name in vars(record)])
    task = running.get(None)
    if task is None:
        return TaskOfRecord(given=given) if given else _NONE
    context = RUN_CONTEXT.get()
    return TaskOfRecord(task.path, task.id, task.attempt + 1, "" if context is None else context.queue, given)
