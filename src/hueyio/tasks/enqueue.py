"""Calls that are enqueued in one write, as the middleware around that sees them."""

from __future__ import annotations

from collections.abc import Sequence

from hueyio.tasks.task import Task

__all__ = ["Enqueue"]


class Enqueue:
    """Calls that are enqueued in one write: one, all of a ``map`` or a group, or a chord with its callbacks.

    ``tasks`` are written as they are when all middleware has been entered: set headers there. ``enqueued`` is None
    before the write. After it there is for each of ``tasks`` the id of the one that counts: its own, that of the task
    which holds its unique key, or None for a periodic call that another consumer has enqueued.
    """

    __slots__ = ("enqueued", "tasks")

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks = tuple(tasks)
        self.enqueued: tuple[str | None, ...] | None = None

    def __repr__(self) -> str:
        return f"<Enqueue of {len(self.tasks)}: {', '.join(task.path for task in self.tasks[:3])}>"
