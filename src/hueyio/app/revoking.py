"""Keep tasks from being run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hueyio.app.base import Base
from hueyio.result import Result
from hueyio.revocation import class_key, instance_key
from hueyio.revoke import Revocable, forget_revocation, is_revoked, keys_of, write_revocation
from hueyio.task import Task, aware
from hueyio.wrapper import TaskWrapper

__all__ = ["Revoking"]


class Revoking(Base):
    """Revoke and restore."""

    async def revoke(
        self, task: Task | Result[Any], revoke_until: datetime | None = None, revoke_once: bool = False
    ) -> None:
        """Keep one task from being run."""
        await self.revoke_by_id(task.id, revoke_until, revoke_once)

    async def revoke_by_id(self, task_id: str, revoke_until: datetime | None = None, revoke_once: bool = False) -> None:
        """Keep the task of this id from being run."""
        await self._revoke(instance_key(task_id), revoke_until, revoke_once)

    async def revoke_all(
        self, task: TaskWrapper[..., Any], revoke_until: datetime | None = None, revoke_once: bool = False
    ) -> None:
        """Keep all tasks of this function from being run."""
        await self._revoke(class_key(task.name), revoke_until, revoke_once)

    async def restore(self, task: Task | Result[Any]) -> bool:
        """Take the revocation of one task back; False if there is none."""
        return await self.restore_by_id(task.id)

    async def restore_by_id(self, task_id: str) -> bool:
        """Take the revocation of the task of this id back; False if there is none."""
        return await forget_revocation(await self.session(), instance_key(task_id))

    async def restore_all(self, task: TaskWrapper[..., Any]) -> bool:
        """Take the revocation of this function's tasks back; False if there is none."""
        return await forget_revocation(await self.session(), class_key(task.name))

    async def is_revoked(self, task: Revocable, timestamp: datetime | None = None, peek: bool = True) -> bool:
        """Say whether a task (of an id: by itself; of a Task or Result: or its function) is revoked.

        ``timestamp``: at that moment instead of now. Without ``peek`` a revocation for once is used up.
        """
        now = self.now() if timestamp is None else aware(timestamp).timestamp()
        return await is_revoked(await self.session(), keys_of(task), now, peek)

    async def _revoke(self, key: str, until: datetime | None, once: bool) -> None:
        await write_revocation(await self.session(), key, until, once, self.now())
