"""What can be cancelled, revoked and restored: one call of a task, by any form of its handle, or all of its calls."""

from __future__ import annotations

from typing import Any, TypeAlias

from hueyio.exceptions import HueyException
from hueyio.handles.result import Result
from hueyio.handles.result import keys_of as keys_of_one
from hueyio.handles.sync_result import SyncResult
from hueyio.handles.sync_task import SyncTask
from hueyio.handles.wrapper import TaskWrapper
from hueyio.messages.revocation import class_key, instance_key
from hueyio.storage.texts import check_text
from hueyio.tasks.task import Task

__all__ = ["AnyResult", "AnyTask", "Revocable", "checked_id", "id_of", "keys_of", "path_of"]

AnyResult: TypeAlias = Result[Any] | SyncResult[Any]
"""A handle on the result of one call: the coroutine form or the blocking one."""

AnyTask: TypeAlias = TaskWrapper[..., Any] | SyncTask[..., Any]
"""A declared task, in either form."""

Revocable: TypeAlias = Task | AnyResult | AnyTask | str
"""What can be asked whether it is revoked; a str is a task's id."""


def id_of(task: Task | AnyResult) -> str:
    """Return the id of one call; raises HueyException."""
    if isinstance(task, (TaskWrapper, SyncTask)):
        raise HueyException(f"{task!r} is a declared task, not one call of it: use its own method, or ..._all(task)")
    if isinstance(task, str):
        raise HueyException(f"{task!r} is an id, not a Task or a Result: use ..._by_id(id)")
    if not isinstance(task, (Task, Result, SyncResult)):
        raise HueyException(f"only a Task or a Result can be revoked and restored, not {task!r}")
    return task.id


def path_of(task: AnyTask) -> str:
    """Return the path of a declared task; raises HueyException."""
    if not isinstance(task, (TaskWrapper, SyncTask)):
        raise HueyException(f"only all calls of a declared task can be revoked and restored, not {task!r}")
    return task.path


def keys_of(task: Revocable) -> tuple[str, ...]:
    """Return the keys of the revocations that stop it; raises HueyException."""
    match task:
        case str():
            return (instance_key(checked_id(task)),)
        case TaskWrapper() | SyncTask():
            return (class_key(task.path),)
        case SyncResult():
            return keys_of_one(task.aio)
        case Task() | Result():
            return keys_of_one(task)
        case _:
            raise HueyException(f"only a Task, a Result, a declared task or an id can be revoked, not {task!r}")


def checked_id(task_id: str) -> str:
    """Return an id; raises HueyException for what cannot be one."""
    if not isinstance(task_id, str):
        raise HueyException(f"a task's id is a text, not {task_id!r}; for a Task or a Result use revoke or restore")
    return check_text("the id", task_id, HueyException)
