"""Turn what was claimed into jobs: decode, decide whether each may run, and put it into its lane.

What may not run (unreadable, unknown, lost too often, cancelled, expired, revoked) goes straight to the settler,
through the same policy as everything else. Revocations are looked up once for the whole batch, if there are any.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from hueyio.consumer.host import Host
from hueyio.consumer.job import Job, Ledger
from hueyio.exceptions import HueyException, SerializationError
from hueyio.execution.outcome import Failed, Outcome, Revoked, UnknownTask, Unreadable, WorkerLost
from hueyio.messages.member_result import read_member_result
from hueyio.messages.message import read_task
from hueyio.messages.revocation import STRAY_TTL, class_key, instance_key, pick_revocation
from hueyio.storage.contract import Keys
from hueyio.storage.records import Delivery, MemberResults
from hueyio.tasks.declared import TaskOptions, TaskSpec
from hueyio.tasks.task import Task

__all__ = ["Dispatcher"]

logger = logging.getLogger(__name__)


def _nothing() -> None:
    """Stand in for a function that is not known here."""


class _Session(Keys, Protocol):
    """What the dispatcher asks of the storage."""

    async def collect(self, keys: Sequence[str]) -> list[MemberResults | None]: ...


class Dispatcher:
    """Bytes to jobs. ``put`` takes a job that may run, ``end`` one that may not, with the reason."""

    def __init__(
        self,
        host: Host,
        session: _Session,
        ledger: Ledger,
        put: Callable[[Job], None],
        end: Callable[[Job, Outcome], None],
    ) -> None:
        self._host = host
        self._session = session
        self._ledger = ledger
        self._put = put
        self._end = end

    async def dispatch(self, deliveries: Sequence[Delivery]) -> None:
        """Start or end all of these; raises StorageUnavailable before any of them was touched."""
        decoded = [self.decode(delivery) for delivery in deliveries]
        runnable = [job for job, outcome in decoded if outcome is None]
        ends = await self.collect(runnable)
        await self.look_up([job for job in runnable if not job.delivery.unrevoked])
        now = self._host.now()
        for job, outcome in decoded:
            self._ledger.add(job)
            objection = outcome or job.objection(now) or ends.get(job)
            if objection is None:
                self._put(job)
            else:
                self._end(job, objection)

    async def collect(self, jobs: Sequence[Job]) -> dict[Job, Outcome]:
        """Give chords' callbacks what the members reported; return the ends of those that cannot get it."""
        callbacks = [job for job in jobs if job.delivery.header.collects]
        if not callbacks:
            return {}
        reported = await self._session.collect([job.task.id for job in callbacks])
        ends: dict[Job, Outcome] = {}
        for job, reports in zip(callbacks, reported, strict=True):
            try:
                job.task.values = self._read(job.task, reports)
            except HueyException as error:
                ends[job] = Failed(error)
        return ends

    def _read(self, task: Task, reports: MemberResults | None) -> list[Any]:
        if reports is None:
            raise HueyException(f"what the members of its chord reported is gone: callback {task.name} ended before")
        return [read_member_result(data, self._host.serializer) for data in reports]

    async def look_up(self, jobs: Sequence[Job]) -> None:
        """Read whether these jobs are revoked, all at once."""
        if not jobs:
            return
        names = {job.task.name for job in jobs}
        keys = [*map(class_key, names), *(instance_key(job.task.id) for job in jobs)]
        found = dict(zip(keys, await self._session.peek("revocations", keys), strict=True))
        now = self._host.now()
        endless: dict[str, bytes] = {}
        for job in jobs:
            own = (instance_key(job.task.id), class_key(job.task.name))
            picked = pick_revocation(own, (found[own[0]], found[own[1]]), now)
            job.revoked = None if picked is None else Revoked(picked[0] if picked[1].once else None)
            if picked is not None and picked[0] == own[0] and not picked[1].once and picked[1].until is None:
                endless[own[0]] = found[own[0]] or b""
        await asyncio.gather(
            *(self._session.compare_extend("revocations", key, value, STRAY_TTL) for key, value in endless.items())
        )

    def decode(self, delivery: Delivery) -> tuple[Job, Outcome | None]:
        """Return the job of a delivery, and why it can never be run, if that is so."""
        header = delivery.header
        try:
            task = read_task(delivery.data, self._host.serializer)
        except SerializationError as error:
            return self._unreadable_job(delivery, str(error))
        except Exception as error:  # a serializer of the user's may raise anything; the message is what is bad
            logger.exception("reading task %s", header.id)
            return self._unreadable_job(delivery, f"{type(error).__name__}: {error}")
        if task.id != header.id:  # damaged: a retry of it would be another task, and this one be lost
            return self._unreadable_job(delivery, f"it is the message of task {task.id!r}")
        spec = self._host.registry.get(task.name)
        deliveries = delivery.receipt.deliveries
        if spec is None:
            first_seen = self._host.now() if header.first_seen is None else header.first_seen
            return self._unknown_job(delivery, task), UnknownTask(first_seen, header.defers)
        job = Job(delivery, task, spec)
        if delivery.started and spec.options.at_most_once:
            return job, WorkerLost(deliveries, started=True)
        return job, WorkerLost(deliveries) if deliveries >= header.max_deliveries else None

    def _unreadable_job(self, delivery: Delivery, reason: str) -> tuple[Job, Outcome]:
        job = self._unknown_job(delivery, Task("?", id=delivery.header.id))
        return job, Unreadable(reason, delivery.header.expects)

    def _unknown_job(self, delivery: Delivery, task: Task) -> Job:
        spec = TaskSpec(task.name, _nothing, TaskOptions())
        spec.lane = delivery.header.lane
        return Job(delivery, task, spec)
