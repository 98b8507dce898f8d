"""The places of one lane where jobs run, and the jobs that wait for one.

Theory of operation. Each slot is a coroutine that serves one job after another. One whose body only waits for other
tasks does not count (see ``execution.lending``): ``_active`` are the others, at most ``size``. A body that goes on asks
for a slot. Those who ask are served before any job, by the next slot that is free: it ends in their favour. A body that
insists, because it was cancelled, may make it one too many; then the next slots that are free end and are not replaced.
``_leaves`` tells a free slot in one look whether it has to end.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Final, cast

from hueyio.execution.job import Job
from hueyio.execution.lending import PLACE, Place
from hueyio.storage.records import Lane
from hueyio.storage.shared.background import make_task

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
        on_lent: Callable[[Place, bool], None] | None = None,
    ) -> None:
        """``on_lent`` hears of each place whether it is lent now; None: nobody lends a slot here."""
        self.lane = lane
        self.size = size
        self._run = run
        self._rescue = rescue
        self._on_lent = on_lent
        self._context = copy_context()
        self._jobs: deque[Job] = deque()
        self._idle: deque[asyncio.Future[None]] = deque()
        self._places: dict[asyncio.Task[None], Place] = {}
        self._asking: dict[Place, asyncio.Future[None]] = {}
        self._active = 0
        self._leaves = False
        self._closing = False

    def put(self, job: Job) -> None:
        """Let the next free slot run this job; slots are started when they are first needed."""
        self._jobs.append(job)
        if not self._wake_idle() and self._active < self.size:
            self._start()

    @property
    def free(self) -> int:
        """How many more jobs could run now."""
        return max(self.size - self.busy, 0)

    @property
    def busy(self) -> int:
        """How many slots run a job, but for those that are lent."""
        return self._active - len(self._idle)

    def lend(self, place: Place) -> None:
        """Let another job run in the place's stead."""
        self._active -= 1
        self._tell_lent(place, True)
        self._fill()

    def ask(self, place: Place) -> asyncio.Future[None] | None:
        """Ask for a slot; None: the place has one again. Else it has one when the future is done."""
        if self._active < self.size and not self._asking:
            self.insist(place)
            return None
        future = self._asking[place] = asyncio.get_running_loop().create_future()
        self._look()
        self._wake_idle()
        return future

    def insist(self, place: Place) -> None:
        """Have a slot again at once, even if there is none."""
        self._asking.pop(place, None)
        self._active += 1
        self._tell_lent(place, False)
        self._look()
        if self._leaves:
            self._wake_idle()

    def _tell_lent(self, place: Place, is_lent: bool) -> None:
        if self._on_lent is not None:
            self._on_lent(place, is_lent)

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        place = Place(loop, self)
        # Whoever needs it may be a body, whose context is not for the next one.
        context = self._context.copy()
        task = make_task(self._serve(place), name=f"hueyio-{self.lane}-slot", context=context)
        self._active += 1
        self._places[task] = place
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._places.pop(task).clear()  # it counts again, if it did not
        self._active -= 1
        self._fill()

    def _fill(self) -> None:
        """Give what is free to those who ask for it, then to jobs: whatever ended a slot, they must run."""
        while self._asking and self._active < self.size:
            place = next(iter(self._asking))
            future = self._asking[place]
            self.insist(place)
            future.set_result(None)
        self._look()
        if not self._closing:
            for _ in range(min(len(self._jobs) - len(self._idle), self.size - self._active)):
                self._start()

    def _look(self) -> None:
        self._leaves = self._closing or bool(self._asking) or self._active > self.size

    def _wake_idle(self) -> bool:
        while self._idle:
            waiter = self._idle.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return True
        return False

    def hold(self) -> None:
        """Start nothing more, from this moment on."""
        self._closing = True
        self._look()

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
        if self._places:
            await asyncio.wait(self._places, timeout=timeout)
        return not self._places

    @property
    def occupied(self) -> int:
        """How many have not ended: they run a job, or wait for one."""
        return len(self._places)

    def cancel(self) -> None:
        """Cancel what runs."""
        for task in tuple(self._places):
            task.cancel()

    async def _serve(self, place: Place) -> None:
        own_task = cast("asyncio.Task[None]", asyncio.current_task())
        if self._on_lent is not None:
            PLACE.set(place)
        in_a_row = 0
        while not self._leaves:
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
            place.task = job.task
            try:
                await self._run(job, own_task)
            except Exception as error:  # of ours, or of what the user's code made of it
                self._rescue(job, error)
            place.task = None
            if place.is_touched:
                place.clear()
