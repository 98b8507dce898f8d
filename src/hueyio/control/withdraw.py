"""Take tasks out of the queue that nobody runs yet, and end them as cancelled.

The storage hands over what is queued or scheduled under an owner's lease, flagged for good. So whoever withdraws tasks
registers an owner of its own for as long as that takes, and settles what it gets through the same pipeline as a
consumer. Nothing beats for such an owner: if this process dies or stands still for a lease in between, consumers give
it up, and the one that gets the task ends it the same way, because the flag stays.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Coroutine, Sequence
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any, Final

from hueyio.core import DEFAULT_LEASE, Core
from hueyio.execution.end import End
from hueyio.execution.finish import conclude, finish
from hueyio.execution.intake import Intake
from hueyio.execution.job import Job
from hueyio.execution.outcome import Cancelled
from hueyio.execution.recorder import Recorder, Settled
from hueyio.storage.contract import Session
from hueyio.storage.records import Answer, Bury, Delivery, Entry, Finish, Settlement
from hueyio.storage.shared.background import make_task
from hueyio.storage.shared.batching import Batcher
from hueyio.storage.shared.letters import unkept

__all__ = ["Withdrawal", "withdrawing"]

_MOST_AT_ONCE: Final = 500


class Withdrawal:
    """An owner that takes tasks out, for as long as that takes. Its settlements of one turn are one write."""

    def __init__(self, core: Core, session: Session, purpose: str) -> None:
        self.owner = f"{purpose}-{socket.gethostname()}-{os.getpid()}-{token_hex(6)}"
        self._core = core
        self._session = session
        self._intake = Intake(core, session)
        self._number = 0
        self._recorder = Recorder(core)
        self._batcher: Batcher[Settled, Answer] = Batcher(self._settle, _MOST_AT_ONCE, self._spawn)
        self._writing: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """Begin the lease."""
        await self._session.register(self.owner, json.dumps({"lease": DEFAULT_LEASE}).encode())

    async def take(self, ids: Sequence[str]) -> list[Delivery]:
        """Flag these tasks for cancellation; return those that nobody runs, which are now held here."""
        return await self._session.cancel(ids, self.owner)

    async def end(self, delivery: Delivery, successor: Entry | None = None) -> Answer:
        """End a task that was taken as cancelled, and enqueue its successor in the same step; return the answer."""
        job, _ = self._intake.decode(delivery)
        end = conclude(self._core, job, Cancelled())
        if successor is not None:
            end = _followed(end, successor)
        return await finish(self._core, job, end, None, lambda settlement: self._write(job, settlement))

    async def close(self) -> None:
        """End the lease; what is still held goes back."""
        await self._session.deregister(self.owner)

    def _write(self, job: Job, settlement: Settlement) -> Awaitable[Answer]:
        return make_task(_first(self._batcher.submit([Settled(job, settlement)])))

    async def _settle(self, batch: list[Settled]) -> list[Answer]:
        self._number += 1
        history = self._recorder.record(batch, self.owner)
        return await self._session.settle([it.settlement for it in batch], self.owner, self._number, history)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = make_task(coroutine)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)


@asynccontextmanager
async def withdrawing(core: Core, session: Session, purpose: str) -> AsyncIterator[Withdrawal]:
    """Give an owner to withdraw tasks under; what it still holds in the end goes back."""
    withdrawal = Withdrawal(core, session, purpose)
    await withdrawal.begin()
    try:
        yield withdrawal
    finally:
        await withdrawal.close()


async def _first(submitted: asyncio.Future[list[Answer]]) -> Answer:
    (answer,) = await submitted
    return answer


def _followed(end: End, successor: Entry) -> End:
    """Let a task make way for another. Nobody runs it again, so no letter of it is kept."""
    settlement = unkept(end.settlement) if isinstance(end.settlement, Bury) else end.settlement
    assert isinstance(settlement, Finish)
    return end._replace(settlement=settlement._replace(follow_ups=(*settlement.follow_ups, successor)))
