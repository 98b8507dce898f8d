"""Drive the queue by hand: claim, execute and schedule single tasks, at a time that the caller says."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from hueyio.app.enqueueing import Enqueueing
from hueyio.consumer.driver import Driver
from hueyio.exceptions import HueyException
from hueyio.messages.entry import make_entry
from hueyio.messages.message import read_task, write_task
from hueyio.signals import SIGNAL_SCHEDULED
from hueyio.tasks.task import Task, aware

__all__ = ["Driving"]


class Driving(Enqueueing):
    """For tests and scripts; a consumer does all this by itself.

    A ``timestamp`` is the time that counts as now; a naive one is local time, None is the clock's.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._drivers: WeakKeyDictionary[asyncio.AbstractEventLoop, Driver] = WeakKeyDictionary()

    async def dequeue(self) -> Task | None:
        """Claim the next task, lane by lane; None if the queue is empty.

        It is held under a lease until ``execute`` has ended it. What cannot be read becomes a dead letter, what is not
        registered here is put off, and the next is taken.
        """
        return await (await self._driver()).dequeue()

    async def execute(self, task: Task, timestamp: datetime | None = None) -> Any:
        """Do with a dequeued task all that a consumer does; return the value of its body.

        None if it was not run: because its eta is later than ``timestamp`` (then it goes to the schedule), or it is
        revoked or expired. None also if it failed: the error is in its result. Raises HueyException if the task was
        not dequeued by this Huey in this loop.
        """
        if not isinstance(task, Task):
            raise HueyException(f"only a Task that dequeue() returned can be executed, not {task!r}")
        return await (await self._driver()).execute(task, _seconds(timestamp))

    async def add_schedule(self, task: Task) -> None:
        """Put a task into the schedule, also one that was dequeued. It needs an ``eta``, which may have passed."""
        if not isinstance(task, Task) or task.eta is None:
            raise HueyException(f"only a Task with an eta can be scheduled, as add.s(1, 2, delay=60) is, not {task!r}")
        driver = await self._driver()
        if driver.holds(task):
            await driver.put_off(task)
            return
        self.prepare(task)
        entry = make_entry(task, self.registry, self.serializer, float("-inf"))
        await driver.session.enqueue([entry])
        await self.signals.send(SIGNAL_SCHEDULED, task)

    async def read_schedule(self, timestamp: datetime | None = None) -> list[Task]:
        """Move what is due at ``timestamp`` to the queue; return these tasks, the earliest first."""
        now = self.now() if timestamp is None else aware(timestamp).timestamp()
        session = await self.session()
        due = [entry for entry in await session.scan_tasks("scheduled") if (entry.header.eta or 0.0) <= now]
        while (await session.promote(now, 1000)).moved >= 1000:
            pass
        return [read_task(entry.data, self.serializer) for entry in due]

    def ready_to_run(self, task: Task, timestamp: datetime | None = None) -> bool:
        """Say whether the task's eta, if it has one, has come."""
        now = self.now() if timestamp is None else aware(timestamp).timestamp()
        return task.eta is None or task.eta.timestamp() <= now

    def serialize_task(self, task: Task) -> bytes:
        """Return a task as the bytes of its message; raises UnknownTaskError if it is not registered here."""
        self.registry.find(task.name)
        return write_task(task, self.serializer)

    def deserialize_task(self, data: bytes) -> Task:
        """Return the task of a message; raises SerializationError, or UnknownTaskError if it is not registered."""
        task = read_task(data, self.serializer)
        task.settings = self.registry.find(task.name).options.settings
        return task

    async def close(self) -> None:
        """Close the running loop's session, after giving back what was dequeued in it; the next use opens another."""
        driver = None if self._is_in_body() else self._drivers.pop(asyncio.get_running_loop(), None)
        if driver is not None:
            await driver.close()
        await super().close()

    async def _driver(self) -> Driver:
        session = await self.session()
        loop = asyncio.get_running_loop()
        driver = self._drivers.get(loop)
        if driver is None or driver.session is not session:
            for ended in [known for known in self._drivers if known.is_closed()]:
                del self._drivers[ended]
            driver = self._drivers[loop] = Driver(self, session)
        return driver


def _seconds(timestamp: datetime | None) -> float | None:
    if timestamp is None:
        return None
    if not isinstance(timestamp, datetime):
        raise HueyException(f"timestamp must be a datetime, not {timestamp!r}")
    return aware(timestamp).timestamp()
