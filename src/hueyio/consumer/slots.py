"""The places of one lane where jobs run, and the jobs that wait for one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, cast

from hueyio.execution.job import Job
from hueyio.storage.records import Lane

__all__ = ["Slots"]

_MOST_IN_A_ROW: Final = 50


class Slots:
    """``size`` coroutines that take jobs from one queue, first come, first served.

    They are tasks of their own, outside any group: a body that swallows its cancellation must not hold up the stop
    of all the others. ``rescue`` ends a job whose run raised: an error of ours must not keep it for ever.
    """

    def __init__(
        self,
        lane: Lane,
        size: int,
        run: Callable[[Job, asyncio.Task[None]], Awaitable[None]],
        rescue: Callable[[Job, Exception], None],
    ) -> None:
        self.lane = lane
        self.size = size
        self._run = run
        self._rescue = rescue
        self._jobs: deque[Job] = deque()
        self._idle: deque[asyncio.Future[None]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def put(self, job: Job) -> None:
        """Let the next free slot run this job; slots are started when they are first needed."""
        self._jobs.append(job)
        while self._idle:
            waiter = self._idle.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        if len(self._tasks) < self.size:
            self._start()

    def _start(self) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(), name=f"hueyio-{self.lane}-slot")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._jobs and not self._closing:
            self._start()  # whatever ended it, those that wait behind it must run

    def hold(self) -> None:
        """Start nothing more, from this moment on."""
        self._closing = True

    def close(self) -> list[Job]:
        """Start nothing more; return the jobs that were not started."""
        self.hold()
        unstarted = self.take_unstarted()
        for waiter in self._idle:
            if not waiter.done():
                waiter.set_result(None)
        return unstarted

    def take_unstarted(self) -> list[Job]:
        """Return the jobs that wait, and forget them."""
        unstarted = list(self._jobs)
        self._jobs.clear()
        return unstarted

    async def wait_closed(self, timeout: float) -> bool:
        """Wait until all running jobs ended; False if some are left after ``timeout`` seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout)
        return not self._tasks

    @property
    def occupied(self) -> int:
        """How many have not ended: they run a job, or wait for one."""
        return len(self._tasks)

    def cancel(self) -> None:
        """Cancel what runs."""
        for task in self._tasks:
            task.cancel()

    async def _serve(self) -> None:
        own_task = cast("asyncio.Task[None]", asyncio.current_task())
        in_a_row = 0
        while not self._closing:
            in_a_row += 1
            if in_a_row > _MOST_IN_A_ROW:
                # Bodies that never wait would keep everybody else from the loop.
                in_a_row = 0
                await asyncio.sleep(0)
                continue
            if not self._jobs:
                in_a_row = 0
                waiter = asyncio.get_running_loop().create_future()
                self._idle.append(waiter)
                await waiter
                continue
            job = self._jobs.popleft()
            try:
                await self._run(job, own_task)
            except Exception as error:  # of ours, or of what the user's code made of it
                self._rescue(job, error)
