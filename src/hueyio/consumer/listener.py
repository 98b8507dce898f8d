"""Hear what others ask of this consumer: cancellations and revocations of what it holds, changed schedules, pauses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from hueyio.consumer.ledger import Ledger
from hueyio.consumer.service import Service
from hueyio.consumer.stuck import Stuck
from hueyio.execution.job import Job
from hueyio.storage.contract import Consuming
from hueyio.storage.records import Notices

__all__ = ["Listener"]


class Listener(Service):
    """Acts on notices. They are a level, not an edge: after a lost push the next one says the same again."""

    def __init__(
        self,
        session: Consuming,
        ledger: Ledger,
        owner: Callable[[], str],
        look_up: Callable[[Sequence[Job]], Awaitable[None]],
        on_write: Callable[[], None],
        stuck: Stuck,
        pause: Callable[[bool], None],
        on_reconnected: Callable[[], None],
    ) -> None:
        super().__init__()
        self._session = session
        self._ledger = ledger
        self._owner = owner
        self._look_up = look_up
        self._on_write = on_write
        self._stuck = stuck
        self._pause = pause
        self._on_reconnected = on_reconnected
        self._seen: Notices | None = None
        self._paused = False

    async def step(self) -> float:
        """Wait for the next notice and act on it."""
        before = self._seen
        notices = await self.interruptible(self._session.notices(self._owner(), before))
        if notices is None:
            self._seen = None  # woken because the owner changed
            return 0
        if notices == before:
            self._on_reconnected()
            return 0
        self._ledger.cancelled = notices.cancelled
        self._ledger.revocations = notices.revocations
        if notices.paused is not self._paused:
            self._paused = notices.paused
            self._pause(notices.paused)
        for id in notices.cancelled:
            self._cancel(self._ledger.get(id))
        if before is None or notices.revocations != before.revocations:
            self._on_write()
            await self._look_up([job for job in self._ledger if not job.started])
        self._seen = notices
        return 0

    def _cancel(self, job: Job | None) -> None:
        if job is None or job.cancelled:
            return
        job.cancelled = True
        if job.slot is not None:
            job.task.cancel_run()
            self._stuck.watch(job)
            job.slot.cancel()
