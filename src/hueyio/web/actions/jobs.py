"""Actions on many tasks: in steps, at once where they are few, else in the background with a count that all pages show.

A job is known to the process that runs it. One that is stopped, or whose process ends, has done what it has done, and
what it had not come to is as it was.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hueyio.core import Core
from hueyio.storage.shared.background import make_task
from hueyio.web.settings import Permission

__all__ = ["AT_ONCE", "Job", "Jobs", "jobs_of"]

logger = logging.getLogger(__name__)

AT_ONCE: Final = 1000
"""So many are done while the visitor waits."""

_PER_STEP: Final = 100
_SHOWN: Final = 60.0
"""Seconds for which the answer of a job stands on the pages."""


@dataclass(slots=True, kw_only=True)
class Job:
    """One action on many. Owned by its ``Jobs``; pages read it."""

    id: str
    label: str
    permission: Permission
    """What it takes to stop it too."""
    total: int = 0
    """How many there are; 0 while they are being looked for."""
    done: int = 0
    answer: str = ""
    """What it did; empty while it runs."""
    over_at: float | None = None
    is_stopped: bool = False
    running: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def said(self) -> str:
        """How far it is, in words."""
        return f"{self.done:,} of {self.total:,}" if self.total else "looking for them"

    @property
    def fraction(self) -> float:
        """How far it is."""
        return self.done / self.total if self.total else 0.0


Find = Callable[[int | None, Callable[[], bool]], Awaitable[Sequence[str] | None]]
"""Returns the ids of those that are meant, at least so many if there are as many; None: all. It ends when the function
that it is given says so. Of some, None: to look for them takes too long for one who waits."""

Step = Callable[[Sequence[str]], Awaitable[None]]
Tell = Callable[[bool], Awaitable[str]]
"""Is given whether all was done; notes it in the audit log and says what was done."""


class Jobs:
    """The jobs of one queue in this process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._jobs: dict[str, Job] = {}
        self._short: set[asyncio.Task[str]] = set()
        """Those for which a visitor waits."""

    async def run(self, label: str, permission: Permission, find: Find, step: Step, tell: Tell) -> str:
        """Do it, or begin to; return what was done, or that it goes on."""
        job = Job(id=secrets.token_hex(8), label=label, permission=permission)
        ids = await find(AT_ONCE + 1, lambda: False)
        if ids is not None and len(ids) <= AT_ONCE:
            # By itself: a visitor who goes away must not cut it off between a step and its audit entry.
            working = make_task(_do_and_tell(job, ids, step, tell))
            self._short.add(working)
            working.add_done_callback(self._short.discard)
            return await asyncio.shield(working)
        self._jobs[job.id] = job
        job.running = make_task(self._work(job, find, step, tell))
        many = "a long list" if ids is None else f"more than {AT_ONCE:,} tasks"
        return f"{label} goes on in the background: {many}."

    def find(self, id: str) -> Job | None:
        """Return a job that is not over; None if it is, or is not known here."""
        job = self._jobs.get(id)
        return None if job is None or job.over_at is not None else job

    def shown(self) -> list[Job]:
        """List what runs, and what ended a short time ago."""
        until = self._monotonic() - _SHOWN
        self._jobs = {id: job for id, job in self._jobs.items() if job.over_at is None or job.over_at >= until}
        return list(self._jobs.values())

    async def end_with_session(self) -> None:
        """Stop all, and wait for the steps under way: a write is never cancelled."""
        for job in self._jobs.values():
            job.is_stopped = True
        running = [*self._short, *(job.running for job in self._jobs.values() if job.running is not None)]
        if running:
            await asyncio.wait(running)

    async def _work(self, job: Job, find: Find, step: Step, tell: Tell) -> None:
        try:
            ids = await find(None, lambda: job.is_stopped)
            job.answer = await _do_and_tell(job, ids or (), step, tell)
        except asyncio.CancelledError:
            logger.warning("%s was cut off after %d of %d tasks", job.label, job.done, job.total)
            raise
        except Exception as error:  # nobody awaits a job: what ended it is logged, and said on the pages
            logger.exception("%s ended after %d of %d tasks", job.label, job.done, job.total)
            job.answer = f"It ended after {job.done:,} of {job.total:,}: {error}"
        finally:
            job.over_at = self._monotonic()


async def jobs_of(core: Core) -> Jobs:
    """Return the jobs of a queue, in the running loop."""
    return await core.beside_session(Jobs, lambda session: Jobs())


async def _do_and_tell(job: Job, ids: Sequence[str], step: Step, tell: Tell) -> str:
    """Do it and tell: also what was done before a failure."""
    try:
        is_whole = await _do(job, ids, step)
    except Exception:
        try:
            await tell(False)
        except Exception:  # the storage is away, most likely: the first error says more
            logger.exception("%s of %d tasks stands in no audit entry", job.label, job.done)
        raise
    return await tell(is_whole)


async def _do(job: Job, ids: Sequence[str], step: Step) -> bool:
    """Do it in steps; say whether all was done."""
    job.total = len(ids)
    if job.is_stopped:
        return False
    for start in range(0, len(ids), _PER_STEP):
        if job.is_stopped:
            return False
        some = ids[start : start + _PER_STEP]
        await step(some)
        job.done += len(some)
    return True
