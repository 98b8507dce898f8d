"""How who waits is registered on PostgreSQL, and the messages that answer.

A registration holds on to the task's row for a moment; if somebody is ending the task just then, it is asked again at
once. A settlement takes the registrations of what it ends, and sends the ends along. What is too large for a message
waits on the server.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from hueyio.exceptions import HueyException, SessionClosed
from hueyio.storage.postgres.connection.mailbox import Mailbox
from hueyio.storage.postgres.texts import from_json
from hueyio.storage.records import Over
from hueyio.storage.shared.ended import KINDS
from hueyio.storage.shared.lifetime import Lifetime
from hueyio.storage.shared.server_waiters import Registration, ServerWaiters

__all__ = ["PostgresWaiters"]

_BUSY: Final = "?"
"""Stands for the kind of what somebody is ending just now."""
_BUSY_REST: Final = 0.002


class PostgresWaiters(ServerWaiters):
    """The waiters of one session; ``call`` calls a function of the server for this client."""

    def __init__(
        self, call: Callable[..., asyncio.Future[Any]], mailbox: Mailbox, lifetime: Lifetime, bounds: str
    ) -> None:
        super().__init__(lifetime)
        self._call = call
        self._mailbox = mailbox
        self._bounds = bounds
        self._in_order = asyncio.Lock()
        """Registrations take effect in the order of the calls, also where two would go by different connections."""

    def receive(self, kind: str, message: str) -> None:
        """Take ends that the server passes on, or fetch those that are too large for that."""
        if kind == "e":
            self._waiters.tell([_read_end(row) for row in from_json(message)])
        else:
            with suppress(SessionClosed):
                self._lifetime.spawn(self._fetch())

    async def register_again(self) -> None:
        """Fetch what was missed, and register all that is pending, as after a reconnect."""
        if self.is_awaited:
            await self._fetch()
        await super().register_again()

    async def _listen(self) -> None:
        await self._mailbox.ensure()

    def _renew(self) -> None:
        self._mailbox.renew()

    async def _write(self, gone: list[tuple[str, int]], wanted: list[Registration]) -> None:
        gone.sort()
        async with self._in_order:
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
