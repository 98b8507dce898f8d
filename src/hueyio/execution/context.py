"""Which task runs here: known anywhere in its body, its hooks and what they call."""

from __future__ import annotations

from contextvars import Context, ContextVar, copy_context
from typing import Final

from hueyio.exceptions import HueyException
from hueyio.tasks.task import Task

__all__ = ["context_of", "current_task", "running"]

running: Final[ContextVar[Task]] = ContextVar("hueyio_running")
"""Set while a body or a hook runs; a copy of the context goes with it into its thread."""


def current_task() -> Task:
    """Return the Task whose body (or pre- or post-execute hook) runs here; raises HueyException outside of one.

    Example::

        @huey.task
        async def tell_id() -> str:
            return current_task().id

        result = await tell_id()
        print(await result == result.id)  # True
    """
    try:
        return running.get()
    except LookupError:
        raise HueyException("current_task() is for the body of a task, and no task runs here") from None


def context_of(task: Task) -> Context:
    """Return a copy of this context in which the task runs."""
    context = copy_context()
    context.run(running.set, task)
    return context
