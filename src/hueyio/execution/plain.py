"""Which jobs need nothing from the loop around their bodies.

Their bodies may begin where the one before has ended, in a thread or a process, without the loop.
"""

from __future__ import annotations

import logging

from hueyio.core import Core
from hueyio.execution.job import Job
from hueyio.execution.run_log import run_logger

__all__ = ["is_plain"]


def is_plain(core: Core, job: Job) -> bool:
    """Say whether a job has no hooks, no receivers, no limit of time, no start to be written; in any thread.

    Nor a beginning to be logged: that of a task that may have ended consumers is.
    """
    task = job.task
    return not (
        task.timeout is not None
        or task.deadline_resolved is not None
        or job.spec.options.at_most_once
        or job.delivery.receipt.deliveries
        or core.hooks.surround_tasks
        or core.signals
        or run_logger.isEnabledFor(logging.DEBUG)
    )
