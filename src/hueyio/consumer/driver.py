"""Run single tasks by hand, at a time that the caller says: what a consumer does, without its loop.

Theory of operation. ``dequeue`` claims one task under a lease of the driver's own, which begins with the first task
that it holds and ends with the last: a driver that holds nothing costs nothing. ``execute`` takes the job through the
same pipeline as a consumer does, and has written the settlement when it returns. What is dequeued and never executed
goes back when the driver is closed, or when the lease is over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

from hueyio.consumer.heartbeat import HeartbeatOptions
from hueyio.consumer.lease import Lease
from hueyio.core import DEFAULT_LEASE, Core
from hueyio.exceptions import HueyException, LeaseLost
from hueyio.execution.executor import Executor
from hueyio.execution.intake import Intake
from hueyio.execution.job import Job
from hueyio.execution.outcome import Outcome, Succeeded
from hueyio.execution.pool import ProcessPool
from hueyio.execution.recorder import Recorder, Settled
from hueyio.execution.run_context import RunContext
from hueyio.execution.run_log import tell_untaken
from hueyio.execution.step import Step
from hueyio.loops.carry_through import end_of
from hueyio.signals import SIGNAL_SCHEDULED
from hueyio.storage.contract import LeaseKeeper, Session
from hueyio.storage.records import LANES, Answer, Defer, Delivery, Release, Settlement
from hueyio.tasks.log_fields import log_about
from hueyio.tasks.task import Task

__all__ = ["Driver", "Held"]

logger = logging.getLogger(__name__)


def _nothing(*_: object) -> None:
    """Stand in for what a consumer would be told."""


class Held(Protocol):
    """What dequeued tasks are held under, from ``begin`` to ``end``."""

    @property
    def owner(self) -> str: ...

    async def begin(self) -> None: ...

    async def end(self) -> None: ...


class Driver:
    """Owns what this loop has dequeued by hand and not executed yet.

    ``executor`` runs the bodies; None: one with threads and processes of its own. ``on_refused`` is told of tasks that
    ``dequeue`` ended because they cannot be run. ``make_lease`` makes what tasks are held under; None: a lease that
    beats.
    """

    def __init__(
        self,
        core: Core,
        session: Session,
        executor: Executor | None = None,
        on_refused: Callable[[Task, Outcome], object] = _nothing,
        make_lease: Callable[[], Held] | None = None,
    ) -> None:
        self.session = session
        self._core = core
        self._intake = Intake(core, session)
        self._executor = Executor(core, pool=ProcessPool(core.name, core.home)) if executor is None else executor
        self._on_refused = on_refused
        self._make_lease = make_lease or self._make_beating_lease
        self._loop = asyncio.get_running_loop()
        self._run_context = RunContext(self._loop, core.storage, DEFAULT_LEASE, queue=core.name)
        self._lock = asyncio.Lock()
        self._lease: Held | None = None
        self._number = 0
        self._jobs: dict[str, Job] = {}
        self._recorder = Recorder(core)

    async def dequeue(self) -> Task | None:
        """Claim the next task, lane by lane; None if there is none. What cannot be run is ended on the way.

        A caller who is cancelled meanwhile leaves the task in the queue.
        """
        taking = asyncio.ensure_future(self._dequeue())
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            await self._undo(taking)
            raise

    async def _dequeue(self) -> Task | None:
        while (delivery := await self._claim()) is not None:
            job, objection = self._intake.decode(delivery)
            job.task.receipt = delivery.receipt
            self._jobs[delivery.receipt.id] = job
            try:
                objection = objection or (await self._intake.collect([job])).get(job)
                if objection is None:
                    return job.task
                await self._end(job, objection)
            except Exception as error:
                await self._give_back(job, error)
                raise
        await self._rest()
        return None

    async def _undo(self, taking: asyncio.Future[Task | None]) -> None:
        """Put back what nobody has received."""
        try:
            task = await end_of(taking)
            if task is not None:
                job = self._jobs[task.id]
                await end_of(asyncio.ensure_future(self._settle(job, Release(job.delivery.receipt))))
                await end_of(asyncio.ensure_future(self._forget(job)))
        except HueyException as error:  # whoever is cancelled has to end; the lease ends what is held
            logger.warning("dequeue was cancelled, and what it took comes back when its lease is over: %s", error)

    async def execute(self, task: Task, now: float | None) -> Any:
        """Run a claimed task as if it were ``now`` (None: by the clock); return its value, None if it has none."""
        outcome = await self.run(task, now)
        return outcome.value if isinstance(outcome, Succeeded) else None

    async def run(self, task: Task, now: float | None) -> Outcome | None:
        """Do the same; return how it ended, None if it was put off because its eta lies ahead."""
        job = self._jobs.get(task.id)
        if job is None or task.receipt != job.delivery.receipt:
            raise HueyException(f"task {task.id} is not claimed here; enqueue it, and execute what dequeue() returns")
        core = self._core if now is None else self._core.with_clock(lambda: now)
        if task.eta is not None and task.eta.timestamp() > core.now():
            await self.put_off(task)
            return None
        job.task = task
        while True:
            await Intake(core, self.session).look_up([job])
            step = self._step(core)
            try:
                answer = await step.run(job, interrupt=True)
            except asyncio.CancelledError:
                await self._forget(job)
                raise
            except Exception as error:
                await self._give_back(job, error)
                raise
            if answer != "untaken":
                await self._settled(job, answer)
                return None if step.ended is None else step.ended.outcome
            tell_untaken(job)
            # The revocation that was to stop it was used up by another task: decide anew.

    async def put_off(self, task: Task) -> None:
        """Put a claimed task back, to the schedule."""
        job = self._jobs[task.id]
        eta = None if task.eta is None else task.eta.timestamp()
        answer = await self._settle(job, Defer(job.delivery.receipt, job.delivery.header._replace(eta=eta)))
        await self._forget(job)
        if answer == "accepted":
            await self._core.signals.send(SIGNAL_SCHEDULED, task)

    def holds(self, task: Task) -> bool:
        """Say whether the task was dequeued here and not executed yet."""
        return task.receipt is not None and task.id in self._jobs

    async def close(self) -> None:
        """Give back what was not executed, and end the processes."""
        self._jobs.clear()
        await self._rest()
        if self._executor.pool is not None:
            await self._executor.pool.close()

    def _step(self, core: Core) -> Step:
        return Step(core, self._executor, self._run_context, self._settle, self._start)

    async def _end(self, job: Job, objection: Outcome) -> None:
        await self._settled(job, await self._step(self._core).end(job, objection))
        self._on_refused(job.task, objection)

    async def _settle(self, job: Job, settlement: Settlement) -> Answer:
        """Write one settlement under the own lease."""
        if self._lease is None:
            return "stale"
        self._number += 1
        owner = self._lease.owner
        history = self._recorder.record([Settled(job, settlement)], owner)
        (answer,) = await self.session.settle([settlement], owner, self._number, history)
        return answer

    async def _start(self, job: Job) -> bool:
        """Write that a body is about to run; False if it is not ours any more."""
        if self._lease is None:
            return False
        (accepted,) = await self.session.start([job.delivery.receipt], self._lease.owner)
        return accepted

    async def _settled(self, job: Job, answer: Answer | None) -> None:
        if answer == "stale":
            name, fields = (job.task.path, job.task.id), job.log_fields()
            text = "task %s %s: its lease had gone, what came of it is dropped"
            log_about(logger, logging.WARNING, text, *name, fields=fields)
        await self._forget(job)

    async def _give_back(self, job: Job, error: Exception) -> None:
        """Give back what an error of ours, or of the user's code, kept from its end; that counts as a delivery.

        What the storage or hueyio complains of leaves the task in hand, to be executed again.
        """
        if isinstance(error, HueyException):
            return
        await self._settle(job, Release(job.delivery.receipt, counted=True))
        await self._forget(job)

    async def _forget(self, job: Job) -> None:
        """Strike out a job that is settled."""
        self._jobs.pop(job.delivery.receipt.id, None)
        await self._rest()

    async def _claim(self) -> Delivery | None:
        async with self._lock:
            if self._lease is None:
                await self._begin()
            try:
                return await self._claim_first()
            except LeaseLost:
                self._jobs.clear()
                await self._begin()
                return await self._claim_first()

    async def _claim_first(self) -> Delivery | None:
        for lane in LANES:
            for delivery in await self.session.claim({lane: 1}, self._lease.owner if self._lease else ""):
                return delivery
        return None

    async def _begin(self) -> None:
        lease = self._make_lease()
        await lease.begin()
        self._lease, self._number = lease, 0

    async def _rest(self) -> None:
        """End the lease if nothing is held."""
        async with self._lock:
            if self._lease is not None and not self._jobs:
                lease, self._lease = self._lease, None
                await lease.end()

    def _make_beating_lease(self) -> Held:
        return Lease(self.session, self._make_keeper, HeartbeatOptions(lease=DEFAULT_LEASE), {}, _nothing, _nothing)

    def _make_keeper(self, owner: str) -> LeaseKeeper:
        return _WhileOpen(self._core.storage.lease_keeper(owner), self._loop)


class _WhileOpen:
    """A lease keeper that gives its owner up when the owner's loop has ended: nobody will execute what it holds."""

    def __init__(self, keeper: LeaseKeeper, loop: asyncio.AbstractEventLoop) -> None:
        self._keeper = keeper
        self._loop = loop

    def beat(self) -> bool:
        """Beat, unless the loop is closed."""
        return not self._loop.is_closed() and self._keeper.beat()

    def close(self) -> None:
        """Close the connection."""
        self._keeper.close()
