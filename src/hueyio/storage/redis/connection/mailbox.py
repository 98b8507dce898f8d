"""The pub/sub connection of a session: one, whatever the number of those who listen.

Theory of operation. One task connects, subscribes to all channels that are wanted and reads. It is started by the
first who subscribes. When the connection breaks it connects again, more and more slowly, for as long as somebody
needs it; then ``on_connected`` asks again for what messages may have been lost meanwhile, and if that fails, the
connection is given up and all begins anew. A connection on which nothing comes is asked for a sign of life, so that
one that is dead without a word is noticed within the time that a reply may take.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

from redis.exceptions import RedisError

from hueyio.exceptions import HueyException, SessionClosed, StorageUnavailable
from hueyio.storage.redis.connection.command import Command, pack
from hueyio.storage.redis.connection.connecting import Connected, connect
from hueyio.storage.redis.connection.deployment import Deployment
from hueyio.storage.redis.connection.errors import translate
from hueyio.storage.redis.connection.inside_redis_py import Connection, abort, read, write
from hueyio.storage.redis.connection.lifetime import Lifetime
from hueyio.storage.redis.connection.options import RedisOptions

__all__ = ["Mailbox"]

_LONGEST_SILENCE: Final = 10.0
_FIRST_BACK_OFF: Final = 0.05
_LONGEST_BACK_OFF: Final = 1.0


class Mailbox:
    """Owns the connection and the subscriptions on it."""

    def __init__(
        self,
        deployment: Deployment,
        lifetime: Lifetime,
        is_needed: Callable[[], bool],
        on_connected: Callable[[], Awaitable[None]],
        longest_back_off: float = _LONGEST_BACK_OFF,
    ) -> None:
        self._deployment = deployment
        self._silence = min(deployment.options.timeout / 2, _LONGEST_SILENCE)
        self._lifetime = lifetime
        self._is_needed = is_needed
        self._on_connected = on_connected
        self._longest_back_off = longest_back_off
        self._receivers: dict[bytes, Callable[[bytes], None]] = {}
        self._confirmations: dict[bytes, asyncio.Future[HueyException | None]] = {}
        self._connection: Connection | None = None
        """Where all that is wanted is subscribed to."""
        self._used: Connected | None = None
        """The same, from the moment at which it is connected."""
        self._attempt: asyncio.Future[HueyException | None] | None = None
        self._failures = 0
        """Connections in a row that could not be made, or on which not all was caught up with."""

    async def subscribe(self, channel: bytes, receive: Callable[[bytes], None]) -> None:
        """Have messages on a channel handed to ``receive``; returns when none can be missed any more."""
        self._receivers[channel] = receive
        while True:
            connection = await self._open()
            confirmation = self._confirmations.get(channel)
            if confirmation is None:
                confirmation = self._confirmations[channel] = asyncio.get_running_loop().create_future()
                await self._send(connection, pack("SUBSCRIBE", channel))
            await _result(confirmation)
            if connection is self._connection:
                return

    async def unsubscribe(self, channel: bytes) -> None:
        """Stop to listen on a channel."""
        self._receivers.pop(channel, None)
        if self._confirmations.pop(channel, None) is not None and self._connection is not None:
            await self._send(self._connection, pack("UNSUBSCRIBE", channel))

    def renew(self) -> None:
        """Connect anew, because something may have been missed."""
        if self._used is not None:
            self._lifetime.spawn(abort(self._used.connection))

    def leave(self, master: RedisOptions) -> None:
        """Connect anew, unless it is to this server."""
        if self._used is not None and self._used.server.address != master.address:
            self.renew()

    async def _open(self) -> Connection:
        """Return the present connection, or the outcome of the present attempt to connect."""
        while self._connection is None:
            if self._attempt is None:
                self._lifetime.spawn(self._run())
                self._attempt = asyncio.get_running_loop().create_future()
            await _result(self._attempt)
        return self._connection

    async def _run(self) -> None:
        self._failures = 0
        try:
            while True:
                try:
                    error = await self._use(await connect(self._deployment))
                except HueyException as cause:
                    error = cause
                self._end_attempt(error)
                if not self._is_needed():
                    return
                self._attempt = asyncio.get_running_loop().create_future()
                self._failures += 1
                longest = min(_FIRST_BACK_OFF * 2.0 ** min(self._failures, 10), self._longest_back_off)
                await asyncio.sleep(longest * random.uniform(0.5, 1.0))
        finally:
            self._end_attempt(SessionClosed("the session was closed, or its loop has ended"))

    async def _use(self, used: Connected) -> HueyException:
        """Subscribe to all and read until the connection breaks; return why it did."""
        loop = asyncio.get_running_loop()
        self._used, connection = used, used.connection
        self._confirmations = {channel: loop.create_future() for channel in self._receivers}
        try:
            if self._receivers:
                await self._send(connection, pack("SUBSCRIBE", *self._receivers))
            return await self._read(connection)
        except (RedisError, OSError) as error:
            return translate(error, str(self._deployment))
        finally:
            self._connection = self._used = None
            await abort(connection)

    async def _read(self, connection: Connection) -> HueyException:
        asked = False
        while True:
            if self._connection is None and all(it.done() for it in self._confirmations.values()):
                self._begin(connection)
            reply = await read(connection, self._silence)
            if reply is not None:
                asked = False
                self._receive(reply)
            elif asked:
                return StorageUnavailable(f"{self._deployment} does not answer in time")
            else:
                asked = True
                await self._send(connection, pack("PING"))

    def _begin(self, connection: Connection) -> None:
        self._connection = connection
        if self._attempt is not None:
            self._attempt.set_result(None)
            self._attempt = None
        self._lifetime.spawn(self._catch_up(connection))

    async def _catch_up(self, connection: Connection) -> None:
        try:
            await self._on_connected()
            self._failures = 0
        except HueyException:
            await abort(connection)  # and all over again

    async def _send(self, connection: Connection, command: Command) -> None:
        try:
            await write(connection, command.packed)
        except (RedisError, OSError) as error:
            raise translate(error, str(self._deployment)) from error

    def _receive(self, reply: Any) -> None:
        kind, channel = reply[0], reply[1]
        if kind == b"message":
            receive = self._receivers.get(channel)
            if receive is not None:
                receive(reply[2])
        elif kind == b"subscribe":
            confirmation = self._confirmations.get(channel)
            if confirmation is not None and not confirmation.done():
                confirmation.set_result(None)

    def _end_attempt(self, error: HueyException) -> None:
        waits = [*self._confirmations.values(), *([] if self._attempt is None else [self._attempt])]
        self._confirmations = {}
        self._attempt = None
        for wait in waits:
            if not wait.done():
                wait.set_result(error)


async def _result(future: asyncio.Future[HueyException | None]) -> None:
    """Wait for an outcome that others may be waiting for too; raise it if it is an error."""
    if not future.done():
        await asyncio.wait({future})
    error = future.result()
    if error is not None:
        raise type(error)(str(error))
