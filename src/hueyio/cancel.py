"""Cancel tasks wherever they are.

Theory of operation. The storage flags every id that is alive, for good, and hands over what is queued or scheduled
under an owner's lease. So each round of cancellations registers an owner of its own, settles what it gets as
Cancelled through the same policy as a consumer, and deregisters. If this process dies in between, the flag stays,
and the consumer that gets the task ends it the same way. The consumers of running tasks are told by the storage. All
cancellations of one turn of the loop go together.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Coroutine, Sequence
from typing import Any, Final, Protocol
from uuid import uuid4

from hueyio.exceptions import SerializationError
from hueyio.execution.effects import Effects
from hueyio.execution.outcome import Cancelled
from hueyio.execution.policy import Rules, decide
from hueyio.execution.settlement import make_settlement
from hueyio.message import read_task
from hueyio.registry import Registry
from hueyio.serializer import Serializer
from hueyio.signals import Signals
from hueyio.storage.batching import Batcher
from hueyio.storage.contract import Session
from hueyio.storage.records import Delivery
from hueyio.task import Task

__all__ = ["Canceller"]

_MOST_AT_ONCE: Final = 500
_LEASE: Final = 15.0
_ALIVE: Final = ("queued", "scheduled", "running")


class _App(Protocol):
    """What cancelling needs of its Huey."""

    @property
    def registry(self) -> Registry: ...

    @property
    def serializer(self) -> Serializer: ...

    @property
    def signals(self) -> Signals: ...

    @property
    def rules(self) -> Rules: ...

    @property
    def result_ttl(self) -> float | None: ...

    def now(self) -> float: ...


class Canceller:
    """Cancels for one session."""

    def __init__(self, app: _App, session: Session) -> None:
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
        owner = f"canceller-{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:12]}"
        # Looked up first: a consumer may have ended the task before we could ask again.
        asked = list(dict.fromkeys(ids))
        alive = {it.id for it in await self.session.locate(asked) if it.place in _ALIVE}
        await self.session.register(owner, json.dumps({"lease": _LEASE}).encode())
        try:
            deliveries = await self.session.cancel(asked, owner)
            await self._settle(deliveries, owner)
        finally:
            await self.session.deregister(owner)
        alive |= {delivery.receipt.id for delivery in deliveries}
        return [id in alive for id in ids]

    async def _settle(self, deliveries: Sequence[Delivery], owner: str) -> None:
        if not deliveries:
            return
        now = self._app.now()
        decided = [(it, *self._decide(it, now)) for it in deliveries]
        if self._app.signals:
            for _, task, effects in decided:
                for signal in effects.before:
                    await self._app.signals.send(signal, task)
        settlements = [
            make_settlement(
                effects,
                delivery,
                registry=self._app.registry,
                serializer=self._app.serializer,
                result_ttl=self._app.result_ttl,
                now=now,
            )
            for delivery, _, effects in decided
        ]
        await self.session.settle(settlements, owner, 1)

    def _decide(self, delivery: Delivery, now: float) -> tuple[Task, Effects]:
        header = delivery.header
        try:
            task = read_task(delivery.data, self._app.serializer)
        except SerializationError:
            task = Task("?", id=header.id)  # it can be cancelled without being read
        return task, decide(task, Cancelled(), now, self._app.rules)._replace(downstream=header.expects)
