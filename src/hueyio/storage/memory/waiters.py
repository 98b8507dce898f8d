"""Whoever waits for something in memory, and how they are woken.

Everything here is called under the state's lock, by the thread of whichever session acts; a future that belongs to
another loop is therefore set by that loop. A wake-up carries nothing: the one that wakes looks for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Hashable, Sequence
from contextlib import suppress
from typing import Final, Generic, TypeVar

from hueyio.storage.records import Bell, EndKind, Over

__all__ = ["Bells", "Pokes", "Wait", "Waiter", "Waiters"]

K = TypeVar("K", bound=Hashable)


class Wait:
    """One coroutine that waits until it is woken."""

    __slots__ = ("_loop", "future")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.future: asyncio.Future[None] = loop.create_future()

    def wake(self) -> None:
        """Wake it, from any loop."""
        self._call(self.wake_here)

    def wake_here(self) -> None:
        """Wake it, from its own loop."""
        if not self.future.done():
            self.future.set_result(None)

    def _call(self, function: Callable[..., object], *args: object) -> None:
        """Call it on its loop, from any other."""
        if self._loop is asyncio.get_running_loop():
            function(*args)
        else:
            with suppress(RuntimeError):  # its loop was closed meanwhile: nobody waits any more
                self._loop.call_soon_threadsafe(function, *args)


class Pokes(Generic[K]):
    """Waits by what they wait for. Each is woken once and then forgotten."""

    __slots__ = ("waits",)

    def __init__(self) -> None:
        self.waits: dict[K, set[Wait]] = {}

    def add(self, keys: Collection[K], wait: Wait) -> None:
        """Let it be woken by any of the keys."""
        for key in keys:
            self.waits.setdefault(key, set()).add(wait)

    def discard(self, keys: Collection[K], wait: Wait) -> None:
        """Forget it."""
        for key in keys:
            waits = self.waits.get(key)
            if waits is not None:
                waits.discard(wait)
                if not waits:
                    del self.waits[key]

    def poke(self, key: K) -> None:
        """Wake whoever waits for the key."""
        for wait in self.waits.pop(key, ()):
            wait.wake()

    def poke_all(self) -> None:
        """Wake everybody."""
        for key in list(self.waits):
            self.poke(key)


class Bells:
    """The doorbell: a number for each bell that rises when it rings.

    Each session remembers the numbers that it has seen (``SeenRings``). So no ring is lost between two waits, and every
    session sees each; what is over before a session looks costs it one claim that finds nothing.
    """

    __slots__ = ("pokes", "rings")

    def __init__(self) -> None:
        self.rings: dict[Bell, int] = {"loop": 0, "thread": 0, "process": 0, "schedule": 0}
        self.pokes: Final[Pokes[Bell]] = Pokes()

    def ring(self, bell: Bell) -> None:
        """Ring one bell."""
        self.rings[bell] += 1
        if self.pokes.waits:
            self.pokes.poke(bell)


class Waiter(Wait):
    """One call that waits for ids; ``client`` is the session that made it, ``hear`` is told of each end on its loop."""

    __slots__ = ("_hear", "_left", "client", "found")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        client: object,
        found: dict[str, Over | None],
        hear: Callable[[Over], object] | None = None,
    ) -> None:
        super().__init__(loop)
        self.client = client
        self.found = found
        self._hear = hear
        self._left = sum(1 for over in found.values() if over is None)

    def missing(self) -> list[str]:
        """List what it still waits for."""
        return [id for id, over in self.found.items() if over is None]

    def tell(self, over: Over) -> None:
        """Let it know of one end; the last one wakes it."""
        self.found[over.id] = over
        self._left -= 1
        if self._hear is not None:
            self._call(self._hear, over)
        if not self._left:
            self.wake()


class Waiters:
    """Calls by the ids that they wait for."""

    __slots__ = ("waits",)

    def __init__(self) -> None:
        self.waits: dict[str, list[Waiter]] = {}

    def add(self, ids: Sequence[str], waiter: Waiter) -> None:
        """Register a call."""
        for id in ids:
            self.waits.setdefault(id, []).append(waiter)

    def take_back(self, waiter: Waiter) -> None:
        """Take back what is left of a call's registrations."""
        for id in waiter.missing():
            waits = self.waits[id]
            waits.remove(waiter)
            if not waits:
                del self.waits[id]

    def is_awaited(self, id: str) -> bool:
        """Say whether anybody waits for an id."""
        return id in self.waits

    def is_shared(self, id: str) -> bool:
        """Say whether several clients wait for an id."""
        waits = self.waits.get(id)
        return waits is not None and any(waiter.client is not waits[0].client for waiter in waits)

    def tell(self, id: str, data: bytes | None, kind: EndKind) -> None:
        """Tell all who wait for an id."""
        over = Over(id, data, self.is_shared(id), kind)
        for waiter in self.waits.pop(id, ()):
            waiter.tell(over)
