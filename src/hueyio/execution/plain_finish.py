"""The settlement of nearly every run: it ended well, at its first attempt, and nothing follows.

What ``policy.decide`` and ``make_settlement`` say of such an end, without what they need for all others; so the task is
encoded once and no effects are made. Whatever is not plain goes their way.
"""

from __future__ import annotations

import time
from typing import Final

from hueyio.core import Core
from hueyio.execution.job import Job
from hueyio.execution.outcome import Outcome, Succeeded
from hueyio.execution.run_log import run_logger
from hueyio.messages.revocation import instance_key
from hueyio.messages.stored_result import write_value
from hueyio.storage.records import Finish, Receipt

__all__ = ["finish_plainly"]

_new = tuple.__new__  # for every task: the constructor of a named tuple costs a call more
_REST: Final = tuple(Finish(Receipt("", "", 0)))[7:]


def finish_plainly(core: Core, job: Job, outcome: Outcome, success_level: int) -> Finish | None:
    """Return the settlement of a plain success; None: it is not plain. Of one that is logged, it is not."""
    task, delivery = job.task, job.delivery
    if (
        type(outcome) is not Succeeded
        or task.on_complete is not None
        or task.attempt
        or delivery.header.latch is not None
        or job.spec.timetable is not None
        or run_logger.isEnabledFor(success_level)
    ):
        return None
    value, rules, id = outcome.value, core.rules, delivery.receipt.id
    data: bytes | None = None
    if rules.results and (value is not None or rules.store_none or job.spec.types is not None):
        try:
            if job.spec.types is not None:
                job.spec.types.check_result(value)
            if value is not None or rules.store_none:
                data = write_value(value, core.serializer.within("result", id))
        except BaseException:  # of a serializer, SystemExit too: the long way meets it again, and says what it means
            return None
    if not job.ended_at:
        job.ended_at = time.monotonic()
    deletes = (("revocations", instance_key(id)),)
    return _new(Finish, (delivery.receipt, data, core.result_ttl, (), None, (), deletes, *_REST))
