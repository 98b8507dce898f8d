"""Know the tasks that go on although they were told to end."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from hueyio.execution.job import Job
from hueyio.tasks.log_fields import log_about

__all__ = ["Stuck"]

logger = logging.getLogger(__name__)

_PATIENCE: Final = 5.0
"""Seconds that a cancelled body gets to end before it is named."""


class Stuck:
    """Looks at a job some time after its cancellation, and names it if its body still runs."""

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._stuck: set[Job] = set()

    def watch(self, job: Job, after: float = 0.0) -> asyncio.TimerHandle:
        """Look at the job when it should have ended: some patience after its cancellation, which is in ``after`` s."""
        return asyncio.get_running_loop().call_later(after + self._patience, self._look, job, job.slot)

    def __len__(self) -> int:
        # May be called from any thread: the copy is made in one step, and only the loop's thread changes the set.
        return sum(job.slot is not None for job in tuple(self._stuck))

    def _look(self, job: Job, slot: asyncio.Task[None] | None) -> None:
        if slot is None or job.slot is not slot:
            return
        self._stuck = {*(one for one in self._stuck if one.slot is not None), job}
        log_about(
            logger,
            logging.ERROR,
            "task %s %s is stuck: it has ignored its cancellation for %g s, and still runs%s",
            job.task.path,
            job.task.id,
            self._patience,
            job.whereabouts,
            fields=job.log_fields(),
        )
