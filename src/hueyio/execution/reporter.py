"""Take the progress that bodies report to the storage, from any thread."""

from __future__ import annotations

import asyncio
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Final

from hueyio.core import Core
from hueyio.exceptions import HueyException
from hueyio.storage.records import Receipt
from hueyio.tasks.progress import Progress, write_progress

__all__ = ["Reporter"]

_LONGEST_WAIT: Final = 30.0
"""Seconds that a thread waits for the loop; one that was abandoned by a consumer that ended must not wait for ever."""


class Reporter:
    """The way of all attempts' progress, fenced by their receipts. Made in the consumer's loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
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

    async def _write(self, receipt: Receipt, progress: Progress) -> bool:
        data = write_progress(progress, self._core.serializer.within("progress", receipt.id))
        return await (await self._core.session()).report(receipt, data)


def _is_running(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
