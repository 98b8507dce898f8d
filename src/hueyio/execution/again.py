"""What a task that ended without success is to be when it runs once more: the message that its letter keeps."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from hueyio.messages.message import read_task, write_task
from hueyio.serializer import Serializer
from hueyio.storage.records import EndKind
from hueyio.tasks.task import Granted, Task, aware

__all__ = ["LONGEST_REASON", "count_times_anew", "renew", "text_of", "write_again"]

logger = logging.getLogger(__name__)

LONGEST_REASON: Final = 2000
"""Characters of an error that a letter has; the stored error has all of it."""


def write_again(data: bytes, kind: EndKind, serializer: Serializer, now: float) -> bytes | None:
    """Return the message to be kept in the place of this one; None: this one.

    Whoever requeues the letter may not be able to read it. It is made of the message and not of the task that ran,
    whose arguments the body may have changed.
    """
    try:
        again = write_task(renew(read_task(data, serializer), kind, now), serializer)
    except BaseException as error:  # whatever user code raises that is pickled: the end of the task goes on without
        logger.warning("a message to be kept stays as it was at the last attempt: %r", error)
        return None
    return None if again == data else again


def renew(task: Task, kind: EndKind, now: float) -> Task:
    """Return the task with all its retries and its first delay; ``attempt`` counts on, so that handlers get new ids.

    Relative times are counted when it is requeued; a moment that is over by then is no bound any more.
    """
    granted = task.granted or Granted(task.retries, task.retry_delay)
    return count_times_anew(
        task.replaced(
            attempt=task.attempt + 1 if kind == "failed" else task.attempt,
            retries=granted.retries,
            retry_delay=granted.retry_delay,
            granted=None,
            eta=None,
            put_back=None,
        ),
        now,
        is_enqueued=False,
    )


def count_times_anew(task: Task, now: float, *, is_enqueued: bool = True) -> Task:
    """Return the task with its ``expires`` and ``deadline`` as they are if it is enqueued at ``now``, or later."""
    again = task.replaced(
        expires=None if _is_over(task.expires, now) else task.expires,
        expires_resolved=None,
        deadline=None if _is_over(task.deadline, now) else task.deadline,
        deadline_resolved=None,
        eta=None,
    )
    if is_enqueued:
        again.expires_resolved = again.resolve_expires(now)
        again.deadline_resolved = again.resolve_deadline(now)
    return again


def text_of(value: object) -> str:
    """Return a text that every storage can hold."""
    return str(value)[:LONGEST_REASON].encode("utf-8", "backslashreplace").decode()


def _is_over(moment: object, now: float) -> bool:
    return isinstance(moment, datetime) and aware(moment).timestamp() <= now
