"""Dead letters, as users see them."""

from __future__ import annotations

from datetime import UTC, datetime

from hueyio.exceptions import SerializationError
from hueyio.messages.message import read_task
from hueyio.named_tuple import NamedTuple
from hueyio.serializer import Serializer
from hueyio.storage.records import DeadLetter
from hueyio.tasks.task import Task

__all__ = ["DeadTask", "read_dead_letter"]


class DeadTask(NamedTuple):
    """A dead letter: a message that could not be run. ``task`` is None if its bytes cannot be read."""

    id: str
    reason: str
    buried_at: datetime
    task: Task | None
    data: bytes


def read_dead_letter(letter: DeadLetter, serializer: Serializer) -> DeadTask:
    """Decode a dead letter, as far as it can be."""
    try:
        task = read_task(letter.data, serializer, letter.header.id)
    except SerializationError:
        task = None  # that is why it is dead
    buried_at = datetime.fromtimestamp(letter.buried_at, UTC)
    return DeadTask(letter.header.id, letter.reason, buried_at, task, letter.data)
