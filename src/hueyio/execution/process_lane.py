"""Run the jobs of the process lane, several calls under way in one process while bodies are short.

Theory of operation. To hand a call to a process and its answer back costs more than a short body does. So a slot that
has a *plain* job (see ``plain``), and finds an idle process, pays it a ``_Visit`` in a thread: it sends the job, and
behind it as many others as run in a few milliseconds (see ``pool.depth``), and takes what the process answers. The
process runs one after another, and tells of each beginning before it begins, together with the answer before it.

So it is known at any time which call runs there. If the process dies, that one has crashed; those behind it go back to
the lane, to be taken by the next slot. They also go back if the one in front takes long: the process is asked to forget
them. What it says it has forgotten, and what it never said it had begun, was not begun.

All other jobs, and one that finds no idle process, are run one by one, by the ``Runner``.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from typing import Final, assert_never

from hueyio.core import Core
from hueyio.exceptions import ProcessLost
from hueyio.execution.context import running
from hueyio.execution.ended_jobs import EndedJobs
from hueyio.execution.executor import Executor
from hueyio.execution.job import Job
from hueyio.execution.lending import PLACE, Place
from hueyio.execution.outcome import Cancelled, Interrupted, Outcome, Succeeded
from hueyio.execution.plain import is_plain
from hueyio.execution.pool.crossing import unpack
from hueyio.execution.pool.depth import Depth
from hueyio.execution.pool.line import Begun, Call, Raised, Recall, Recalled, Report, Returned
from hueyio.execution.pool.pool import ProcessPool, call_of, reporting
from hueyio.execution.pool.process import PoolProcess
from hueyio.execution.runner import Runner
from hueyio.execution.thread_lane import WaitingJobs

__all__ = ["ProcessLane"]

_PATIENCE: Final = 0.02
"""Seconds that a body may take before those behind it are taken back."""


class ProcessLane:
    """Runs what the slots of the process lane have taken; made on the loop of the consumer."""

    def __init__(
        self,
        pool: ProcessPool,
        core: Core,
        executor: Executor,
        runner: Runner,
        ended: EndedJobs,
        waiting: Callable[[], WaitingJobs],
    ) -> None:
        self.pool = pool
        self.core = core
        self.executor = executor
        self.runner = runner
        self.ended = ended
        self.waiting = waiting
        self.depth = Depth()

    async def run(self, job: Job, slot: asyncio.Task[None]) -> None:
        """Run the job in this slot, and others after it; returns when the slot is free again."""
        process = self.pool.take_idle() if is_plain(self.core, job) else None
        if process is None:
            await self.runner.run(job, slot)
            return
        self.runner.enter_slot()
        visit = _Visit(self, job, slot, process)
        try:
            self.pool.threads.submit(visit)
            await self._attend(visit, slot)
        except RuntimeError as error:  # there is no thread, and the system has none
            self.runner.end(job, self.executor.outcome_of(job.spec, job.task, error))
        finally:
            self.pool.give_back(process)
        if visit.unserved is not None:
            await self.runner.run(visit.unserved, slot)

    def put_back(self, jobs: Sequence[Job]) -> None:
        """Let other slots have what was not begun; where it is too late for that, it goes back to the queue."""
        for job in self.waiting().put_back([job for job in jobs if not job.lost]):
            self.runner.end(job, Interrupted())

    async def _attend(self, visit: _Visit, slot: asyncio.Task[None]) -> None:
        """Wait until the visit is over; a cancellation that means what runs there kills the process."""
        is_stopping = False
        while not visit.is_over:
            try:
                await visit.wait()
            except asyncio.CancelledError:
                is_stopping = is_stopping or self.runner.is_stopping
                visit.kill(is_stopping)
                while slot.cancelling():
                    slot.uncancel()
        if is_stopping:
            raise asyncio.CancelledError


class _Visit:
    """One slot's visit to a process."""

    def __init__(self, lane: ProcessLane, first: Job, slot: asyncio.Task[None], process: PoolProcess) -> None:
        place = PLACE.get()
        self.is_over = False
        """Whether the process is free again, or dead; set and read on the loop."""
        self.unserved: Job | None = None
        """A job to be run in another process: this one had died before it began anything."""
        self._lane = lane
        self._slot = slot
        self._process = process
        self._place = place if isinstance(place, Place) else None
        self._context = self._base = copy_context()
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._lock = threading.Lock()
        self._current: Job | None = None
        """What has begun there, and not ended; changed in the thread."""
        self._sent: deque[Job] = deque([first])
        """What is there, in its order; ``_current`` is its first."""
        self._has_begun = False
        self._is_killed = False
        self._recall_at: float | None = None
        """Monotonic time at which what waits there is taken back; None: nothing waits."""
        self._is_recalling = False
        """Whether the process was asked, and has not answered: meanwhile it is sent nothing."""
        self._since = 0.0
        self._answers = 0

    # On the loop

    async def wait(self) -> None:
        """Wait until it is over."""
        self._waiter = self._loop.create_future()
        await self._waiter

    def kill(self, entirely: bool) -> None:
        """Kill the process if what runs there was cancelled or lost, or ``entirely``; the visit is over soon."""
        with self._lock:
            job = self._current
            if not entirely and (job is None or not (job.cancelled or job.lost)):
                return  # it was meant for a job that has ended
            self._is_killed = True
        self._process.kill()
        if self._place is not None and self._place.is_lent:
            self._place.clear()  # the thread may wait for a slot to go on

    def _end(self) -> None:
        self.is_over = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # In the thread

    def run(self) -> None:
        """Have one job after another run, until there is none."""
        try:
            first = self._sent.popleft()
            self._send([first] if self._may_run(first) else [])
            self._fill()
            while self._sent or self._is_recalling:
                # In the context of the body: what that asks for is done as if it ran here.
                pause = self._lane.depth.pause(len(self._sent))
                self._take(self._context.run(self._process.listen, self._report, self._recall_at, pause))
        except (EOFError, OSError):
            how = self._process.reap()
            self._end_lost(lambda job: ProcessLost(f"the process of task {job.spec.path} {how}"))
        except BaseException as error:  # what came cannot be read: what comes next would be taken for another answer
            unread = error
            self._process.kill()
            self._process.reap()
            self._end_lost(lambda _: unread)
        self._lane.ended.call(self._end)

    def _take(self, message: Begun | Recalled | Returned | Raised | None) -> None:
        match message:
            case Begun():
                self._begin()
            case Returned() | Raised():
                self._answer(message)
            case Recalled(calls):
                self._is_recalling = False
                taken_back = [self._sent.pop() for _ in range(calls)]
                self._process.calls -= calls
                self._put_back(taken_back[::-1])
                if not self._sent:
                    self._fill()
            case None:
                self._recall_at = None
                self._is_recalling = True
                self._lane.depth.forget()
                self._process.send(Recall())
            case _:
                assert_never(message)

    def _begin(self) -> None:
        job = self._sent[0]
        self._has_begun = True
        self._context = self._base.copy()
        self._context.run(running.set, job.task)
        job.started_at = time.monotonic()
        job.slot = self._slot  # first: whoever cancels the job after the look finds the slot
        with self._lock:
            self._current = job
            if self._place is not None:
                self._place.task = job.task
            self._is_killed = self._is_killed or job.cancelled or job.lost
        if self._is_killed:
            self._process.kill()
        if len(self._sent) > 1 and not self._is_recalling:
            self._recall_at = job.started_at + _PATIENCE

    def _answer(self, message: Returned | Raised) -> None:
        job = self._sent.popleft()
        with self._lock:
            self._current = job.slot = None
        job.ended_at = time.monotonic()
        self._recall_at = None
        self._context = self._base
        value, error = unpack(message, job.spec.path)
        self._lane.ended.put(job, Succeeded(value) if error is None else self._outcome_of(job, error))
        self._answers += 1
        if len(self._sent) <= self._lane.depth.calls // 2 and not self._is_recalling:
            self._fill()

    def _fill(self) -> None:
        """Send as many more as the process is to have, if the slot may go on."""
        now = time.monotonic()
        if self._answers:
            self._lane.depth.note(now - self._since, self._answers)
        self._since, self._answers = now, 0
        room = min(self._lane.depth.calls - len(self._sent), self._lane.pool.calls_left(self._process))
        jobs: list[Job] = []
        while len(jobs) < room and (job := self._next()) is not None:
            jobs.append(job)
        self._send(jobs)
        if jobs and not self._sent:
            self._fill()  # none of them could be sent

    def _next(self) -> Job | None:
        """Take the next job that may be run."""
        while not (self._is_killed or (self._place is not None and self._place.is_touched)):
            job = self._lane.waiting().take(partial(is_plain, self._lane.core))
            if job is None or self._may_run(job):
                return job
        return None

    def _may_run(self, job: Job) -> bool:
        objection = job.objection(self._lane.core.now())
        if objection is None and not job.lost:
            return True
        self._lane.ended.put(job, objection or Cancelled())  # of a lost one nothing is written
        return False

    def _send(self, jobs: Sequence[Job]) -> None:
        calls: list[Call] = []
        for job in jobs:
            self._lane.runner.equip(job)
            try:
                calls.append(self._base.copy().run(call_of, job.spec, job.task))
            except BaseException as error:  # of its arguments, which cannot be written
                self._lane.ended.put(job, self._outcome_of(job, error))
            else:
                self._sent.append(job)
        if calls:
            self._process.send(*calls)

    def _end_lost(self, error_of: Callable[[Job], BaseException]) -> None:
        """End what ran in a process that is over, and take back what did not."""
        with self._lock:
            job, self._current = self._current, None
        if job is not None:
            job.slot = None
            self._sent.popleft()
            if self._is_killed:
                self._lane.ended.call(partial(self._lane.runner.cut_off, job))
            else:
                self._lane.ended.put(job, self._outcome_of(job, error_of(job)))
        elif self._sent and not (self._has_begun or self._is_killed):
            self.unserved = self._sent.popleft()
        self._put_back(self._sent)

    def _put_back(self, jobs: Sequence[Job]) -> None:
        if jobs:
            self._lane.ended.call(partial(self._lane.put_back, list(jobs)))

    def _outcome_of(self, job: Job, error: BaseException) -> Outcome:
        return self._lane.executor.outcome_of(job.spec, job.task, error)

    def _report(self, told: Report) -> bool:
        return self._current is not None and reporting(self._current.task)(told)
