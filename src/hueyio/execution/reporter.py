"""What bodies ask of whoever runs them, from any thread: to keep their progress, and transactions of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Final

from hueyio.core import Core
from hueyio.exceptions import ConfigurationError, HueyException
from hueyio.execution.body_transaction import BlockingBodyTransaction, BodyTransaction
from hueyio.execution.job import Job
from hueyio.storage.contract import Completing
from hueyio.storage.records import Receipt
from hueyio.tasks.progress import Progress, write_progress
from hueyio.tasks.task import Task

__all__ = ["Reporter"]

_LONGEST_WAIT: Final = 30.0
"""Seconds that a thread waits for the loop; one that was abandoned by a consumer that ended must not wait for ever."""


class Reporter:
    """For all attempts of one runner, fenced by their receipts. Made in the consumer's loop.

    ``find`` returns the job of an id, while that is held; ``lease`` is in seconds.
    """

    def __init__(self, core: Core, find: Callable[[str], Job | None], lease: float) -> None:
        self._core = core
        self._find = find
        self._seconds = lease / 2
        self._loop = asyncio.get_running_loop()

    async def report(self, receipt: Receipt, progress: Progress) -> bool:
        """Keep the progress; False if the attempt is not in force any more."""
        if asyncio.get_running_loop() is self._loop:
            return await self._write(receipt, progress)
        writing = self._write(receipt, progress)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(writing, self._loop))

    def report_blocking(self, receipt: Receipt, progress: Progress) -> bool:
        """Do the same from a thread that runs no loop, or another."""
        if _is_running(self._loop):
            raise HueyException("progress_sync() would block the loop it waits for: use `await task.progress(...)`")
        writing = self._write(receipt, progress)
        try:
            future = asyncio.run_coroutine_threadsafe(writing, self._loop)
        except RuntimeError:  # the consumer's loop is closed, this thread was left behind
            writing.close()
            return False
        try:
            return future.result(_LONGEST_WAIT)
        except FutureTimeout:
            future.cancel()
            return False

    def transaction(self, task: Task) -> BodyTransaction:
        """Make the transaction of a coroutine's attempt; raises HueyException where that cannot be."""
        storage, job = self._joined(task)
        if not _is_running(self._loop):
            raise HueyException(
                "task.transaction() is for a coroutine on the consumer's loop: use `with task.sync.transaction()` here"
            )
        return BodyTransaction(self._core, job, storage, self._seconds)

    def blocking_transaction(self, task: Task) -> BlockingBodyTransaction:
        """Do the same for a thread."""
        storage, job = self._joined(task)
        if _is_running(self._loop):
            raise HueyException(
                "task.sync.transaction() would block the consumer's loop: use `async with task.transaction()`, "
                "or let the task run in a thread"
            )
        return BlockingBodyTransaction(self._core, job, storage, self._seconds)

    def _joined(self, task: Task) -> tuple[Completing, Job]:
        core, storage, job = self._core, self._core.storage, self._find(task.id)
        if core.immediate:
            raise HueyException(
                "transaction() ends a task in the queue, and in immediate mode none is there: test it with a consumer"
            )
        if not isinstance(storage, Completing):
            raise ConfigurationError(
                f"{core.kind} keeps its tasks where your transactions do not reach; SqliteHuey and PostgresHuey have it"
            )
        if job is None or job.task is not task:
            raise HueyException(
                f"transaction() is for the body of {task!r} while it runs, and it does not run here now"
            )
        return storage, job

    async def _write(self, receipt: Receipt, progress: Progress) -> bool:
        data = write_progress(progress, self._core.serializer.within("progress", receipt.id))
        return await (await self._core.session()).report(receipt, data)


def _is_running(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
