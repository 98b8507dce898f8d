"""Run single tasks by hand, at a time that the caller says: what a consumer does, without its loop.

Theory of operation. ``dequeue`` claims one task under a lease of the driver's own, which begins with the first task
that it holds and ends with the last: a driver that holds nothing costs nothing. ``execute`` hands the job to the same
Runner as a consumer does, in an asyncio task of its own, and has written the settlement when it returns. What is
dequeued and never executed goes back when the driver is closed, or when the lease is over.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from hueyio.consumer.dispatcher import Dispatcher
from hueyio.consumer.host import Host
from hueyio.consumer.job import Job, Ledger
from hueyio.consumer.lease import Lease
from hueyio.consumer.runner import Runner
from hueyio.exceptions import HueyException, LeaseLost
from hueyio.execution.effects import Effects
from hueyio.execution.executor import Executor
from hueyio.execution.hooks import AttemptHooks
from hueyio.execution.outcome import Outcome, Succeeded
from hueyio.execution.pool import ProcessPool
from hueyio.signals import SIGNAL_SCHEDULED
from hueyio.storage.contract import LeaseKeeper, Session
from hueyio.storage.records import LANES, Answer, Defer, Delivery, Settlement
from hueyio.tasks.declared import TaskSpec
from hueyio.tasks.task import Task

__all__ = ["Driver"]

logger = logging.getLogger(__name__)

_LEASE: Final = 15.0


class Driver:
    """Owns what this loop has dequeued by hand and not executed yet."""

    def __init__(self, host: Host, session: Session) -> None:
        self.session = session
        self._host = host
        self._pool = ProcessPool(host.name, host.home)
        self._executor = Executor(host.hooks, pool=self._pool)
        self._loop = asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        self._lease: Lease | None = None
        self._number = 0
        self._jobs: dict[str, Job] = {}

    async def dequeue(self) -> Task | None:
        """Claim the next task, lane by lane; None if there is none. What cannot be run is ended on the way."""
        while (delivery := await self._claim()) is not None:
            step = _Step(self, self._host)
            job, objection = step.dispatcher.decode(delivery)
            job.task.receipt = delivery.receipt
            self._jobs[delivery.receipt.id] = job
            objection = objection or (await step.dispatcher.collect([job])).get(job)
            if objection is None:
                return job.task
            step.runner.end(job, objection)
            await step.finish(job)
        await self._rest()
        return None

    async def execute(self, task: Task, now: float | None) -> Any:
        """Run a claimed task as if it were ``now`` (None: by the clock); return its value, None if it has none."""
        job = self._jobs.get(task.id)
        if job is None or task.receipt != job.delivery.receipt:
            raise HueyException(f"task {task.id} is not claimed here; enqueue it, and execute what dequeue() returns")
        host = _At(self._host, now)
        if task.eta is not None and task.eta.timestamp() > host.now():
            return await self.put_off(task)
        job.task = task
        while True:
            step = _Step(self, host)
            if await step.run(job) != "untaken":
                return step.value
            # The revocation that was to stop it was used up by another task: decide anew.

    async def put_off(self, task: Task) -> None:
        """Put a claimed task back, to the schedule."""
        job = self._jobs[task.id]
        eta = None if task.eta is None else task.eta.timestamp()
        answer = await self.settle(Defer(job.delivery.receipt, job.delivery.header._replace(eta=eta)))
        await self.forget(job)
        if answer == "accepted":
            await self._host.signals.send(SIGNAL_SCHEDULED, task)

    def holds(self, task: Task) -> bool:
        """Say whether the task was dequeued here and not executed yet."""
        return task.receipt is not None and task.id in self._jobs

    async def settle(self, settlement: Settlement) -> Answer:
        """Write one settlement under the own lease."""
        if self._lease is None:
            return "stale"
        self._number += 1
        (answer,) = await self.session.settle([settlement], self._lease.owner, self._number)
        return answer

    async def start(self, job: Job) -> bool:
        """Write that a body is about to run; False if it is not ours any more."""
        if self._lease is None:
            return False
        (accepted,) = await self.session.start([job.delivery.receipt], self._lease.owner)
        return accepted

    async def forget(self, job: Job) -> None:
        """Strike out a job that is settled."""
        self._jobs.pop(job.delivery.receipt.id, None)
        await self._rest()

    async def close(self) -> None:
        """Give back what was not executed, and end the processes."""
        self._jobs.clear()
        await self._rest()
        await self._pool.close()

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
        lease = Lease(self.session, self._make_keeper, _LEASE, {}, _nothing, _nothing)
        await lease.begin()
        self._lease, self._number = lease, 0

    async def _rest(self) -> None:
        """End the lease if nothing is held."""
        async with self._lock:
            if self._lease is not None and not self._jobs:
                lease, self._lease = self._lease, None
                await lease.end()

    def _make_keeper(self, owner: str) -> LeaseKeeper:
        return _WhileOpen(self._host.storage.lease_keeper(owner), self._loop)


class _Step:
    """What it takes to end one job: a consumer's parts, with a settler that writes at once."""

    def __init__(self, driver: Driver, host: Host) -> None:
        self._driver = driver
        self._stopping = False
        self._pending: list[Settlement] = []
        self._answer: Answer | None = None
        self._executor = _Recording(driver._executor)
        self.runner = Runner(host, self._executor, self, lambda: self._stopping, _LEASE)
        ledger = Ledger(dict.fromkeys(LANES, 1), 0, _nothing)
        self.dispatcher = Dispatcher(host, driver.session, ledger, lambda job: None, self.runner.end)

    @property
    def value(self) -> Any:
        """What the body returned, if it did."""
        outcome = self._executor.outcome
        return outcome.value if isinstance(outcome, Succeeded) else None

    async def run(self, job: Job) -> Answer | None:
        """Run a job in an asyncio task of its own; a cancelled caller interrupts the body, and the task goes back."""
        await self.dispatcher.look_up([job])
        running = asyncio.ensure_future(self._serve(job))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            self._stopping = True
            running.cancel()
            await asyncio.wait([running])
            await self.finish(job)
            raise
        return await self.finish(job)

    async def finish(self, job: Job) -> Answer | None:
        """Write what is not written yet; say what became of it."""
        await self.runner.wait_told(_LEASE)
        for settlement in self._pending:
            self._answer = await self._driver.settle(settlement)
        if self._answer == "stale":
            logger.warning("task %s %s: its lease had gone, what came of it is dropped", job.task.name, job.task.id)
        if self._answer != "untaken":
            await self._driver.forget(job)
        return self._answer

    def put(self, job: Job, settlement: Settlement, effects: Effects) -> None:
        """Have a settlement written soon."""
        self._pending.append(settlement)

    async def start(self, job: Job) -> bool:
        """Write that the body is about to run."""
        return await self._driver.start(job)

    async def put_and_wait(self, job: Job, settlement: Settlement, effects: Effects) -> bool:
        """Write a settlement; say whether it was accepted."""
        self._answer = await self._driver.settle(settlement)
        job.fired = self._answer == "fired"
        return self._answer in ("accepted", "fired")

    async def _serve(self, job: Job) -> None:
        task = asyncio.current_task()
        assert task is not None
        await self.runner.run(job, task)


class _Recording(Executor):
    """An executor that remembers how the body ended."""

    def __init__(self, executor: Executor) -> None:
        super().__init__(executor.hooks, executor.threads, executor.pool)
        self.outcome: Outcome | None = None

    async def run(self, spec: TaskSpec, task: Task, hooks: AttemptHooks | None = None) -> Outcome:
        """Run one attempt."""
        self.outcome = await super().run(spec, task, hooks)
        return self.outcome


class _At:
    """A host whose clock stands still at ``now``, if that is given."""

    def __init__(self, host: Host, now: float | None) -> None:
        self.name = host.name
        self.home = host.home
        self.registry = host.registry
        self.serializer = host.serializer
        self.signals = host.signals
        self.hooks = host.hooks
        self.rules = host.rules
        self.result_ttl = host.result_ttl
        self.storage = host.storage
        self.session = host.session
        self._host = host
        self._now = now

    def now(self) -> float:
        """Return epoch seconds."""
        return self._host.now() if self._now is None else self._now


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


def _nothing() -> None:
    """Stand in for what a consumer would be told."""
