"""Who in a session on a server waits for which ids: when registrations are written, and what a failure means.

Theory of operation. Registration and check are one step on the server, so that an end cannot fall between them; the
registrations of one turn of the loop are one call. One that is alone is sent at once, by who waits, which saves a task
and two turns. After a reconnect everything that is pending is registered again. All state belongs to the loop.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Final

from hueyio.exceptions import HueyException, SessionClosed, StorageUnavailable
from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import Over, Unknown
from hueyio.storage.shared.batching import Batcher
from hueyio.storage.shared.lifetime import Lifetime
from hueyio.storage.shared.turnstile import Turnstile
from hueyio.storage.shared.waiters import AtOnce, Exchange, Waiters

__all__ = ["Registration", "ServerWaiters"]

_MOST_IN_A_CALL: Final = 500
_MOST_IN_A_TURN: Final = 200
"""Waits that begin in one turn of the loop; each costs it some 20 us."""


class Registration(NamedTuple):
    """A wait for an id under a number."""

    id: str
    number: int
    is_patient: bool = False
    """Whether it is kept where nothing is known of the id."""


class _Change(NamedTuple):
    """A registration, or one that is taken back."""

    registration: Registration
    is_withdrawn: bool = False


class ServerWaiters(ABC):
    """The waiters of one session; a storage says how registrations are written and how ends arrive."""

    def __init__(self, lifetime: Lifetime) -> None:
        self._lifetime = lifetime
        self._waiters = Waiters(self._exchange, at_once=AtOnce(self._is_idle, self._ask))
        self._is_asking = False
        self._changes: Batcher[_Change, None] = Batcher(self._change, _MOST_IN_A_CALL, lifetime.spawn)
        self._turnstile = Turnstile(_MOST_IN_A_TURN)

    @abstractmethod
    async def _listen(self) -> None:
        """Have ends passed on from now on."""

    @abstractmethod
    async def _write(self, gone: list[tuple[str, int]], wanted: list[Registration]) -> None:
        """Take these registrations back and make these, in this order; tell what is over already."""

    async def _write_alone(self, wanted: Registration) -> None:
        """Do the same for one registration, whose waiter waits for this."""
        await self._write([], [wanted])

    @abstractmethod
    def _renew(self) -> None:
        """Connect anew, after which ``register_again`` is called."""

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits."""
        return self._waiters.is_awaited

    async def wait(self, ids: Sequence[str], unknown: Unknown = "return") -> list[Over]:
        """Return when all ids are over, in the order asked; ``unknown`` says what of ids of which nothing is known."""
        if not ids:
            return []
        await self._enter(len(ids))
        return await self._waiters.wait(ids, unknown)

    async def hear(self, ids: Sequence[str], hear: Callable[[Over], object]) -> None:
        """Have each end told as it comes; return after the last."""
        await self._enter(max(1, len(ids)))
        await self._waiters.hear(ids, hear)

    async def register_again(self) -> None:
        """Register all that is pending, as after a reconnect."""
        pending = self._waiters.pending()
        patient = self._waiters.patient()
        if pending:
            await self._changes.submit([_Change(Registration(id, number, id in patient)) for id, number in pending])

    def ask_again(self) -> None:
        """Ask the server again of all that is pending, as is done now and then."""
        self._waiters.ask_again()

    async def drain(self) -> None:
        """Wait until all changes are written."""
        await self._changes.drain()

    def close(self) -> None:
        """End every wait, and take all registrations back."""
        pending = self._waiters.pending()
        self._waiters.close(SessionClosed("the session was closed, or its loop has ended"))
        self._withdraw(pending)

    def _register(
        self, wanted: Collection[tuple[str, int]], patient: Collection[str] = (), again: Collection[str] = ()
    ) -> None:
        """Write registrations; fail who waits if that cannot be done, unless all will be registered again."""

        def note_end(future: asyncio.Future[list[None]]) -> None:
            error = None if future.cancelled() else future.exception()
            if isinstance(error, HueyException):
                self._note_failure(error, [id for id, _ in wanted if id not in again])

        with suppress(SessionClosed):  # then every wait has ended
            changes = [_Change(Registration(id, number, id in patient)) for id, number in wanted]
            self._changes.submit(changes).add_done_callback(note_end)

    def _note_failure(self, error: HueyException, ids: Sequence[str]) -> None:
        if isinstance(error, StorageUnavailable):
            self._renew()  # which registers all again, as often as it takes
        else:
            self._waiters.fail(error, ids)

    async def _enter(self, count: int) -> None:
        await self._listen()
        await self._turnstile.enter(count)  # last: those who subscribed together would go on in one turn
        self._lifetime.check()

    def _is_idle(self) -> bool:
        return not self._is_asking and self._changes.is_idle

    async def _ask(self, exchange: Exchange) -> None:
        """Write one registration, and hand out what is over already, as part of the wait for it."""
        self._is_asking = True
        ((id, number),) = exchange.wanted
        try:
            await self._write_alone(Registration(id, number, id in exchange.patient))
        except HueyException as error:
            self._note_failure(error, [id])
        finally:
            self._is_asking = False

    def _exchange(self, exchange: Exchange) -> None:
        """Write registrations; what is taken back is awaited by nobody."""
        self._withdraw(exchange.unwanted)
        if exchange.wanted:
            self._register(exchange.wanted, exchange.patient, exchange.again)

    def _withdraw(self, registered: Collection[tuple[str, int]]) -> None:
        if registered:
            with suppress(SessionClosed):
                self._changes.submit([_Change(Registration(id, number), True) for id, number in registered])

    async def _change(self, changes: list[_Change]) -> list[None]:
        gone = dict.fromkeys(it[:2] for it, is_withdrawn in changes if is_withdrawn)
        wanted = [it for it, is_withdrawn in changes if not is_withdrawn and it[:2] not in gone]
        await self._write(list(gone), wanted)
        return [None] * len(changes)
