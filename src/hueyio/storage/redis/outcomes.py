"""Who in this session waits for which ids: any number of calls for any number of ids share one channel.

Theory of operation. The first call that wants an id registers it under a number; later ones join. Registration and
check are one script, so that an end cannot fall between them, and the registrations of one turn of the loop are one
call. What a script ends comes as one message. An answer counts only for the registration whose number it carries:
what was addressed to an earlier one, taken back since, is not taken for the end of the same id's next life. After a
reconnect everything that is pending is registered again. All state belongs to the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from hueyio.exceptions import HueyException, SessionClosed, StorageUnavailable
from hueyio.storage.records import Over
from hueyio.storage.redis.lifetime import Lifetime
from hueyio.storage.redis.mailbox import Mailbox
from hueyio.storage.redis.scripts import Argument, Scripts
from hueyio.storage.redis.wire import Wire
from hueyio.storage.shared.batching import Batcher
from hueyio.storage.shared.turnstile import Turnstile

__all__ = ["Outcomes"]

_MOST_IN_A_CALL: Final = 500
_MOST_IN_A_TURN: Final = 200
"""Waits that begin in one turn of the loop; each costs it some 20 us."""
_NUMBER_LENGTH: Final = 8
_BIG: Final = ord("b")
_BIG_SHARED: Final = ord("B")
_WITH_DATA: Final = (ord("d"), ord("D"))


class _Call:
    """One await, which ends when nothing is missing."""

    __slots__ = ("future", "got", "missing")

    def __init__(self, future: asyncio.Future[None], ids: Collection[str]) -> None:
        self.future = future
        self.missing = set(ids)
        self.got: dict[str, Over] = {}

    def take(self, over: Over) -> None:
        self.missing.discard(over.id)
        self.got[over.id] = over
        if not self.missing and not self.future.done():
            self.future.set_result(None)

    def fail(self, error: HueyException) -> None:
        if not self.future.done():
            self.future.set_exception(type(error)(str(error)))


class _Registration:
    __slots__ = ("calls", "number")

    def __init__(self, number: str) -> None:
        self.number = number
        self.calls: set[_Call] = set()


class _Change(NamedTuple):
    """A registration, or one that is taken back."""

    id: str
    number: str
    is_withdrawn: bool = False


class Outcomes:
    """The outcomes that one session waits for."""

    def __init__(self, client: str, channel: bytes, wire: Wire, scripts: Scripts, lifetime: Lifetime) -> None:
        self._client = client
        self._channel = channel
        self._wire = wire
        self._scripts = scripts
        self._lifetime = lifetime
        self._changes: Batcher[_Change, None] = Batcher(self._change, _MOST_IN_A_CALL, lifetime.spawn)
        self._turnstile = Turnstile(_MOST_IN_A_TURN)
        self._registrations: dict[str, _Registration] = {}
        self._number = 0
        self._mailbox: Mailbox | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits."""
        return bool(self._registrations)

    async def wait(self, ids: Sequence[str], mailbox: Mailbox) -> list[Over]:
        """Return when all ids are over, in the order asked."""
        if not ids:
            return []
        await self._turnstile.enter()
        self._mailbox = mailbox
        await mailbox.subscribe(self._channel, self._receive)
        self._lifetime.check()
        call = _Call(asyncio.get_running_loop().create_future(), ids)
        self._join(call)
        try:
            await call.future
        finally:
            if call.missing:
                self._leave(call)
        return [call.got[id] for id in ids]

    async def register_again(self) -> None:
        """Register all that is pending, as after a reconnect."""
        pending = [_Change(id, registration.number) for id, registration in self._registrations.items()]
        if pending:
            await self._changes.submit(pending)

    async def drain(self) -> None:
        """Wait until all changes are written."""
        await self._changes.drain()

    def close(self) -> None:
        """End every wait."""
        for registration in self._registrations.values():
            for call in registration.calls:
                call.fail(SessionClosed("the session was closed, or its loop has ended"))

    def _join(self, call: _Call) -> None:
        new: list[_Change] = []
        for id in call.missing:
            registration = self._registrations.get(id)
            if registration is None:
                self._number += 1
                registration = self._registrations[id] = _Registration(f"{self._number & 0xFFFFFFFF:08x}")
                new.append(_Change(id, registration.number))
            registration.calls.add(call)
        if new:
            self._changes.submit(new).add_done_callback(lambda future: self._note_failure(new, future))

    def _note_failure(self, changes: Sequence[_Change], future: asyncio.Future[list[None]]) -> None:
        """See to it that a registration which did not go through is made again, or fail the calls that want it."""
        error = None if future.cancelled() else future.exception()
        if not isinstance(error, HueyException):
            return
        if isinstance(error, StorageUnavailable) and self._mailbox is not None:
            self._mailbox.renew()  # which registers all again, as often as it takes
            return
        for id, number, _ in changes:
            registration = self._registrations.get(id)
            if registration is not None and registration.number == number:
                for call in registration.calls:
                    call.fail(error)

    def _leave(self, call: _Call) -> None:
        """Take back what nobody else waits for; nobody waits for that."""
        unwanted: list[_Change] = []
        for id in call.missing:
            registration = self._registrations.get(id)
            if registration is not None:
                registration.calls.discard(call)
                if not registration.calls:
                    del self._registrations[id]
                    unwanted.append(_Change(id, registration.number, True))
        if unwanted:
            with suppress(SessionClosed):
                self._changes.submit(unwanted)

    async def _change(self, changes: list[_Change]) -> list[None]:
        """Write changes and hand out what is over already."""
        args: list[Argument] = [self._client, 0]
        withdrawn = [it for it in changes if it.is_withdrawn]
        args[1] = len(withdrawn)
        for it in (*withdrawn, *(it for it in changes if not it.is_withdrawn)):
            args += (it.id, it.number)
        found = await self._wire.call(self._scripts.command("watch", args))
        for at in range(0, len(found), 4):
            id, number, what, data = found[at : at + 4]
            self._take(id.decode(), number.decode(), what[0], data)
        return [None] * len(changes)

    def _receive(self, message: bytes) -> None:
        """Read a message; ``lua/_waiting.lua`` says what it looks like."""
        at, stop = 0, len(message)
        while at < stop:
            number = message[at : at + _NUMBER_LENGTH].decode()
            what = message[at + _NUMBER_LENGTH]
            raw, at = _cut(message, at + _NUMBER_LENGTH + 1)
            data = b""
            if what in _WITH_DATA:
                data, at = _cut(message, at)
            self._take(raw.decode(), number, what, data)

    def _take(self, id: str, number: str, what: int, data: bytes) -> None:
        registration = self._registrations.get(id)
        if registration is None or registration.number != number:
            return
        if what in (_BIG, _BIG_SHARED):
            # It is over, so that registering again fetches it.
            self._changes.submit([change := _Change(id, number)]).add_done_callback(
                lambda future: self._note_failure([change], future)
            )
            return
        del self._registrations[id]
        over = Over(id, data if what in _WITH_DATA else None, what < ord("a"))
        for call in registration.calls:
            call.take(over)


def _cut(message: bytes, at: int) -> tuple[bytes, int]:
    """Read what has its length before it; return it, and where the next begins."""
    start = at + 4
    stop = start + int.from_bytes(message[at:start], "big")
    return message[start:stop], stop
