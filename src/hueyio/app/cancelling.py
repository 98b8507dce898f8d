"""Cancel tasks, queued, scheduled or running."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from hueyio.app.base import Base
from hueyio.control.cancel import Canceller
from hueyio.exceptions import HueyException
from hueyio.handles.result import Result
from hueyio.tasks.task import Task

__all__ = ["Cancelling"]


class Cancelling(Base):
    """End tasks from outside."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._cancellers: WeakKeyDictionary[asyncio.AbstractEventLoop, Canceller] = WeakKeyDictionary()

    async def cancel(self, task: Task | Result[Any] | str) -> bool:
        """Cancel a task wherever it is; False if it was over already.

        One that is queued, scheduled or waits for its retry never runs (again). A running coroutine is cancelled in its
        consumer, in whatever process; a running function in a thread is let go, and told by ``task.check_timeout()``.
        Waiters get TaskCancelled. A later stage of a pipeline is cancelled by cancelling the one before it.
        Returns when the storage knows of it, not when the body has ended.
        """
        (alive,) = await (await self._canceller()).cancel([_id_of(task)])
        return alive

    async def _canceller(self) -> Canceller:
        session = await self.session()
        loop = asyncio.get_running_loop()
        canceller = self._cancellers.get(loop)
        if canceller is None or canceller.session is not session:
            for ended in [known for known in self._cancellers if known.is_closed()]:
                del self._cancellers[ended]
            canceller = self._cancellers[loop] = Canceller(self, session)
        return canceller


def _id_of(task: Any) -> str:
    id = task.id if isinstance(task, Task | Result) else task
    if not isinstance(id, str) or not id:
        raise HueyException(f"only a Task, a Result or the id of a task can be cancelled, not {task!r}")
    return id
