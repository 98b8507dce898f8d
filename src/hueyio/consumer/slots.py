"""The places of one lane where jobs run, and the jobs that wait for one.

Theory of operation. Each slot is a coroutine that serves one job after another. One whose body only waits for other
tasks does not count (see ``execution.lending``): ``_active`` are the others, at most ``size``. A body that goes on asks
for a slot. Those who ask are served before any job, by the next slot that is free: it ends in their favour. A body that
insists, because it was cancelled, may make it one too many; then the next slots that are free end and are not replaced.
``_leaves`` tells a free slot in one look whether it has to end.

Slots are woken gently: one, then, whenever those that were woken have begun and jobs are left, as many more as are
busy. So bodies that wait soon have all slots, and bodies that do not wait are run by a few, which are not woken for
each. Where a body cannot run at once, because it needs a process, each job wakes a slot.

A slot of threads may go on with the next job in its thread, without the loop (see ``execution.thread_lane``). ``take``
and ``begun`` are for that, and ``_lock`` guards what they share with the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
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
        *,
        gently: bool = True,
        begins_at_once: bool = True,
    ) -> None:
        """``on_lent`` hears of each place whether it is lent now; None: nobody lends a slot here.

        ``begins_at_once``: a body has begun when its slot has taken it; otherwise ``run`` says when, by ``begun``.
        """
        self.lane = lane
        self.size = size
        self._run = run
        self._rescue = rescue
        self._on_lent = on_lent
        self._context = copy_context()
        self._lock = threading.Lock()
        self._jobs: deque[Job] = deque()
        self._gently = gently
        self._begins_at_once = begins_at_once
        self._beginning: set[asyncio.Task[None]] = set()
        """The slots that were woken gently, and have not begun."""
        self._idle: deque[tuple[asyncio.Future[None], asyncio.Task[None]]] = deque()
        self._places: dict[asyncio.Task[None], Place] = {}
        self._asking: dict[Place, asyncio.Future[None]] = {}
        self._active = 0
        self._leaves = False
        self._closing = False

    def put(self, job: Job) -> None:
        """Let the next free slot run this job; slots are started when they are first needed."""
        with self._lock:
            self._jobs.append(job)
            if self._beginning:
                return  # when that one has begun, it looks for what is left
        self._wake()

    def take(self, may: Callable[[Job], bool]) -> Job | None:
        """Return the next job if it may be run where this is called, in any thread; None: that slot is to end there."""
        with self._lock:
            if self._leaves or not self._jobs or not may(self._jobs[0]):
                return None
            return self._jobs.popleft()

    def put_back(self, jobs: Sequence[Job]) -> list[Job]:
        """Let jobs that were taken and not begun be the next ones; return those for which it is too late."""
        with self._lock:
            if self._closing:
                return list(jobs)
            self._jobs.extendleft(reversed(jobs))
            if self._beginning:
                return []
        self.wake_more()
        return []

    def begun(self, slot: asyncio.Task[None]) -> bool:
        """Note, in any thread, that a slot that was woken has begun; True: the loop is to call ``wake_more``."""
        if slot not in self._beginning:
            return False
        with self._lock:
            self._beginning.discard(slot)
            return bool(self._jobs) and not self._beginning

    def wake_more(self) -> None:
        """Wake slots for what is left; gently as many as are busy, so that all are awake soon, and few for nothing."""
        most = max(self.busy, 1) if self._gently else self.size
        for _ in range(min(len(self._jobs), most)):
            if not self._wake():
                return

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
        if self._gently:
            self._beginning.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._places.pop(task).clear()  # it counts again, if it did not
        self._active -= 1
        self._beginning.discard(task)
        self._fill()

    def _fill(self) -> None:
        """Give what is free to those who ask for it, then to jobs: whatever ended a slot, they must run."""
        while self._asking and self._active < self.size:
            place = next(iter(self._asking))
            future = self._asking[place]
            self.insist(place)
            future.set_result(None)
        self._look()
        if self._closing:
            return
        if self._gently:
            if not self._beginning:
                self.wake_more()
            return
        for _ in range(min(len(self._jobs) - len(self._idle), self.size - self._active)):
            self._start()

    def _look(self) -> None:
        self._leaves = self._closing or bool(self._asking) or self._active > self.size

    def _wake(self) -> bool:
        """Have one more slot look for a job, if there is one."""
        if self._wake_idle():
            return True
        if self._active >= self.size:
            return False
        self._start()
        return True

    def _wake_idle(self) -> bool:
        while self._idle:
            waiter, slot = self._idle.popleft()
            if not waiter.done():
                waiter.set_result(None)
                if self._gently:
                    self._beginning.add(slot)
                return True
        return False

    def hold(self) -> None:
        """Start nothing more, from this moment on."""
        with self._lock:
            self._closing = True
            self._look()

    def close(self) -> list[Job]:
        """Start nothing more; return the jobs that were not started."""
        self.hold()
        unstarted = self.take_unstarted()
        for waiter, _ in self._idle:
            if not waiter.done():
                waiter.set_result(None)
        return unstarted

    def take_unstarted(self) -> list[Job]:
        """Return the jobs that wait, and forget them."""
        with self._lock:
            unstarted = list(self._jobs)
            self._jobs.clear()
        return unstarted

    def take_last(self, count: int) -> list[Job]:
        """Return at most so many of the jobs that wait, the last one first, and forget them."""
        with self._lock:
            return [self._jobs.pop() for _ in range(min(count, len(self._jobs)))]

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
            try:
                job = self._jobs.popleft()
            except IndexError:
                in_a_row = 0
                waiter = asyncio.get_running_loop().create_future()
                self._beginning.discard(own_task)
                self._idle.append((waiter, own_task))
                await waiter
                continue
            if own_task in self._beginning and self._begins_at_once and self.begun(own_task):
                self.wake_more()
            place.task = job.task
            try:
                await self._run(job, own_task)
            except Exception as error:  # of ours, or of what the user's code made of it
                self._rescue(job, error)
            place.task = None
            del job  # it may have large arguments, and a slot may rest for long
            if place.is_touched:
                place.clear()
