"""Tell that the callback of a chord is enqueued: by whoever wrote the end of the last member."""

from __future__ import annotations

from typing import Protocol

from hueyio.messages.message import read_task
from hueyio.serializer import Serializer
from hueyio.signals import SIGNAL_ENQUEUED, SIGNAL_SCHEDULED, Signals
from hueyio.storage.contract import Producing
from hueyio.tasks.task import Membership, Task

__all__ = ["tell_fired"]


class _App(Protocol):
    @property
    def serializer(self) -> Serializer: ...

    @property
    def signals(self) -> Signals: ...


async def tell_fired(app: _App, session: Producing, chord: Membership) -> None:
    """Send ENQUEUED or SCHEDULED for the callback; of one that is over already, receivers get the name and the id."""
    if not app.signals:
        return
    (found,) = await session.locate([chord.latch])
    if found.data is not None and found.state in ("queued", "scheduled", "running"):
        callback = read_task(found.data, app.serializer)
    else:
        callback = Task(chord.callback, id=chord.latch)
    await app.signals.send(SIGNAL_SCHEDULED if found.state == "scheduled" else SIGNAL_ENQUEUED, callback)
