"""Questions about what is in the queue."""

from __future__ import annotations

from collections.abc import Sequence

from hueyio.app.base import Base
from hueyio.exceptions import SerializationError
from hueyio.message import read_task
from hueyio.storage.records import Counts, Entry
from hueyio.task import Task

__all__ = ["Looking"]


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

    async def pending(self, limit: int | None = None) -> list[Task]:
        """List the tasks in the queue, lane by lane in the order in which they will run."""
        return self._read_all(await (await self.session()).scan_tasks("queued", limit))

    async def scheduled(self, limit: int | None = None) -> list[Task]:
        """List the tasks that wait for their time, the earliest first."""
        return self._read_all(await (await self.session()).scan_tasks("scheduled", limit))

    def _read_all(self, entries: Sequence[Entry]) -> list[Task]:
        tasks = [self._read(entry.data) for entry in entries]
        return [task for task in tasks if task is not None]

    def _read(self, data: bytes) -> Task | None:
        try:
            return read_task(data, self.serializer)
        except SerializationError:
            return None
