"""Enqueue calls, and give handles on their results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hueyio.app.revoking import Revoking
from hueyio.entries import make_entry
from hueyio.exceptions import ConfigurationError, HueyException
from hueyio.result import Result, ResultGroup
from hueyio.signals import SIGNAL_ENQUEUED, SIGNAL_SCHEDULED
from hueyio.spec import check_settings
from hueyio.storage.records import Entry
from hueyio.task import Task

__all__ = ["Enqueueing"]


class Enqueueing(Revoking):
    """From a Task to the storage."""

    def prepare(self, task: Task) -> Entry:
        """Check a task and encode it, without I/O.

        Raises UnknownTaskError, TaskArgumentError, or NotImplementedError for a priority that the storage cannot
        keep.
        """
        if not isinstance(task, Task):
            raise HueyException(f"only a Task can be enqueued, such as add.s(1, 2), not {task!r}")
        self.registry.find(task.name).check_call(task.args, task.kwargs)
        for stage in task.stages():
            self._check(stage)
        return make_entry(task, self.registry, self.serializer, self.now())

    async def send(self, task: Task, entry: Entry) -> Any:
        """Write a prepared task; return its Result (None without results), of a pipeline the ResultGroup."""
        if self._immediate:
            await self._runner.run(task)
        else:
            session = await self.session()
            await session.enqueue([entry])
            await self._tell_enqueued([task], [entry])
        return self._handle_on(task)

    async def enqueue(self, task: Task) -> Any:
        """Enqueue a task; return its Result, of a pipeline the ResultGroup of all stages, None without results."""
        return await self.send(task, self.prepare(task))

    async def enqueue_many(self, tasks: Iterable[Task]) -> Any:
        """Enqueue many tasks in one write; return their ResultGroup (for a pipeline the Result of its last stage)."""
        tasks = list(tasks)
        entries = [self.prepare(task) for task in tasks]
        if self._immediate:
            for task in tasks:
                await self._runner.run(task)
        elif entries:
            session = await self.session()
            await session.enqueue(entries)
            await self._tell_enqueued(tasks, entries)
        if not self.rules.results:
            return None
        return ResultGroup([Result(self, list(task.stages())[-1]) for task in tasks])

    def result_of(self, task_id: str) -> Result[Any]:
        """Return a handle on the result of a task whose id is known."""
        return Result(self, task_id)

    async def result(self, id: str, blocking: bool = False, timeout: float | None = None, **options: Any) -> Any:
        """Read the result of a task whose id is known; see ``Result.get``."""
        return await Result[Any](self, id).get(blocking, timeout, **options)

    def _check(self, stage: Task) -> None:
        self.registry.find(stage.name)
        if not isinstance(stage.id, str) or not stage.id:
            raise ConfigurationError(f"task {stage.name}: an id must be a text that is not empty, not {stage.id!r}")
        if stage.priority is not None or stage.timeout is not None or stage.retries or stage.retry_delay:
            check_settings(
                retries=stage.retries,
                retry_delay=stage.retry_delay,
                retry_backoff=stage.retry_backoff,
                timeout=stage.timeout,
                priority=stage.priority,
            )
        if stage.priority and not self.storage.capabilities.priorities:
            raise NotImplementedError(
                f"task {stage.name}: priority={stage.priority!r}, but {type(self).__name__} keeps a plain list; "
                "PriorityRedisHuey has priorities"
            )
        if stage.on_error is not None:
            self._check(stage.on_error)

    def _handle_on(self, task: Task) -> Any:
        if not self.rules.results:
            return None
        if task.on_complete is None:
            return Result[Any](self, task)
        return ResultGroup([Result[Any](self, stage) for stage in task.stages()])

    async def _tell_enqueued(self, tasks: Sequence[Task], entries: Sequence[Entry]) -> None:
        if not self.signals:
            return
        for task, entry in zip(tasks, entries, strict=True):
            await self.signals.send(SIGNAL_ENQUEUED if entry.header.eta is None else SIGNAL_SCHEDULED, task)
