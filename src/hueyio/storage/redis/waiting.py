"""How who waits is registered on Redis, and the messages that answer.

The waiters of a session share one channel; what a script ends comes as one message (``lua/parts/_waiting.lua``). What
is too large for it is read on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hueyio.exceptions import HueyException
from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import Over
from hueyio.storage.redis.connection.mailbox import Mailbox
from hueyio.storage.redis.connection.wire import Wire
from hueyio.storage.redis.large import LARGE, Answered, fetch_large
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.scripts import Argument, Scripts
from hueyio.storage.shared.ended import KINDS
from hueyio.storage.shared.lifetime import Lifetime
from hueyio.storage.shared.server_waiters import Registration, ServerWaiters

__all__ = ["RedisWaiters"]

_NUMBER_LENGTH: Final = 8
_BIG: Final = ord("b")
_BIG_SHARED: Final = ord("B")
_WITH_DATA: Final = (ord("d"), ord("D"))


class _Found(NamedTuple):
    """What ``register_waiter.lua`` answers of one id that is over."""

    id: bytes
    number: bytes
    what: bytes
    data: bytes | int


class RedisWaiters(ServerWaiters):
    """The waiters of one session, under the name ``client``."""

    def __init__(
        self, client: str, layout: Layout, wire: Wire, scripts: Scripts, mailbox: Mailbox, lifetime: Lifetime
    ) -> None:
        super().__init__(lifetime)
        self._client = client
        self._channel = layout.client_channel(client)
        self._layout = layout
        self._wire = wire
        self._scripts = scripts
        self._mailbox = mailbox

    async def _listen(self) -> None:
        await self._mailbox.subscribe(self._channel, self._receive)

    def _renew(self) -> None:
        self._mailbox.renew()

    async def _write(self, gone: list[tuple[str, int]], wanted: list[Registration]) -> None:
        args: list[Argument] = [self._client, len(gone)]
        for id, number in gone:
            args += (id, _write_number(number, False))
        for id, number, is_patient in wanted:
            args += (id, _write_number(number, is_patient))
        large = self._hand_out(await self._scripts.run("register_waiter", args))
        if large:  # whoever else has changes to write need not wait for these
            self._lifetime.spawn(self._fetch(large))

    async def _write_alone(self, wanted: Registration) -> None:
        id, number, is_patient = wanted
        found = await self._scripts.run("register_waiter", (self._client, 0, id, _write_number(number, is_patient)))
        if found and (large := self._hand_out(found)):
            await self._fetch(large)

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
