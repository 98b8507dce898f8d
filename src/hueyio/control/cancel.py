"""Cancel tasks wherever they are.

What is queued or scheduled is withdrawn at once. The consumers of running tasks are told by the storage. All
cancellations of one turn of the loop go together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from hueyio.control.withdraw import App, tell_after, tell_before, withdraw, withdrawing
from hueyio.storage.contract import Session
from hueyio.storage.records import Delivery
from hueyio.storage.shared.batching import Batcher

__all__ = ["Canceller"]

_MOST_AT_ONCE: Final = 500

_ALIVE: Final = ("queued", "scheduled", "running")


class Canceller:
    """Cancels for one session."""

    def __init__(self, app: App, session: Session) -> None:
        self.session = session
        self._app = app
        self._batcher: Batcher[str, bool] = Batcher(self._cancel, _MOST_AT_ONCE, self._spawn)
        self._rounds: set[asyncio.Task[None]] = set()

    async def cancel(self, ids: Sequence[str]) -> list[bool]:
        """Cancel these tasks; say of each whether it was alive (then it is over, or its consumer has been told)."""
        return await self._batcher.submit(ids)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._rounds.add(task)
        task.add_done_callback(self._rounds.discard)

    async def _cancel(self, ids: list[str]) -> list[bool]:
        # Asked before: a running task may have ended, cancelled, by the time at which one could ask after it.
        alive = {found.id for found in await self.session.locate(ids) if found.state in _ALIVE}
        async with withdrawing(self.session, "canceller") as owner:
            deliveries = await self.session.cancel(list(dict.fromkeys(ids)), owner)
            await self._settle(deliveries, owner)
        alive.update(delivery.receipt.id for delivery in deliveries)
        return [id in alive for id in ids]

    async def _settle(self, deliveries: Sequence[Delivery], owner: str) -> None:
        if not deliveries:
            return
        withdrawn = [withdraw(self._app, delivery) for delivery in deliveries]
        for each in withdrawn:
            await tell_before(self._app, each)
        answers = await self.session.settle([each.settlement for each in withdrawn], owner, 1)
        for each, answer in zip(withdrawn, answers, strict=True):
            await tell_after(self._app, self.session, each, answer)
