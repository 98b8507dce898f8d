"""Who in this session waits for which ids: the registrations on the server, and the messages that answer them.

Theory of operation. The waiters share one channel. Registration and check are one script, so that an end cannot fall
between them, and the registrations of one turn of the loop are one call; one that is alone is sent at once, by who
waits, which saves a task and two turns. What a script ends comes as one message. After a reconnect everything that is
pending is registered again. All state belongs to the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from hueyio.exceptions import HueyException, SessionClosed, StorageUnavailable
from hueyio.storage.records import Over, Unknown
from hueyio.storage.redis.connection.mailbox import Mailbox
from hueyio.storage.redis.connection.wire import Wire
from hueyio.storage.redis.large import LARGE, Answered, fetch_large
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.scripts import Argument, Scripts
from hueyio.storage.shared.batching import Batcher
from hueyio.storage.shared.ended import KINDS
from hueyio.storage.shared.lifetime import Lifetime
from hueyio.storage.shared.turnstile import Turnstile
from hueyio.storage.shared.waiters import AtOnce, Exchange, Waiters

__all__ = ["RedisWaiters"]

_MOST_IN_A_CALL: Final = 500
_MOST_IN_A_TURN: Final = 200
"""Waits that begin in one turn of the loop; each costs it some 20 us."""
_NUMBER_LENGTH: Final = 8
_BIG: Final = ord("b")
_BIG_SHARED: Final = ord("B")
_WITH_DATA: Final = (ord("d"), ord("D"))


class _Change(NamedTuple):
    """A registration, or one that is taken back."""

    id: str
    number: int
    is_withdrawn: bool = False
    is_patient: bool = False


class _Found(NamedTuple):
    """What ``register_waiter.lua`` answers of one id that is over."""

    id: bytes
    number: bytes
    what: bytes
    data: bytes | int


class RedisWaiters:
    """The waiters of one session, under the name ``client``."""

    def __init__(
        self, client: str, layout: Layout, wire: Wire, scripts: Scripts, mailbox: Mailbox, lifetime: Lifetime
    ) -> None:
        self._client = client
        self._channel = layout.client_channel(client)
        self._layout = layout
        self._wire = wire
        self._scripts = scripts
        self._mailbox = mailbox
        self._lifetime = lifetime
        self._waiters = Waiters(self._exchange, at_once=AtOnce(self._is_idle, self._ask))
        self._is_asking = False
        self._changes: Batcher[_Change, None] = Batcher(self._change, _MOST_IN_A_CALL, lifetime.spawn)
        self._turnstile = Turnstile(_MOST_IN_A_TURN)

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits."""
        return self._waiters.is_awaited

    async def wait(self, ids: Sequence[str], unknown: Unknown = "return") -> list[Over]:
        """Return when all ids are over, in the order asked; ``unknown`` says what of ids of which nothing is known."""
        if not ids:
            return []
        await self._enter()
        return await self._waiters.wait(ids, unknown)

    async def hear(self, ids: Sequence[str], hear: Callable[[Over], object]) -> None:
        """Have each end told as it comes; return after the last."""
        await self._enter()
        await self._waiters.hear(ids, hear)

    async def register_again(self) -> None:
        """Register all that is pending, as after a reconnect."""
        pending = self._waiters.pending()
        patient = self._waiters.patient()
        if pending:
            await self._changes.submit([_Change(id, number, False, id in patient) for id, number in pending])

    def ask_again(self) -> None:
        """Ask the server again of all that is pending."""
        self._waiters.ask_again()

    async def drain(self) -> None:
        """Wait until all changes are written."""
        await self._changes.drain()

    def close(self) -> None:
        """End every wait, and take all registrations back."""
        pending = self._waiters.pending()
        self._waiters.close(SessionClosed("the session was closed, or its loop has ended"))
        self._withdraw(pending)

    async def _enter(self) -> None:
        await self._turnstile.enter()
        await self._mailbox.subscribe(self._channel, self._receive)
        self._lifetime.check()

    def _is_idle(self) -> bool:
        return not self._is_asking and self._changes.is_idle

    async def _ask(self, exchange: Exchange) -> None:
        """Write one registration, and hand out what is over already, as part of the wait for it."""
        self._is_asking = True
        ((id, number),) = exchange.wanted
        try:
            marked = _write_number(number, id in exchange.patient)
            found = await self._scripts.run("register_waiter", (self._client, 0, id, marked))
            if found and (large := self._hand_out(found)):
                await self._fetch(large)
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
                self._changes.submit([_Change(id, number, True) for id, number in registered])

    def _register(
        self, wanted: Collection[tuple[str, int]], patient: Collection[str] = (), again: Collection[str] = ()
    ) -> None:
        """Write registrations; fail who waits if that cannot be done, unless all will be registered again."""

        def note_end(future: asyncio.Future[list[None]]) -> None:
            error = None if future.cancelled() else future.exception()
            if isinstance(error, HueyException):
                self._note_failure(error, [id for id, _ in wanted if id not in again])

        with suppress(SessionClosed):  # then every wait has ended
            changes = [_Change(id, number, False, id in patient) for id, number in wanted]
            self._changes.submit(changes).add_done_callback(note_end)

    def _note_failure(self, error: HueyException, ids: Sequence[str]) -> None:
        if isinstance(error, StorageUnavailable):
            self._mailbox.renew()  # which registers all again, as often as it takes
        else:
            self._waiters.fail(error, ids)

    async def _change(self, changes: list[_Change]) -> list[None]:
        """Write changes and hand out what is over already."""
        withdrawn = [it for it in changes if it.is_withdrawn]
        gone = {it[:2] for it in withdrawn}
        args: list[Argument] = [self._client, len(withdrawn)]
        for it in (*withdrawn, *(it for it in changes if it[:2] not in gone)):
            args += (it.id, _write_number(it.number, it.is_patient))
        large = self._hand_out(await self._scripts.run("register_waiter", args))
        if large:  # whoever else has changes to write need not wait for these
            self._lifetime.spawn(self._fetch(large))
        return [None] * len(changes)

    def _hand_out(self, found: Sequence[Any]) -> list[_Found]:
        """Tell those whose wait is over already; return the rows whose results are large, to be fetched."""
        rows = [_Found(*found[at : at + 4]) for at in range(0, len(found), 4)]
        self._waiters.tell([_read_end(row, row.data) for row in rows if row.data != LARGE])
        return [row for row in rows if row.data == LARGE]

    async def _fetch(self, rows: Sequence[_Found]) -> None:
        """Read large results and hand them out."""
        ids = [row.id.decode() for row in rows]
        try:
            values = await fetch_large(self._layout, self._wire, ids, [row.data for row in rows])
        except HueyException as error:
            self._note_failure(error, ids)
        else:
            self._waiters.tell([_read_end(row, value) for row, value in zip(rows, values, strict=True)])

    def _receive(self, message: bytes) -> None:
        """Read a message; ``lua/parts/_waiting.lua`` says what it looks like."""
        at, stop = 0, len(message)
        while at < stop:
            number = message[at : at + _NUMBER_LENGTH]
            what = message[at + _NUMBER_LENGTH]
            raw, at = _cut(message, at + _NUMBER_LENGTH + 1)
            data = b""
            if what in _WITH_DATA:
                data, at = _cut(message, at)
            self._take(raw.decode(), number, what, data)

    def _take(self, id: str, digits: bytes, what: int, data: bytes) -> None:
        number = int(digits, 16)
        if what not in (_BIG, _BIG_SHARED):
            kind = KINDS.get(chr(what).lower(), "done")
            over = Over(id, data if what in _WITH_DATA else None, what < ord("a"), kind)
            self._waiters.tell([(number, over)])
        elif (id, number) in self._waiters.pending([id]):
            self._register([(id, number)])  # it is over, so that registering again fetches it


def _write_number(number: int, is_patient: bool) -> str:
    return f"{number:0{_NUMBER_LENGTH}x}?" if is_patient else f"{number:0{_NUMBER_LENGTH}x}"


def _read_end(row: _Found, data: Answered) -> tuple[int, Over]:
    """Read an end, and the number of the registration that it is for."""
    value = data if isinstance(data, bytes) and row.what[0] in _WITH_DATA else None
    over = Over(row.id.decode(), value, row.what[:1].isupper(), KINDS.get(row.what[1:].decode()))
    return int(row.number, 16), over


def _cut(message: bytes, at: int) -> tuple[bytes, int]:
    """Read what has its length before it; return it, and where the next begins."""
    start = at + 4
    stop = start + int.from_bytes(message[at:start], "big")
    return message[start:stop], stop
