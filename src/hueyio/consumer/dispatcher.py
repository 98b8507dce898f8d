"""Put what was claimed where it belongs: into its lane, or, if it may not run, straight to the settler.

What may not run (unreadable, unknown, lost too often, cancelled, expired, revoked) ends through the same policy as
everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hueyio.consumer.ledger import Ledger
from hueyio.core import Core
from hueyio.execution.intake import Intake
from hueyio.execution.job import Job
from hueyio.execution.outcome import Outcome, UnknownTask
from hueyio.storage.records import Delivery

__all__ = ["Dispatcher"]


def _nothing() -> None:
    """Stand in for what is done when this consumer does not know what it claims."""


class Dispatcher:
    """Deliveries to jobs. ``put`` takes a job that may run, ``end`` one that may not, with the reason.

    ``give_way`` is called when most of what came is not known here.
    """

    def __init__(
        self,
        core: Core,
        intake: Intake,
        ledger: Ledger,
        put: Callable[[Job], None],
        end: Callable[[Job, Outcome], None],
        give_way: Callable[[], None] = _nothing,
    ) -> None:
        self._core = core
        self._intake = intake
        self._ledger = ledger
        self._put = put
        self._end = end
        self._give_way = give_way

    async def dispatch(self, deliveries: Sequence[Delivery]) -> None:
        """Start or end all of these; raises StorageUnavailable before any of them was touched."""
        decoded = [self._intake.decode(delivery) for delivery in deliveries]
        runnable = [job for job, outcome in decoded if outcome is None]
        ends = await self._intake.collect(runnable)
        await self._intake.look_up([job for job in runnable if not job.delivery.unrevoked])
        now = self._core.now()
        for job, outcome in decoded:
            self._ledger.add(job)
            objection = outcome or job.objection(now) or ends.get(job)
            if objection is None:
                self._put(job)
            else:
                self._end(job, objection)
        if 2 * len([1 for _, outcome in decoded if isinstance(outcome, UnknownTask)]) > len(decoded):
            self._give_way()
