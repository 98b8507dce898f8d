"""Run the jobs of the thread lane, several one after another in one visit of a thread.

Theory of operation. A hop to a thread and back costs more than a short body. So a slot that has a *plain* job gives a
thread a ``_Visit``: the thread runs the job, and takes the next plain one from the lane by itself, until there is none,
or the slot has to end. The slot counts as busy all the while, and each thread takes one job at a time, so that as many
bodies run as there are slots, and no job waits behind a long one while a slot is free. Outcomes go to the loop as they
come (see ``ended_jobs``).

A job is plain if nothing has to be done on the loop before its body or while it runs (see ``plain``). All others are
run one by one, by the ``Runner``.

Whoever cancels a slot means the job that its thread runs now, or one that has ended meanwhile, or the slot.
``_current`` says which job runs; it changes under the visit's lock alone. A body cannot be ended: its thread is left
behind with it, and takes no further job.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context, copy_context
from typing import Any, Protocol

from hueyio.core import Core
from hueyio.execution.context import running
from hueyio.execution.ended_jobs import EndedJobs
from hueyio.execution.executor import Executor
from hueyio.execution.job import Job
from hueyio.execution.lending import PLACE, Place
from hueyio.execution.outcome import Cancelled, Outcome, Succeeded
from hueyio.execution.plain import is_plain
from hueyio.execution.runner import Runner
from hueyio.loops.serving import serve_loop
from hueyio.loops.threads import run_in
from hueyio.named_tuple import NamedTuple
from hueyio.storage.shared.threaded import tell
from hueyio.tasks.declared import TaskSpec

__all__ = ["ThreadLane", "WaitingJobs"]


class WaitingJobs(Protocol):
    """The jobs of the lane that wait for a slot."""

    def take(self, may: Callable[[Job], bool]) -> Job | None:
        """Return the next job if it may be run where this is called, in any thread; None: that slot is to end there."""
        ...

    def put_back(self, jobs: Sequence[Job]) -> list[Job]:
        """Let jobs that were taken and not begun be the next ones; return those for which it is too late."""
        ...

    def begun(self, slot: asyncio.Task[None]) -> bool:
        """Note, in any thread, that a slot that was woken has begun; True: the loop is to call ``wake_more``."""
        ...

    def wake_more(self) -> None:
        """Wake slots for what is left."""
        ...


class ThreadLane:
    """Runs what the slots of the thread lane have taken; made on the loop of the consumer."""

    def __init__(
        self, core: Core, executor: Executor, runner: Runner, ended: EndedJobs, waiting: Callable[[], WaitingJobs]
    ) -> None:
        self.core = core
        self.executor = executor
        self.runner = runner
        self.ended = ended
        self.waiting = waiting
        self._returns_coroutines: set[TaskSpec] = set()
        """Functions that turned out to be coroutine functions below their decorators."""

    async def run(self, job: Job, slot: asyncio.Task[None]) -> None:
        """Run the job in this slot, and others after it; returns when the slot is free again."""
        if not self.is_plain(job):
            waiting = self.waiting()
            if waiting.begun(slot):
                waiting.wake_more()
            await self.runner.run(job, slot)
            return
        self.runner.enter_slot()
        visit = _Visit(self, job, slot)
        try:
            self.executor.threads.submit(visit)
        except RuntimeError as error:  # there is no thread, and the system has none
            self.runner.end(job, self.executor.outcome_of(job.spec, job.task, error))
            return
        await self._attend(visit, slot)
        if visit.unfinished is not None:
            await self._finish(visit.unfinished, slot)

    def is_plain(self, job: Job) -> bool:
        """Say whether the job can be run without the loop; in any thread."""
        return is_plain(self.core, job) and job.spec not in self._returns_coroutines

    async def _finish(self, body: _Unfinished, slot: asyncio.Task[None]) -> None:
        """Run what a decorator had hidden: that the function is a coroutine function."""
        self._returns_coroutines.add(body.job.spec)
        if body.job.cancelled or body.job.lost:
            body.coroutine.close()
            self.runner.cut_off(body.job)
        else:
            await self.runner.run_rest(body.job, slot, run_in(body.context, body.coroutine))

    async def _attend(self, visit: _Visit, slot: asyncio.Task[None]) -> None:
        """Wait until the visit is over, or a cancellation of the slot has parted it from its thread."""
        while not visit.is_over:
            try:
                await visit.wait()
            except asyncio.CancelledError:
                is_stopping = self.runner.is_stopping
                job = visit.leave(is_stopping)
                self.ended.take_all()
                if job is not None:
                    self.runner.cut_off(job)
                if is_stopping:
                    raise
                if job is not None:
                    await self.runner.shed_cancellation(slot)
                    return
                while slot.cancelling():  # it was meant for a job that had ended
                    slot.uncancel()


class _Unfinished(NamedTuple):
    """A body that returned a coroutine, which still has to be run."""

    job: Job
    context: Context
    coroutine: Coroutine[Any, Any, Any]


class _Visit:
    """One slot's visit to a thread."""

    def __init__(self, lane: ThreadLane, first: Job, slot: asyncio.Task[None]) -> None:
        place = PLACE.get()
        self.is_over = False
        """Whether the thread has left it; set and read on the loop."""
        self.unfinished: _Unfinished | None = None
        self._lane = lane
        self._slot = slot
        self._place = place if isinstance(place, Place) else None
        self._context = copy_context()
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._lock = threading.Lock()
        self._current: Job | None = first
        self._has_begun = False
        self._is_left = False
        """Whether nobody waits for it any more."""

    # On the loop

    async def wait(self) -> None:
        """Wait until the thread has left."""
        self._waiter = self._loop.create_future()
        await self._waiter

    def leave(self, entirely: bool) -> Job | None:
        """Part from the thread, if what it runs now was cancelled or lost, or ``entirely``; return that job."""
        with self._lock:
            job = self._current if self.unfinished is None else self.unfinished.job
            if job is None or not (entirely or job.cancelled or job.lost):
                return None
            if self.unfinished is not None:
                self.unfinished.coroutine.close()
                self.unfinished = None
                return job
            self._is_left = True
            self._current = job.slot = None
            if self._has_begun:
                self._lane.executor.threads.abandoned.add(self)
            return job

    def _end(self) -> None:
        self.is_over = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # In the thread

    def run(self) -> None:
        """Run one job after another."""
        job = self._begin()
        waiting = self._lane.waiting()
        if waiting.begun(self._slot):
            tell(self._loop, waiting.wake_more)
        serve_loop(self._loop, lambda: self._is_left)
        while job is not None:
            job = self._after(job, self._run_body(job))
        if not self._is_left:
            self._lane.ended.call(self._end)

    def _begin(self) -> Job | None:
        with self._lock:
            self._has_begun = True
            return self._enter(self._current)

    def _after(self, job: Job, end: Outcome | _Unfinished) -> Job | None:
        """Hand the end of a job over; return the next one that is to be run here, if any."""
        job.slot = None
        with self._lock:
            if self._is_left:
                self._lane.executor.threads.abandoned.discard(self)
                if isinstance(end, _Unfinished):
                    end.coroutine.close()
                return None
            if isinstance(end, _Unfinished):
                self.unfinished = end
                self._current = None
                return None
            self._lane.ended.put(job, end)
            return self._enter(self._next())

    def _next(self) -> Job | None:
        if self._place is not None and self._place.is_touched:
            return None  # what the body left there is taken away on the loop
        return self._lane.waiting().take(self._lane.is_plain)

    def _enter(self, job: Job | None) -> Job | None:
        """Let this job, or the next one that may still be run, be the current one."""
        while job is not None:
            job.slot = self._slot  # first: whoever cancels the job after the look finds the slot
            objection = job.objection(self._lane.core.now())
            if objection is None and not job.lost:
                job.started_at = time.monotonic()
                self._lane.runner.equip(job)
                if self._place is not None:
                    self._place.task = job.task
                break
            job.slot = None
            self._lane.ended.put(job, objection or Cancelled())  # of a lost one nothing is written
            job = self._next()
        self._current = job
        return job

    def _run_body(self, job: Job) -> Outcome | _Unfinished:
        context = self._context.copy()
        context.run(running.set, job.task)
        try:
            args, kwargs = job.spec.arguments(job.task)
            value = context.run(job.spec.func, *args, **kwargs)
        except BaseException as error:  # SystemExit too: it must not end the thread
            job.ended_at = time.monotonic()
            return self._lane.executor.outcome_of(job.spec, job.task, error)
        if inspect.iscoroutine(value):
            return _Unfinished(job, context, value)
        job.ended_at = time.monotonic()
        return Succeeded(value)
