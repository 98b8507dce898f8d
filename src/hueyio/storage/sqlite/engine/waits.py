"""The waits of one session: one look serves all of them.

What is waited for is a level that can be read at any time: the four bells are counters in the queue's row, notices
are flags, outcomes are rows addressed to this client. So a wake-up only means "look", a lost one costs time and
nothing else, and a wait that is cancelled takes nothing with it. A session remembers which count of a bell it last
returned to somebody (0 at first): a ring that nobody heard is still a difference when the next one waits, while work
that is ready but cannot be claimed rings nobody a second time, so no consumer spins.

A long wait for work that begins while the poll thread looks all the time needs no look of its own: what rang before
stands in the last view, or a claim has made up for it, and what rings from now on nudges the thread.

All state here belongs to the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from hueyio.storage.records import Bell, Delivery, Lane, Notices
from hueyio.storage.shared.answers import reject, resolve
from hueyio.storage.shared.doorbell import Doorbell
from hueyio.storage.shared.seen_rings import SeenRings
from hueyio.storage.shared.waiters import Waiters
from hueyio.storage.sqlite.engine.place import Place
from hueyio.storage.sqlite.engine.poll_thread import EPOCH, Order, PollThread, View
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.options import SqliteOptions

__all__ = ["Waits"]

T = TypeVar("T")

_LONG_WAIT: Final = 1.0
"""Seconds. A shorter wait may end before the next slow look, so it has one of its own."""


class _Wait(Generic[T]):
    """Somebody who waits until ``answer`` makes something of a view."""

    def __init__(
        self,
        number: int,
        future: asyncio.Future[T | None],
        answer: Callable[[View], T | None],
        owner: str | None,
        followed: str | None,
        has_looked: bool,
    ) -> None:
        self.number = number
        self.future = future
        self.answer = answer
        self.owner = owner
        self.followed = followed
        self._has_looked = has_looked
        self._is_late = False

    def show(self, view: View) -> None:
        """Judge a view, unless its look began before the wait."""
        if view.order.number >= self.number:
            self._has_looked = True
            answer = self.answer(view)
            if answer is not None or self._is_late:
                resolve(self.future, answer)

    def expire(self) -> None:
        """Give up, but not before the first look: a time-out of 0 means one look."""
        self._is_late = True
        if self._has_looked:
            resolve(self.future, None)


class Waits:
    """All waits of a session but those of ``waiters``, whose mail it only hands on."""

    def __init__(self, options: SqliteOptions, place: Place, client: str, doorbell: Doorbell, waiters: Waiters) -> None:
        self._loop = asyncio.get_running_loop()
        self._doorbell = doorbell
        self._waiters = waiters
        self._waits: set[_Wait[Any]] = set()
        self._seen_rings = SeenRings()
        self._number = 0
        self._rings: dict[Bell, int] = {}
        """How often each bell had rung, as far as it is known; nothing while nobody looks."""
        self._is_at_bells = False
        """Whether others can reach this session's bell."""
        self.poll_thread = PollThread(options, place, client, doorbell, self.show, self.fail)

    async def wait_for_work(self, bells: Collection[Bell], timeout: float) -> frozenset[Bell]:
        """Return the bells that rang since they were last returned, or none after the time-out."""
        answer = self._seen_rings.begin(bells)
        needs_look = timeout < _LONG_WAIT or not self._rings or not self._is_at_bells
        rung = None if needs_look else answer(self._rings)
        if rung is None:
            rung = await self._wait(lambda view: answer(view.counts), timeout=timeout, needs_look=needs_look)
        return self._seen_rings.end(rung or {})

    def note_claim(self, room: Mapping[Lane, int], deliveries: Sequence[Delivery]) -> None:
        """Let the others who wait on this session hear of what a claim left."""
        if self._seen_rings.note_claim(room, deliveries) and self._waits:
            self.look()

    async def notices(self, owner: str, seen: Notices | None) -> Notices:
        """Return an owner's notices when they differ from ``seen``."""

        def answer(view: View) -> Notices | None:
            now = Notices(view.flagged[owner], view.revocations, view.paused)
            return None if now == seen else now

        found = await self._wait(answer, owner=owner)
        assert found is not None
        return found

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        """Return a task's progress when it differs from ``seen``, or None when the task is over."""

        def answer(view: View) -> tuple[bytes | None] | None:
            if id not in view.progress:
                return (None,)
            now = view.progress[id]
            return None if now is None or now == seen else (now,)

        found = await self._wait(answer, followed=id)
        assert found is not None
        return found[0]

    def look(self) -> None:
        """Look now and go on while anybody waits; a look that began before does not count."""
        self._number += 1
        owners = frozenset(wait.owner for wait in self._waits if wait.owner is not None)
        followed = frozenset(wait.followed for wait in self._waits if wait.followed is not None)
        self.poll_thread.look(Order(self._number, owners, followed))

    def go_on_looking(self, *, is_urgent: bool) -> None:
        """See to it that somebody looks from now on, and at once if it is urgent."""
        if is_urgent or not self._rings:
            self.look()

    def receive(self, transaction: Transaction) -> None:
        """Hand on what an own commit has for this very session."""
        self._waiters.tell(transaction.mail)
        if transaction.answered:
            # Two files may have counted the same, as in a view.
            offset = transaction.epoch * EPOCH
            answered: dict[Bell, int] = {bell: number + offset for bell, number in transaction.answered.items()}
            self._seen_rings.note_answered(answered)
            if self._rings:
                self._rings.update(answered)

    def show(self, view: View) -> None:
        """Show a view to all who wait."""
        self._rings = view.counts.copy()
        self._waiters.receive(view.mail)
        for wait in self._waits:
            wait.show(view)
        self._rest()

    def fail(self, error: BaseException) -> None:
        """Wake every wait with this error."""
        self._rings = {}
        for wait in self._waits:
            reject(wait.future, error)
        self._waiters.fail(error)

    async def _wait(
        self,
        answer: Callable[[View], T | None],
        *,
        owner: str | None = None,
        followed: str | None = None,
        timeout: float | None = None,
        needs_look: bool = True,
    ) -> T | None:
        self._doorbell.listen("work")
        self._is_at_bells = True
        # look() gives the order the next number.
        number = self._number + needs_look
        wait = _Wait(number, self._loop.create_future(), answer, owner, followed, not needs_look)
        timer = None if timeout is None else self._loop.call_later(timeout, wait.expire)
        self._waits.add(wait)
        try:
            if needs_look:
                self.look()
            return await wait.future
        finally:
            self._waits.discard(wait)
            if timer is not None:
                timer.cancel()
            self._rest()

    def _rest(self) -> None:
        if not self._waits and not self._waiters.is_awaited:
            self.poll_thread.rest()
            self._rings = {}
