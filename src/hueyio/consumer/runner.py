"""What a slot does with a job: ask once more, run, decide, encode, hand over to the settler."""

from __future__ import annotations

import asyncio
import logging

from hueyio.consumer.host import Host
from hueyio.consumer.job import Job
from hueyio.consumer.settler import Settler
from hueyio.exceptions import SerializationError, TaskArgumentError
from hueyio.execution.effects import Effects
from hueyio.execution.executor import Executor
from hueyio.execution.outcome import Cancelled, Failed, Interrupted, Outcome, RetryAsked
from hueyio.execution.policy import decide
from hueyio.execution.settlement import make_settlement
from hueyio.signals import SIGNAL_ENQUEUED, SIGNAL_EXECUTING, SIGNAL_SCHEDULED
from hueyio.storage.records import Settlement

__all__ = ["Runner"]

logger = logging.getLogger(__name__)


class Runner:
    """Runs jobs, and ends those that must not run."""

    def __init__(self, host: Host, executor: Executor, settler: Settler) -> None:
        self._host = host
        self._executor = executor
        self._settler = settler

    async def run(self, job: Job, slot: asyncio.Task[None]) -> None:
        """Run the job's body in this slot and have its outcome written; returns when the slot is free again."""
        # A prefetched job has grown stale while it waited.
        objection = job.objection(self._host.now())
        listened = bool(self._host.signals)
        if objection is not None:
            await self._finish(job, objection)
            return
        job.started = True
        if listened:
            await self._host.signals.send(SIGNAL_EXECUTING, job.task)
        job.slot = slot
        try:
            outcome = await self._executor.run(job.spec, job.task)
        except asyncio.CancelledError:
            job.slot = None
            if not (job.cancelled or job.lost):
                # The consumer is stopping. Recorded, and raised again: the slot must end.
                self.end(job, Interrupted())
                raise
            outcome = Cancelled()
        job.slot = None
        if job.cancelled or job.lost:
            # The cancellation was for this job, not for the slot, also where the body swallowed it.
            while slot.cancelling():
                slot.uncancel()
        if listened:
            await self._finish(job, outcome)
        else:
            self.end(job, outcome)

    def end(self, job: Job, outcome: Outcome) -> None:
        """Have the outcome of a job written without waiting for it."""
        if job.lost:
            return
        effects, settlement = self._decide(job, outcome)
        self._settler.put(job, settlement, effects)

    async def _finish(self, job: Job, outcome: Outcome) -> None:
        if job.lost:
            return
        effects, settlement = self._decide(job, outcome)
        error = (outcome.error,) if isinstance(outcome, Failed | RetryAsked) else ()
        for signal in effects.before:
            await self._host.signals.send(signal, job.task, *error)
        if await self._settler.put_and_wait(job, settlement, effects):
            await self._send_after(job, effects)

    async def _send_after(self, job: Job, effects: Effects) -> None:
        for signal in effects.after:
            await self._host.signals.send(signal, job.task)
        now = self._host.now()
        for task in effects.enqueue:
            later = task.eta is not None and task.eta.timestamp() > now
            await self._host.signals.send(SIGNAL_SCHEDULED if later else SIGNAL_ENQUEUED, task)

    def _decide(self, job: Job, outcome: Outcome) -> tuple[Effects, Settlement]:
        effects = decide(job.task, outcome, self._host.now(), self._host.rules)
        if effects.log is not None:
            logger.warning("task %s: %s", job.task.id, effects.log)
        elif isinstance(outcome, Failed):
            logger.error("task %s %s failed", job.task.name, job.task.id, exc_info=outcome.error)
        try:
            return effects, self._encode(job, effects)
        except (SerializationError, TaskArgumentError) as error:
            # What it returned cannot be stored or passed on: that is a failure, and says so.
            failed = Failed(SerializationError(f"what task {job.task.name} returned: {error}"))
            effects = decide(job.task, failed, self._host.now(), self._host.rules)
            logger.error("task %s %s failed: %s", job.task.name, job.task.id, failed.error)
            return effects, self._encode(job, effects)

    def _encode(self, job: Job, effects: Effects) -> Settlement:
        return make_settlement(
            effects,
            job.delivery,
            registry=self._host.registry,
            serializer=self._host.serializer,
            result_ttl=self._host.result_ttl,
            now=self._host.now(),
        )
