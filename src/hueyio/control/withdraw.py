"""Take tasks out of the queue that nobody runs yet, and end them as cancelled.

The storage hands over what is queued or scheduled under an owner's lease, flagged for good. So whoever withdraws tasks
registers an owner of its own for as long as that takes, and settles what it gets through the same policy as a consumer.
Nothing beats for such an owner: if this process dies or stands still for a lease in between, consumers give it up, and
the one that gets the task ends it the same way, because the flag stays.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple, Protocol
from uuid import uuid4

from hueyio.execution.callback import tell_fired
from hueyio.execution.effects import Effects
from hueyio.execution.outcome import Cancelled
from hueyio.execution.policy import Rules, decide
from hueyio.execution.settlement import make_settlement
from hueyio.messages.message import read_task
from hueyio.serializer import Serializer
from hueyio.signals import Signals
from hueyio.storage.contract import Session
from hueyio.storage.records import Answer, Delivery, Finish
from hueyio.tasks.registry import Registry
from hueyio.tasks.task import Task

__all__ = ["App", "Withdrawn", "tell_after", "tell_before", "withdraw", "withdrawing"]

logger = logging.getLogger(__name__)

_LEASE: Final = 15.0


class App(Protocol):
    """What withdrawing needs of its Huey."""

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


class Withdrawn(NamedTuple):
    """A task that was taken out, and what its end is."""

    task: Task
    effects: Effects
    settlement: Finish


@asynccontextmanager
async def withdrawing(session: Session, purpose: str) -> AsyncIterator[str]:
    """Give an owner to withdraw tasks under; what it still holds in the end goes back."""
    owner = f"{purpose}-{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:12]}"
    await session.register(owner, json.dumps({"lease": _LEASE}).encode())
    try:
        yield owner
    finally:
        await session.deregister(owner)


def withdraw(app: App, delivery: Delivery) -> Withdrawn:
    """Decide and encode the end of a task that was handed over."""
    header, now = delivery.header, app.now()
    task = _read(app, delivery)
    effects = decide(task, Cancelled(), now, app.rules)._replace(downstream=header.expects)
    settlement = make_settlement(
        effects,
        delivery,
        registry=app.registry,
        serializer=app.serializer,
        result_ttl=app.result_ttl,
        now=now,
    )
    assert isinstance(settlement, Finish)
    return Withdrawn(task, effects, settlement)


async def tell_before(app: App, withdrawn: Withdrawn) -> None:
    """Send what is sent before the end is written."""
    for signal in withdrawn.effects.before:
        await app.signals.send(signal, withdrawn.task)


async def tell_after(app: App, session: Session, withdrawn: Withdrawn, answer: Answer) -> None:
    """Send what is sent when the end is written: that of the callback of a chord whose last member this was."""
    if answer == "fired" and withdrawn.task.chord is not None:
        await tell_fired(app, session, withdrawn.task.chord)


def _read(app: App, delivery: Delivery) -> Task:
    """Read the task; one that cannot be read can be ended all the same."""
    try:
        return read_task(delivery.data, app.serializer)
    except Exception as error:  # a serializer of the user's may raise anything
        logger.warning("task %s is cancelled without being read: %s", delivery.header.id, error)
        return Task("?", id=delivery.header.id)
