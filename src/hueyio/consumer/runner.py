"""What a slot does with a job: ask once more, run, decide, encode, hand over to the settler."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from hueyio.consumer.host import Host
from hueyio.consumer.job import Job
from hueyio.consumer.reporter import Reporter
from hueyio.consumer.stuck import Stuck
from hueyio.exceptions import HueyException
from hueyio.execution.callback import tell_fired
from hueyio.execution.effects import Effects
from hueyio.execution.executor import Executor
from hueyio.execution.finish import conclude, error_seen
from hueyio.execution.hooks import AttemptHooks
from hueyio.execution.outcome import Cancelled, Failed, Interrupted, Outcome, RetryAsked, Succeeded, WorkerLost
from hueyio.execution.policy import WITHOUT_RESULTS
from hueyio.execution.run_context import RUN_CONTEXT, RunContext
from hueyio.execution.settlement import make_settlement
from hueyio.messages.entry import enqueue_signal
from hueyio.signals import SIGNAL_EXECUTING
from hueyio.storage.records import Bury, Finish, Settlement

__all__ = ["Runner"]

logger = logging.getLogger(__name__)


class _Settler(Protocol):
    """Who writes what came of the jobs."""

    def put(self, job: Job, settlement: Settlement, effects: Effects) -> None: ...

    async def put_and_wait(self, job: Job, settlement: Settlement, effects: Effects) -> bool: ...

    async def start(self, job: Job) -> bool: ...


class Runner:
    """Runs jobs, and ends those that must not run.

    ``is_stopping`` says whether a cancelled slot means that the consumer stops. Otherwise a cancellation that
    neither ``job.cancelled`` nor ``job.lost`` explains is the body's own doing.
    """

    def __init__(
        self,
        host: Host,
        executor: Executor,
        settler: _Settler,
        is_stopping: Callable[[], bool],
        lease: float,
        stuck: Stuck | None = None,
    ) -> None:
        self._host = host
        self._reporter = Reporter(host)
        self._run_context = RunContext(asyncio.get_running_loop(), host.storage, lease)
        self._executor = executor
        self._settler = settler
        self._is_stopping = is_stopping
        self._stuck = stuck or Stuck()
        self._telling: set[asyncio.Task[None]] = set()
        self.outcomes: Counter[str] = Counter()
        """How jobs ended, by the names of the outcomes."""

    async def run(self, job: Job, slot: asyncio.Task[None]) -> None:
        """Run the job's body in this slot and have its outcome written; returns when the slot is free again."""
        listened = bool(self._host.signals)
        # A prefetched job has grown stale while it waited.
        objection = job.objection(self._host.now())
        if objection is None and listened:
            await self._host.signals.send(SIGNAL_EXECUTING, job.task)
            if job.lost:
                return
            objection = job.objection(self._host.now())
        if objection is None and job.spec.options.at_most_once:
            if not await self._write_start(job) or job.lost:
                return
            objection = job.objection(self._host.now())
        if objection is not None:
            await self._finish(job, objection)
            return
        job.task.reporter = self._reporter
        job.task.receipt = job.delivery.receipt
        # Once in the life of a slot: setting costs ten times as much as looking.
        if RUN_CONTEXT.get() is not self._run_context:
            RUN_CONTEXT.set(self._run_context)
        hooks = self._executor.hooks_around(job.spec, job.task)
        job.started_at = time.monotonic()
        job.slot = slot
        limit = None if job.spec.lane == "process" else job.task.timeout  # a process is killed: it cannot ignore that
        watch = None if limit is None else self._stuck.watch(job, limit)
        try:
            outcome = await self._executor.run(job.spec, job.task, hooks)
        except asyncio.CancelledError as error:
            if not (job.cancelled or job.lost) and self._is_stopping():
                # Recorded, and raised again: the slot must end.
                job.slot = None
                self.end(job, _interrupted(job), hooks)
                raise
            outcome = Cancelled() if job.cancelled else Failed(error)
        finally:
            if watch is not None:
                watch.cancel()
        job.slot = None
        # What was meant for this job, or left behind by its body, must not reach the next one.
        while slot.cancelling() and not self._is_stopping():
            try:
                await asyncio.sleep(0)  # before 3.13 uncancel() leaves a cancellation that was not delivered yet
            except asyncio.CancelledError:
                if self._is_stopping():
                    self.end(job, outcome, hooks)
                    raise
            slot.uncancel()
        if listened or hooks is not None:
            await self._finish(job, outcome, hooks)
        else:
            self.end(job, outcome)

    def end(self, job: Job, outcome: Outcome, hooks: AttemptHooks | None = None) -> None:
        """Have the outcome of a job written without waiting for it."""
        if job.lost:
            if hooks is not None:
                hooks.caller.close()
            return
        unstarted = isinstance(outcome, Interrupted) and not job.started
        if hooks is not None or (self._host.signals and not unstarted):
            telling = asyncio.get_running_loop().create_task(self._finish(job, outcome, hooks))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)
            return
        _, effects, settlement = self._decide(job, outcome)
        self._settler.put(job, settlement, effects)

    async def wait_told(self, timeout: float) -> int:
        """Wait until the receivers of what ended without a slot have been called; return how many ignore the end."""
        if self._telling:
            await asyncio.wait(self._telling, timeout=timeout)
        for telling in self._telling:
            telling.cancel()
        if self._telling:
            await asyncio.wait(self._telling, timeout=timeout)
        return len(self._telling)

    async def _write_start(self, job: Job) -> bool:
        """Write that the body is about to run, so that it never runs again; False if that did not go through."""
        try:
            if await self._settler.start(job):
                return True
        except HueyException as error:
            logger.warning("task %s %s: its start could not be written: %s", job.task.name, job.task.id, error)
        self.end(job, Interrupted())
        return False

    async def _finish(self, job: Job, outcome: Outcome, hooks: AttemptHooks | None = None) -> None:
        try:
            if not job.lost:
                await self._tell_and_settle(job, outcome, hooks)
        finally:
            if hooks is not None:
                hooks.caller.close()

    async def _tell_and_settle(self, job: Job, outcome: Outcome, hooks: AttemptHooks | None) -> None:
        outcome, effects, settlement = self._decide(job, outcome)
        error = (outcome.error,) if isinstance(outcome, Failed | RetryAsked) else ()
        try:
            for signal in effects.before:
                await self._host.signals.send(signal, job.task, *error)
        except asyncio.CancelledError:
            self._settler.put(job, settlement, effects)  # the body has ended: receivers do not change its outcome
            raise
        if await self._settler.put_and_wait(job, settlement, effects):
            if hooks is not None and hooks.body_began and not isinstance(outcome, Interrupted | WorkerLost):
                value = outcome.value if isinstance(outcome, Succeeded) else None
                await hooks.after(value, error_seen(job.task, outcome))
            await self._send_after(job, effects, settlement)

    async def _send_after(self, job: Job, effects: Effects, settlement: Settlement) -> None:
        for signal in effects.after:
            await self._host.signals.send(signal, job.task)
        if isinstance(settlement, Finish | Bury):
            for task, entry in zip(effects.enqueue, settlement.follow_ups, strict=True):
                await self._host.signals.send(enqueue_signal(entry), task)
        if job.fired and job.task.chord is not None:
            await tell_fired(self._host, await self._host.session(), job.task.chord)

    def _decide(self, job: Job, outcome: Outcome) -> tuple[Outcome, Effects, Settlement]:
        rules = self._host.rules if job.spec.timetable is None else WITHOUT_RESULTS
        now = self._host.now()
        decided = conclude(job.task, outcome, now, rules, lambda effects: self._encode(job, effects, now))
        self.outcomes[type(decided[0]).__name__] += 1
        return decided

    def _encode(self, job: Job, effects: Effects, now: float) -> Settlement:
        return make_settlement(
            effects,
            job.delivery,
            registry=self._host.registry,
            serializer=self._host.serializer,
            result_ttl=self._host.result_ttl,
            now=now,
        )


def _interrupted(job: Job) -> Outcome:
    """Say how a run ends that the stop cut short: one that must not be repeated is lost."""
    if job.spec.options.at_most_once:
        return WorkerLost(job.delivery.receipt.deliveries, started=True)
    return Interrupted()
