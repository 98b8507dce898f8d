"""Huey: one class of all parts."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from hueyio.app.attending import Attending
from hueyio.app.dead_letters import DeadLetters
from hueyio.app.keeping import Keeping
from hueyio.app.limiting import Limiting
from hueyio.app.looking import Looking
from hueyio.app.pausing import Pausing
from hueyio.app.periodic import Periodic
from hueyio.app.sync_huey import SyncHuey
from hueyio.consumer import Consumer, ConsumerOptions
from hueyio.exceptions import ConfigurationError
from hueyio.signals import SIGNAL_INTERRUPTED

__all__ = ["Huey"]


class Huey(Periodic, Attending, Limiting, Looking, Keeping, DeadLetters, Pausing):
    """A queue of tasks: declares them, enqueues their calls, and makes the consumers that run them.

    Subclasses say where the queue is (``SqliteHuey``, ``RedisHuey``, ``MemoryHuey``). ``results=False`` stores none;
    ``store_none`` stores None too; ``store_intermediate_errors=False`` stores only the error of the last attempt;
    ``result_ttl`` (seconds, None: for ever) bounds how long a result that nobody reads is kept. With ``immediate`` a
    task runs where it is enqueued.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._consumers: WeakSet[Consumer] = WeakSet()

    @property
    def sync(self) -> SyncHuey:
        """All coroutine methods of this Huey for code that blocks: ``huey.sync.count()``."""
        return SyncHuey(self)

    def create_consumer(self, **options: Any) -> Consumer:
        """Make a consumer for the running loop; see ``ConsumerOptions`` for what can be set."""
        if self._immediate:
            raise ConfigurationError("a Huey in immediate mode runs its tasks itself; it has no work for a consumer")
        unknown = options.keys() - ConsumerOptions.__dataclass_fields__.keys()
        if unknown:
            raise ConfigurationError(f"a consumer has no option {', '.join(sorted(unknown))}")
        consumer = Consumer(self, ConsumerOptions(**options))
        self._consumers.add(consumer)
        return consumer

    async def notify_interrupted_tasks(self) -> None:
        """Send SIGNAL_INTERRUPTED for every task that consumers of this Huey, in this loop, are running now.

        A consumer that stops does so by itself for what it interrupts.
        """
        for consumer in list(self._consumers):
            for task in consumer.tasks_in_flight():
                await self.signals.send(SIGNAL_INTERRUPTED, task)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"
