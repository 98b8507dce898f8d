"""Look at one task by its id, and make a dependency of that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import HTTPException

from hueyio.app import Huey
from hueyio.app.sync_huey import SyncHuey
from hueyio.contrib.fastapi.models import TaskProgress, TaskStatus
from hueyio.control.task_details import TaskDetails
from hueyio.storage.texts import is_storable

__all__ = ["Looker", "task_status"]


def task_status(
    huey: Huey | SyncHuey, *, values: bool = True, errors: bool = True
) -> Callable[[str], Awaitable[TaskStatus]]:
    """Make a dependency that gives the ``TaskStatus`` of the task with the id ``task_id``.

    ``task_id`` is a parameter of the path, or else of the query. An id of which nothing is known is answered with 404.
    Without ``values`` the status never has what the task returned; without ``errors`` not why it failed.

    Example::

        status_of = task_status(huey)

        @app.get("/reports/{task_id}")
        async def show(status: Annotated[TaskStatus, Depends(status_of)]) -> TaskStatus:
            return status
    """
    return Looker(huey.aio if isinstance(huey, SyncHuey) else huey, values=values, errors=errors).find


@dataclass(frozen=True, slots=True)
class Looker:
    """Looks at the tasks of one Huey, and says no more than it is allowed to."""

    huey: Huey
    values: bool
    errors: bool

    async def find(self, task_id: str) -> TaskStatus:
        """Return the status of a task; raises HTTPException 404 if nothing is known of it."""
        status = await self.look(task_id)
        if status.status == "unknown":
            raise HTTPException(404, f"nothing is known of task {task_id}")
        return status

    async def look(self, task_id: str) -> TaskStatus:
        """Return the status of a task, ``unknown`` too. Nothing is read away."""
        if not is_storable(task_id):  # from a URL comes any text, and no task can have this one
            return TaskStatus(id=task_id, status="unknown")
        details = await self.huey.inspect(task_id)
        return TaskStatus(
            id=task_id,
            status=details.state,
            progress=_progress_of(details),
            value=self._value_of(details),
            error=_error_of(details) if self.errors else None,
        )

    def _value_of(self, details: TaskDetails) -> Any:
        if not self.values or details.state != "done" or details.returned is None:
            return None
        return details.returned.value


def _progress_of(details: TaskDetails) -> TaskProgress | None:
    if details.progress is None:
        return None
    return TaskProgress(fraction=details.progress.fraction, message=details.progress.message)


def _error_of(details: TaskDetails) -> str | None:
    """Say why it failed: of one that is tried again, the last time."""
    if details.state == "retrying" and details.error is None and details.timeline:
        return details.timeline[-1].error
    return details.error
