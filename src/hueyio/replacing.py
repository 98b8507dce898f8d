"""Put a new task in the place of the one that holds its unique key.

The holder is cancelled, which hands it over if nobody runs it yet, and then ended by a settlement with the new task as
its follow-up: one step, so that the key is never free in between. A holder that runs is left alone. Should it begin to
run just when it is cancelled, its end is awaited.
"""

from __future__ import annotations

import secrets
from typing import Protocol

from hueyio.exceptions import SerializationError
from hueyio.execution.effects import Effects
from hueyio.execution.outcome import Cancelled
from hueyio.execution.policy import Rules, decide
from hueyio.execution.settlement import make_settlement
from hueyio.message import read_task
from hueyio.registry import Registry
from hueyio.serializer import Serializer
from hueyio.signals import Signals
from hueyio.storage.contract import Session
from hueyio.storage.records import Delivery, Entry, Finish
from hueyio.task import Task

__all__ = ["replace"]


class _App(Protocol):
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


async def replace(app: _App, session: Session, entry: Entry, holder: str) -> str | None:
    """Enqueue the entry in the place of ``holder``; return the id of a holder that runs and stays, or None."""
    owner = f"replacing-{secrets.token_hex(8)}"
    await session.register(owner, b"{}")
    try:
        number = 0
        while True:
            (found,) = await session.locate([holder])
            if found.place == "running" and not found.cancelled:
                return holder
            taken = await session.cancel([holder], owner)
            if taken:
                number += 1
                if await _settle(app, session, taken[0], entry, number):
                    return None
            elif found.place == "running":
                await session.await_outcomes([holder])
            (placed,) = await session.enqueue([entry])
            if placed.verdict != "taken" or placed.holder is None:
                return None
            holder = placed.holder
    finally:
        await session.deregister(owner)


async def _settle(app: _App, session: Session, delivery: Delivery, entry: Entry, number: int) -> bool:
    """End the holder as cancelled, with the new task as what follows; False if somebody else has it by now."""
    task = _read(app, delivery)
    effects = decide(task, Cancelled(), app.now(), app.rules)
    settlement = _encode(app, effects, delivery)
    for signal in effects.before:
        await app.signals.send(signal, task)
    followed = settlement._replace(follow_ups=(*settlement.follow_ups, entry))
    (answer,) = await session.settle([followed], delivery.receipt.owner, number)
    return answer == "accepted"


def _encode(app: _App, effects: Effects, delivery: Delivery) -> Finish:
    settlement = make_settlement(
        effects,
        delivery,
        registry=app.registry,
        serializer=app.serializer,
        result_ttl=app.result_ttl,
        now=app.now(),
    )
    assert isinstance(settlement, Finish)
    return settlement


def _read(app: _App, delivery: Delivery) -> Task:
    try:
        return read_task(delivery.data, app.serializer)
    except SerializationError:
        return Task("?", id=delivery.header.id)
