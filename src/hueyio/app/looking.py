"""Questions about what is in the queue."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import get_args

from hueyio.app.base import Base
from hueyio.control.consumers import ConsumerInfo, read_consumers
from hueyio.exceptions import HueyException, SerializationError
from hueyio.messages.message import read_task
from hueyio.storage.records import Clearable, Counts, Entry
from hueyio.tasks.task import Task

__all__ = ["Looking"]

logger = logging.getLogger(__name__)


class Looking(Base):
    """Lengths and lists."""

    def __len__(self) -> int:
        raise TypeError("the length of the queue is in the storage: use `await huey.count()`")

    def __bool__(self) -> bool:
        return True

    async def count(self) -> int:
        """Return how many tasks are in the queue, ready to be run."""
        counts = await self.counts()
        return sum(counts.queued.values()) + counts.suspects

    async def counts(self) -> Counts:
        """Count everything that there is."""
        return await (await self.session()).counts()

    async def pending_count(self) -> int:
        """Do the same as ``count``."""
        return await self.count()

    async def scheduled_count(self) -> int:
        """Return how many tasks wait for their time."""
        return (await self.counts()).scheduled

    async def result_count(self) -> int:
        """Return how many results are stored and not read; nothing else is counted."""
        return (await self.counts()).results

    async def consumers(self) -> list[ConsumerInfo]:
        """List the consumers that have a live lease on this queue, in any process on any machine.

        One that died is listed until the others give it up; ``silence`` grows meanwhile.
        """
        return read_consumers(await (await self.session()).owners())

    async def pending(self, limit: int | None = None) -> list[Task]:
        """List the tasks in the queue, lane by lane in the order in which they will run.

        What cannot be read, or is not registered here, is left out and logged.
        """
        return self._read_all(await (await self.session()).scan_tasks("queued", _checked(limit)))

    async def scheduled(self, limit: int | None = None) -> list[Task]:
        """List the tasks that wait for their time, the earliest first; left out is what ``pending`` leaves out."""
        return self._read_all(await (await self.session()).scan_tasks("scheduled", _checked(limit)))

    async def all_results(self) -> dict[str, bytes]:
        """Return the stored results by the ids of their tasks, as the bytes that are stored; reads nothing away."""
        return dict(await (await self.session()).scan_keys("results"))

    async def flush(self) -> None:
        """Delete all that is stored: queue, schedule, dead letters, results, values, revocations and locks.

        What a consumer holds is left alone. Waiters of what is deleted get None.
        """
        await (await self.session()).clear(get_args(Clearable))

    def _read_all(self, entries: Sequence[Entry]) -> list[Task]:
        tasks = [self._read(entry) for entry in entries]
        return [task for task in tasks if task is not None]

    def _read(self, entry: Entry) -> Task | None:
        try:
            task = read_task(entry.data, self.serializer)
        except SerializationError as error:
            logger.warning("left out of the list, it cannot be read: %s, task %s", error, entry.header.id)
            return None
        spec = self.registry.get(task.name)
        if spec is None:
            logger.warning("left out of the list, it is not registered here: %s, task %s", task.name, task.id)
            return None
        task.settings = spec.options.settings
        return task


def _checked(limit: int | None) -> int | None:
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        raise HueyException(f"limit must be a whole number of at least 0, or None for all, not {limit!r}")
    return limit
