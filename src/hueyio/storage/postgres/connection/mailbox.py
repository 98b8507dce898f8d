"""What the server sends by itself: one connection that listens for all who wait in this session.

Theory of operation. The connection is made when somebody first waits, and made again whenever it breaks, for as long as
anybody does. After each connect everything is asked anew, because a notice may have been missed before. Behind a pooler
in transaction mode LISTEN is accepted and nothing ever comes: the number of the server's process tells it apart. Then
everything is asked anew at short intervals instead, which is said once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import psycopg

from hueyio.exceptions import HueyException
from hueyio.storage.postgres.connection.connecting import connect
from hueyio.storage.postgres.connection.errors import translate
from hueyio.storage.postgres.options import PostgresOptions
from hueyio.storage.shared.background import make_task
from hueyio.storage.shared.lifetime import Lifetime

__all__ = ["Mailbox"]

_SILENCE: Final = 15.0
"""Seconds without a word after which the connection is tried."""
_FIRST_REST: Final = 0.02
_LONGEST_REST: Final = 1.0
_POLL: Final = 0.025

log = logging.getLogger(__name__)


class Mailbox:
    """Listens on some channels; ``receive`` gets channel and message, ``catch_up`` is awaited after each connect."""

    def __init__(
        self,
        options: PostgresOptions,
        lifetime: Lifetime,
        receive: Callable[[str, str], None],
        catch_up: Callable[[], Awaitable[None]],
        is_needed: Callable[[], bool],
    ) -> None:
        self._options = options
        self._lifetime = lifetime
        self._receive = receive
        self._catch_up = catch_up
        self._is_needed = is_needed
        self._channels: tuple[str, ...] = ()
        self._task: asyncio.Task[None] | None = None
        self._attempt: asyncio.Future[Exception | None] | None = None
        self._renewed = asyncio.Event()
        self._is_listening = False
        self.was_used = False
        """Whether anybody ever waited."""

    def set_channels(self, *channels: str) -> None:
        """Say what is listened to, before anybody waits."""
        self._channels = channels

    async def ensure(self) -> None:
        """Return when this listens; raises what is in the way."""
        self.was_used = True
        while not self._is_listening:
            self._lifetime.check()
            if self._attempt is None:
                self._attempt = asyncio.get_running_loop().create_future()
            if self._task is None:
                self._task = self._lifetime.spawn(self._serve())
            attempt = self._attempt
            await asyncio.wait({attempt})
            error = attempt.result()
            if error is not None:
                raise error

    def renew(self) -> None:
        """Connect anew, and ask for everything again."""
        self._renewed.set()

    async def _serve(self) -> None:
        rest = _FIRST_REST
        try:
            while True:
                began = asyncio.get_running_loop().time()
                error = await self._listen_once()
                self._is_listening = False
                if asyncio.get_running_loop().time() - began > _LONGEST_REST:
                    rest = _FIRST_REST
                if self._attempt is not None:
                    self._attempt.set_result(error)
                    self._attempt = None
                    if not self._is_needed():
                        return
                await asyncio.sleep(rest)
                rest = min(rest * 2, _LONGEST_REST)
        finally:
            self._is_listening = False
            self._task = None
            if self._attempt is not None:
                self._attempt.set_result(None)  # whoever waits finds the session closed
                self._attempt = None

    async def _listen_once(self) -> Exception:
        """Listen until the connection breaks; return why it did."""
        dsn = self._options.listen_dsn or self._options.dsn
        connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None
        self._renewed.clear()
        try:
            connection = await connect(dsn, None)
            is_deaf = await self._subscribe(connection)
            self._is_listening = True
            if self._attempt is not None:
                self._attempt.set_result(None)
                self._attempt = None
            await self._catch_up()
            return await (self._poll() if is_deaf else self._hear(connection))
        except (psycopg.Error, OSError, HueyException) as error:
            return translate(error, self._options.where)
        finally:
            if connection is not None:
                await connection.close()

    async def _subscribe(self, connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> bool:
        """Listen on all channels; say whether a pooler stands in between."""
        for channel in self._channels:
            await connection.execute(f'LISTEN "{channel}"'.encode())
        row = await (await connection.execute("SELECT pg_backend_pid()")).fetchone()
        is_deaf = row is None or row[0] != connection.info.backend_pid
        if is_deaf:
            log.warning(
                "%s is behind a pooler that passes no notices on: waits look at short intervals instead; "
                "listen_dsn says where the server itself is",
                self._options.where,
            )
        return is_deaf

    async def _hear(self, connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> Exception:
        renewed = make_task(self._renewed.wait())
        hearing = make_task(self._receive_all(connection))
        try:
            await asyncio.wait({renewed, hearing}, return_when=asyncio.FIRST_COMPLETED)
            if hearing.done():
                hearing.result()
            return translate(psycopg.OperationalError("the connection is renewed"), self._options.where)
        finally:
            renewed.cancel()
            hearing.cancel()
            await asyncio.wait({hearing})

    async def _receive_all(self, connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
        while True:
            async for notice in connection.notifies(timeout=_SILENCE):
                self._receive(notice.channel, notice.payload)
            async with asyncio.timeout(self._options.timeout):
                await connection.execute("SELECT 1")

    async def _poll(self) -> Exception:
        while not self._renewed.is_set():
            await asyncio.sleep(_POLL)
            await self._catch_up()
        return translate(psycopg.OperationalError("the connection is renewed"), self._options.where)
