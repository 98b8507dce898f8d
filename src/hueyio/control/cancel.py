"""Cancel tasks wherever they are.

What is queued or scheduled is withdrawn at once. The consumers of running tasks are told by the storage. All
cancellations of one turn of the loop go together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from hueyio.control.withdraw import withdrawing
from hueyio.core import Core
from hueyio.loops.ordered import is_in_ordered_thread
from hueyio.storage.contract import Session
from hueyio.storage.shared.background import make_task
from hueyio.storage.shared.batching import Batcher

__all__ = ["cancel"]

T = TypeVar("T")

_MOST_AT_ONCE: Final = 500

_ALIVE: Final = ("queued", "scheduled", "running")


async def cancel(core: Core, id: str) -> bool:
    """Cancel a task; say whether it was alive (then it is over, or its consumer has been told)."""
    canceller = await core.beside_session(_Canceller, lambda session: _Canceller(core, session))
    # A hook that cancels may keep the thread for which the receivers of the others' cancellations wait.
    if is_in_ordered_thread():
        return await canceller.cancel_alone(id)
    (alive,) = await canceller.batcher.submit([id])
    return alive


class _Canceller:
    """Cancels for one session."""

    def __init__(self, core: Core, session: Session) -> None:
        self._core = core
        self._session = session
        self.batcher: Batcher[str, bool] = Batcher(self._cancel, _MOST_AT_ONCE, self._spawn)
        self._rounds: set[asyncio.Task[Any]] = set()

    async def cancel_alone(self, id: str) -> bool:
        """Cancel a task without waiting for others; it is carried through as theirs are."""
        (alive,) = await asyncio.shield(self._spawn(self._cancel([id])))
        return alive

    def _spawn(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = make_task(coroutine)
        self._rounds.add(task)
        task.add_done_callback(self._rounds.discard)
        return task

    async def _cancel(self, ids: list[str]) -> list[bool]:
        # Asked before: a running task may have ended, cancelled, by the time at which one could ask after it.
        alive = {found.id for found in await self._session.locate(ids) if found.state in _ALIVE}
        async with withdrawing(self._core, self._session, "canceller") as withdrawal:
            deliveries = await withdrawal.take(list(dict.fromkeys(ids)))
            await asyncio.gather(*[withdrawal.end(delivery) for delivery in deliveries])
        alive.update(delivery.receipt.id for delivery in deliveries)
        return [id in alive for id in ids]
