"""Keep tasks from being run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hueyio.app.cancelling import Cancelling
from hueyio.control.revoke import Revocable, forget_revocation, is_revoked, keys_of, revoke_task, write_revocation
from hueyio.exceptions import HueyException
from hueyio.handles.result import Result
from hueyio.handles.wrapper import TaskWrapper
from hueyio.messages.revocation import class_key, instance_key
from hueyio.tasks.task import Task, aware

__all__ = ["Revoking"]


class Revoking(Cancelling):
    """Revoke and restore."""

    async def revoke(
        self, task: Task | Result[Any], revoke_until: datetime | None = None, revoke_once: bool = False
    ) -> None:
        """Keep one task from being run: for good, until a moment (a naive one is local), or once."""
        await self.revoke_by_id(_id_of(task), revoke_until, revoke_once)

    async def revoke_by_id(self, task_id: str, revoke_until: datetime | None = None, revoke_once: bool = False) -> None:
        """Keep the task of this id from being run.

        Where there is no such task, because it is over or not yet enqueued, this is forgotten after seven days.
        """
        _checked_id(task_id)
        _check_until(revoke_until)
        await revoke_task(await self.session(), task_id, revoke_until, revoke_once, self.now())

    async def revoke_all(
        self, task: TaskWrapper[..., Any], revoke_until: datetime | None = None, revoke_once: bool = False
    ) -> None:
        """Keep all tasks of this function from being run."""
        key = class_key(_name_of(task))
        _check_until(revoke_until)
        await write_revocation(await self.session(), key, revoke_until, revoke_once, self.now())

    async def restore(self, task: Task | Result[Any]) -> bool:
        """Take the revocation of one task back; False if there is none."""
        return await self.restore_by_id(_id_of(task))

    async def restore_by_id(self, task_id: str) -> bool:
        """Take the revocation of the task of this id back; False if there is none."""
        return await forget_revocation(await self.session(), instance_key(_checked_id(task_id)))

    async def restore_all(self, task: TaskWrapper[..., Any]) -> bool:
        """Take the revocation of this function's tasks back; False if there is none."""
        return await forget_revocation(await self.session(), class_key(_name_of(task)))

    async def is_revoked(self, task: Revocable, timestamp: datetime | None = None, peek: bool = True) -> bool:
        """Say whether a task (of an id: by itself; of a Task or Result: or its function) is revoked.

        ``timestamp``: at that moment instead of now. Without ``peek`` a revocation for once is used up, and one
        whose time is over is deleted.
        """
        if timestamp is not None and not isinstance(timestamp, datetime):
            raise HueyException(f"timestamp must be a datetime, not {timestamp!r}")
        now = self.now() if timestamp is None else aware(timestamp).timestamp()
        return await is_revoked(await self.session(), keys_of(task), now, peek)


def _check_until(until: datetime | None) -> None:
    if until is not None and not isinstance(until, datetime):
        raise HueyException(f"revoke_until must be a datetime, not {until!r}")


def _id_of(task: Task | Result[Any]) -> str:
    if isinstance(task, TaskWrapper):
        raise HueyException(f"{task!r} is a declared task, not one call of it: use its own method, or ..._all(task)")
    if isinstance(task, str):
        raise HueyException(f"{task!r} is an id, not a Task or a Result: use ..._by_id(id)")
    if not isinstance(task, (Task, Result)):
        raise HueyException(f"only a Task or a Result can be revoked and restored, not {task!r}")
    return task.id


def _name_of(task: TaskWrapper[..., Any]) -> str:
    if not isinstance(task, TaskWrapper):
        raise HueyException(f"only all calls of a declared task can be revoked and restored, not {task!r}")
    return task.name


def _checked_id(task_id: str) -> str:
    if not isinstance(task_id, str):
        raise HueyException(f"a task's id is a text, not {task_id!r}; for a Task or a Result use revoke or restore")
    return task_id
