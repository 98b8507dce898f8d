"""Who in this session waits for which ids: the registrations on the server, and the messages that answer them.

Theory of operation. Registration and check are one step, which holds on to the task's row for a moment, so that an end
cannot fall between them; if somebody is ending it just then, it is asked again at once. A settlement takes the
registrations of what it ends, and sends the ends along. What is too large for a message waits on the server. After a
reconnect everything that is pending is registered again. All state belongs to the loop.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any, Final

from hueyio.exceptions import HueyException, SessionClosed, StorageUnavailable
from hueyio.named_tuple import NamedTuple
from hueyio.storage.postgres.connection.mailbox import Mailbox
from hueyio.storage.postgres.texts import from_json
from hueyio.storage.records import Over, Unknown
from hueyio.storage.shared.batching import Batcher
from hueyio.storage.shared.ended import KINDS
from hueyio.storage.shared.lifetime import Lifetime
from hueyio.storage.shared.turnstile import Turnstile
from hueyio.storage.shared.waiters import AtOnce, Exchange, Waiters

__all__ = ["PostgresWaiters"]

_MOST_IN_A_CALL: Final = 500
_MOST_IN_A_TURN: Final = 200
"""Waits that begin in one turn of the loop."""
_BUSY: Final = "?"
"""Stands for the kind of what somebody is ending just now."""
_BUSY_REST: Final = 0.002


class _Change(NamedTuple):
    """A registration, or one that is taken back."""

    id: str
    number: int
    is_withdrawn: bool = False
    is_patient: bool = False


class PostgresWaiters:
    """The waiters of one session; ``call`` calls a function of the server for this client."""

    def __init__(
        self, call: Callable[..., asyncio.Future[Any]], mailbox: Mailbox, lifetime: Lifetime, bounds: str
    ) -> None:
        self._call = call
        self._mailbox = mailbox
        self._lifetime = lifetime
        self._bounds = bounds
        self._waiters = Waiters(self._exchange, at_once=AtOnce(self._is_idle, self._ask))
        self._is_asking = False
        self._in_order = asyncio.Lock()
        """Registrations take effect in the order of the calls, also where two would go by different connections."""
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
        await self._enter(len(ids))
        return await self._waiters.wait(ids, unknown)

    async def hear(self, ids: Sequence[str], hear: Callable[[Over], object]) -> None:
        """Have each end told as it comes; return after the last."""
        await self._enter(max(1, len(ids)))
        await self._waiters.hear(ids, hear)

    def receive(self, kind: str, message: str) -> None:
        """Take ends that the server passes on, or fetch those that are too large for that."""
        if kind == "e":
            self._waiters.tell([_read_end(row) for row in from_json(message)])
        else:
            with suppress(SessionClosed):
                self._lifetime.spawn(self._fetch())

    async def register_again(self) -> None:
        """Register all that is pending, as after a reconnect."""
        pending = self._waiters.pending()
        patient = self._waiters.patient()
        if pending:
            await self._fetch()
            await self._changes.submit([_Change(id, number, False, id in patient) for id, number in pending])

    async def drain(self) -> None:
        """Wait until all changes are written."""
        await self._changes.drain()

    def close(self) -> None:
        """End every wait, and take all registrations back."""
        pending = self._waiters.pending()
        self._waiters.close(SessionClosed("the session was closed, or its loop has ended"))
        self._withdraw(pending)

    async def _enter(self, count: int) -> None:
        await self._mailbox.ensure()
        await self._turnstile.enter(count)  # last: those who subscribed together would go on in one turn
        self._lifetime.check()

    def _is_idle(self) -> bool:
        return not self._is_asking and self._changes.is_idle

    async def _ask(self, exchange: Exchange) -> None:
        """Write one registration, and hand out what is over already, as part of the wait for it."""
        self._is_asking = True
        try:
            await self._change([_Change(id, number, False, id in exchange.patient) for id, number in exchange.wanted])
        except HueyException as error:
            self._note_failure(error, [id for id, _ in exchange.wanted])
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
        withdrawn = {it[:2] for it in changes if it.is_withdrawn}
        wanted = [it for it in changes if it[:2] not in withdrawn]
        gone = sorted(withdrawn)
        async with self._in_order:
            await self._write(gone, wanted)
        return [None] * len(changes)

    async def _write(self, gone: list[tuple[str, int]], wanted: list[_Change]) -> None:
        while gone or wanted:
            wanted.sort()
            rows = await self._call(
                "register_1",
                [id for id, _ in gone],
                [number for _, number in gone],
                [it.id for it in wanted],
                [it.number for it in wanted],
                [it.is_patient for it in wanted],
                self._bounds,
            )
            over = [
                (number, Over(id, data, False, KINDS.get(kind))) for id, number, kind, data in rows if kind != _BUSY
            ]
            self._waiters.tell(over)
            busy = {(id, number) for id, number, kind, _ in rows if kind == _BUSY}
            gone, wanted = [], [it for it in wanted if it[:2] in busy]
            if wanted:
                await asyncio.sleep(_BUSY_REST)

    async def _fetch(self) -> None:
        """Read the ends that wait on the server."""
        try:
            rows = await self._call("fetch_ends_1")
        except HueyException:
            self._mailbox.renew()
        else:
            self._waiters.tell(
                [(number, Over(id, data, shared, KINDS.get(kind))) for id, number, kind, shared, data in rows]
            )


def _read_end(row: Sequence[Any]) -> tuple[int, Over]:
    """Read an end, and the number of the registration that it is for."""
    number, id, kind, shared, data = row
    return number, Over(id, None if data is None else base64.b64decode(data), shared, KINDS.get(kind))
