"""Revoke and restore tasks in a storage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from hueyio.exceptions import HueyException
from hueyio.handles.result import Result
from hueyio.handles.wrapper import TaskWrapper
from hueyio.messages.revocation import STRAY_TTL, Revocation, class_key, instance_key, pick_revocation
from hueyio.storage.contract import Keys, Session
from hueyio.storage.records import State
from hueyio.tasks.task import Task, aware

__all__ = ["Revocable", "forget_revocation", "is_revoked", "keys_of", "revoke_task", "write_revocation"]

_NOT_ALIVE: Final[tuple[State, ...]] = ("stored", "dead", "gone")
Revocable = Task | Result[Any] | TaskWrapper[..., Any] | str
"""What can be asked whether it is revoked; a str is a task's id."""


def keys_of(task: Revocable) -> tuple[str, ...]:
    """Return the keys whose revocations stop this task; of an id only its own."""
    match task:
        case str():
            return (instance_key(task),)
        case TaskWrapper():
            return (class_key(task.name),)
        case Task():
            return (instance_key(task.id), class_key(task.name))
        case Result():
            return keys_of(task.id if task.task is None else task.task)
        case _:
            raise HueyException(f"only a Task, a Result, a declared task or an id can be revoked, not {task!r}")


async def write_revocation(session: Keys, key: str, until: datetime | None, once: bool, now: float) -> bytes:
    """Revoke; over what was there before. A revocation with an end is forgotten a second after it."""
    revocation = Revocation(None if until is None else aware(until).timestamp(), once)
    ttl = None if revocation.until is None else max(revocation.until - now, 0.0) + 1.0
    data = revocation.to_bytes()
    await session.put("revocations", {key: data}, ttl)
    return data


async def revoke_task(session: Session, task_id: str, until: datetime | None, once: bool, now: float) -> None:
    """Revoke one task. Where it is over already, or not yet there, nothing but time ends the revocation."""
    key = instance_key(task_id)
    data = await write_revocation(session, key, until, once, now)
    if until is None:
        # Looked up only now: a task that ends in between deletes the revocation itself.
        (found,) = await session.locate([task_id])
        if found.state in _NOT_ALIVE:
            await session.compare_extend("revocations", key, data, STRAY_TTL)


async def forget_revocation(session: Keys, key: str) -> bool:
    """Restore; False if it was not revoked."""
    return await session.delete("revocations", [key]) > 0


async def is_revoked(session: Keys, keys: Sequence[str], now: float, peek: bool) -> bool:
    """Say whether one of the keys is revoked at ``now``.

    Without ``peek`` a revocation for once is used up, and those that are over are deleted.
    """
    values = await session.peek("revocations", keys)
    picked = pick_revocation(tuple(keys), tuple(values), now)
    if peek:
        return picked is not None
    if picked is None:
        over = [key for key, value in zip(keys, values, strict=True) if value is not None]
        if over:
            await session.delete("revocations", over)
        return False
    return not picked[1].once or await forget_revocation(session, picked[0])
