"""The doorbell: an idle consumer says that it sleeps, looks once more, and waits to be rung.

Theory of operation. Whoever adds work rings those that sleep, and only those; a ring takes the sleeper's row away. So
one task, the porter, writes the row for all who wait in this session, and looks in the same step what there is. What
it finds counts as a ring if it is something else than it found before, or newer. A transaction that looked for
sleepers before the row was written, and commits after the look, rings nobody: therefore the porter looks again, soon
and then less often. All state belongs to the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from hueyio.exceptions import HueyException, SessionClosed
from hueyio.storage.postgres.connection.mailbox import Mailbox
from hueyio.storage.records import LANES, Bell, Delivery, Lane
from hueyio.storage.shared.lifetime import Lifetime
from hueyio.storage.shared.seen_rings import SeenRings

__all__ = ["BITS", "Doorbell"]

BITS: Final[Mapping[Bell, int]] = {"loop": 1, "thread": 2, "process": 4, "schedule": 8}
_PAUSES: Final = (0.02, 0.2, 1.0, 5.0)
"""Seconds between two looks; the last one again and again."""


class _Listener:
    __slots__ = ("bells", "woken")

    def __init__(self, bells: frozenset[Bell]) -> None:
        self.bells = bells
        self.woken = asyncio.Event()


class Doorbell:
    """Waits at the bells of one queue; ``call`` calls a function of the server for this client."""

    def __init__(self, call: Callable[..., asyncio.Future[Any]], mailbox: Mailbox, lifetime: Lifetime) -> None:
        self._call = call
        self._mailbox = mailbox
        self._lifetime = lifetime
        self._seen = SeenRings()
        self._numbers: dict[Bell, int] = dict.fromkeys(BITS, 0)
        self._found: dict[Bell, str | None] = dict.fromkeys(BITS)
        self._places: dict[Bell, int] = dict.fromkeys(BITS, 0)
        """The last place that was given when this session looked."""
        self._listeners: set[_Listener] = set()
        self._porter: asyncio.Task[None] | None = None
        self._nudged = asyncio.Event()
        self._failure: HueyException | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits."""
        return bool(self._listeners)

    async def wait(self, bells: Collection[Bell], timeout: float) -> frozenset[Bell]:
        """Return the bells that rang, or none after ``timeout`` seconds."""
        answer = self._seen.begin(bells)
        rung = answer(self._numbers)
        if rung is None and timeout <= 0:
            await self._look(frozenset(bells))
            rung = answer(self._numbers)
        if rung is not None or timeout <= 0:
            return self._seen.end(rung or {})
        listener = _Listener(frozenset(bells))
        self._listeners.add(listener)
        self._call_porter()
        try:
            async with asyncio.timeout(timeout):
                while True:
                    rung = answer(self._numbers)
                    if rung is not None:
                        return self._seen.end(rung)
                    self._check()
                    await listener.woken.wait()
                    listener.woken.clear()
        except TimeoutError:
            return frozenset()
        finally:
            self._listeners.discard(listener)

    def hear(self, mask: int) -> None:
        """Take note of a ring that the server passes on."""
        for bell, bit in BITS.items():
            if mask & bit:
                self._numbers[bell] += 1
        self._wake()
        self._nudged.set()

    def note_claim(self, room: Mapping[Lane, int], deliveries: Sequence[Delivery]) -> None:
        """Let the others who wait here hear of what a claim may have left."""
        if self._seen.note_claim(room, deliveries):
            self._wake()

    def look_again(self) -> None:
        """Have the porter look at once: a ring may have been missed."""
        self._nudged.set()

    def close(self) -> None:
        """End every wait."""
        self._failure = SessionClosed("the session was closed, or its loop has ended")
        self._wake()

    def _check(self) -> None:
        self._lifetime.check()
        if self._failure is not None:
            raise type(self._failure)(str(self._failure))

    def _call_porter(self) -> None:
        if self._porter is None:
            self._failure = None
            self._porter = self._lifetime.spawn(self._serve())
        self._nudged.set()

    async def _serve(self) -> None:
        try:
            turn = 0
            while self._listeners:
                await self._mailbox.ensure()
                if self._nudged.is_set():
                    turn = 0
                self._nudged.clear()
                await self._look(frozenset[Bell]().union(*(it.bells for it in self._listeners)))
                pause = _PAUSES[min(turn, len(_PAUSES) - 1)]
                turn += 1
                try:
                    async with asyncio.timeout(pause):
                        await self._nudged.wait()
                except TimeoutError:
                    continue
        except HueyException as error:
            self._failure = error
        finally:
            self._porter = None
            self._wake()

    async def _look(self, bells: frozenset[Bell]) -> None:
        """Say that this session sleeps, and note what there is."""
        if not bells:
            return
        mask = sum(BITS[bell] for bell in bells)
        ((*found, news, last_place),) = await self._call("sleep_1", mask, [self._places[lane] for lane in LANES])
        is_news = False
        for bell, what in zip(BITS, found, strict=True):
            if bell not in bells:
                continue
            if what is not None and (what != self._found[bell] or news & BITS[bell]):
                self._numbers[bell] += 1
                is_news = True
            self._found[bell] = what
            self._places[bell] = last_place
        if is_news:
            self._wake()

    def _wake(self) -> None:
        for listener in self._listeners:
            listener.woken.set()
