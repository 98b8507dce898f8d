"""From deliveries to jobs: decode, and find what speaks against running them.

Revocations, and what the members of chords returned, are asked for all jobs of a batch at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from hueyio.core import Core
from hueyio.exceptions import HueyException, SerializationError
from hueyio.execution.job import Job
from hueyio.execution.outcome import Failed, Outcome, Revoked, UnknownTask, Unreadable, WorkerLost
from hueyio.messages.member_result import read_member_result
from hueyio.messages.message import read_task
from hueyio.messages.revocation import STRAY_TTL, class_key, instance_key, pick_revocation
from hueyio.storage.contract import Keys
from hueyio.storage.records import Delivery, MemberResults
from hueyio.tasks.declared import TaskOptions, TaskSpec
from hueyio.tasks.log_fields import log_about
from hueyio.tasks.task import Task

__all__ = ["Intake"]

logger = logging.getLogger(__name__)

_MOST_IN_A_TURN: Final = 500
"""Results of members that are read in one turn of the loop."""


def _nothing() -> None:
    """Stand in for a function that is not known here."""


def _nobody(path: str) -> bool:
    """Stand in for what is known of other consumers."""
    return False


class _Session(Keys, Protocol):
    """What the intake asks of the storage."""

    async def collect(self, keys: Sequence[str]) -> list[MemberResults | None]: ...


class Intake:
    """Makes jobs, for one session. ``knows_elsewhere`` says whether another consumer knows the task of a path."""

    def __init__(self, core: Core, session: _Session, knows_elsewhere: Callable[[str], bool] = _nobody) -> None:
        self._core = core
        self._session = session
        self._knows_elsewhere = knows_elsewhere

    def decode(self, delivery: Delivery) -> tuple[Job, Outcome | None]:
        """Return the job of a delivery, and why it can never be run, if that is so."""
        header = delivery.header
        try:
            task = read_task(delivery.data, self._core.serializer, header.id, delivery.following)
            if task.is_cut and delivery.following is None:
                return self._unreadable_job(delivery, "the stage that follows it is not in the storage any more")
        except SerializationError as error:
            return self._unreadable_job(delivery, str(error))
        except Exception as error:  # a serializer of the user's may raise anything; the message is what is bad
            fields = {"task_id": header.id, "queue": self._core.name}
            log_about(logger, logging.ERROR, "reading task %s", header.id, fields=fields, error=error)
            return self._unreadable_job(delivery, f"{type(error).__name__}: {error}")
        return self.accept(delivery, task)

    def accept(self, delivery: Delivery, task: Task) -> tuple[Job, Outcome | None]:
        """Do the same for a delivery whose task is known."""
        header = delivery.header
        spec = self._core.registry.get(task.path)
        if spec is None:
            first_seen = self._core.now() if header.first_seen is None else header.first_seen
            elsewhere = self._knows_elsewhere(task.path)
            return self._unknown_job(delivery, task), UnknownTask(first_seen, header.defers, elsewhere)
        job = Job(delivery, task, spec, self._core.name)
        deliveries = delivery.receipt.deliveries
        if delivery.started and spec.options.at_most_once:
            return job, WorkerLost(deliveries, started=True)
        return job, WorkerLost(deliveries) if deliveries >= header.max_deliveries else None

    async def collect(self, jobs: Sequence[Job]) -> dict[Job, Outcome]:
        """Give chords' callbacks what the members returned; return the ends of those that cannot get it."""
        callbacks = [job for job in jobs if job.delivery.header.collects]
        if not callbacks:
            return {}
        collected = await self._session.collect([job.task.id for job in callbacks])
        ends: dict[Job, Outcome] = {}
        for job, results in zip(callbacks, collected, strict=True):
            try:
                job.task.values = await self._read(job.task, results)
            except HueyException as error:
                ends[job] = Failed(error)
        return ends

    async def look_up(self, jobs: Sequence[Job]) -> None:
        """Read whether these jobs are revoked, all at once."""
        if not jobs:
            return
        names = {job.task.path for job in jobs}
        keys = [*map(class_key, names), *(instance_key(job.task.id) for job in jobs)]
        found = dict(zip(keys, await self._session.peek("revocations", keys), strict=True))
        now = self._core.now()
        endless: dict[str, bytes] = {}
        for job in jobs:
            own = (instance_key(job.task.id), class_key(job.task.path))
            picked = pick_revocation(own, (found[own[0]], found[own[1]]), now)
            job.revoked = None if picked is None else Revoked(picked[0] if picked[1].once else None)
            if picked is not None and picked[0] == own[0] and not picked[1].once and picked[1].until is None:
                endless[own[0]] = found[own[0]] or b""
        await asyncio.gather(
            *(self._session.compare_extend("revocations", key, value, STRAY_TTL) for key, value in endless.items())
        )

    async def _read(self, task: Task, results: MemberResults | None) -> list[Any]:
        if results is None:
            raise HueyException(f"what the members of its chord returned is gone: callback {task.path} ended before")
        values: list[Any] = []
        for position, data in enumerate(results):
            if position % _MOST_IN_A_TURN == _MOST_IN_A_TURN - 1:
                await asyncio.sleep(0)  # a chord may have thousands of members, and other tasks run on this loop
            values.append(read_member_result(data, self._core.serializer, task.id, position))
        return values

    def _unreadable_job(self, delivery: Delivery, reason: str) -> tuple[Job, Outcome]:
        expects = delivery.header.expects
        job = self._unknown_job(delivery, _stand_in((delivery.header.id, *expects)))
        return job, Unreadable(reason, expects)

    def _unknown_job(self, delivery: Delivery, task: Task) -> Job:
        spec = TaskSpec(task.path, _nothing, TaskOptions())
        spec.lane = delivery.header.lane
        return Job(delivery, task, spec, self._core.name)


def _stand_in(ids: Sequence[str]) -> Task:
    """Return a task for a message that cannot be read: of its stages no more is known than the ids."""
    following: Task | None = None
    for id in reversed(ids):
        following = Task("?", id=id, on_complete=following)
    assert following is not None
    return following
