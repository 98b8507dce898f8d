"""The pub/sub connection of a session: one, whatever the number of those who listen.

Theory of operation. One task connects, subscribes to all channels that are wanted and waits for the end of the
connection; messages are handed out where the loop reads them. It is started by the first who subscribes. When the
connection breaks it connects again, more and more slowly, for as long as somebody needs it; then ``on_connected`` asks
again for what messages may have been lost meanwhile, and if that fails, the connection is given up and all begins anew.
A connection on which nothing comes is asked for a sign of life, so that one that is dead without a word is noticed
within the time that a reply may take.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from hueyio.exceptions import HueyException, SessionClosed, StorageUnavailable
from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.connection.connecting import Connected, connect
from hueyio.storage.redis.connection.deployment import Deployment
from hueyio.storage.redis.connection.errors import translate
from hueyio.storage.redis.connection.options import RedisOptions
from hueyio.storage.redis.connection.stream import Stream
from hueyio.storage.shared.lifetime import Lifetime

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
        self._stream: Stream | None = None
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
            stream = await self._open()
            confirmation = self._confirmations.get(channel)
            if confirmation is None:
                confirmation = self._confirmations[channel] = asyncio.get_running_loop().create_future()
                stream.write(pack("SUBSCRIBE", channel).packed)
            await _result(confirmation)
            if stream is self._stream:
                return

    async def unsubscribe(self, channel: bytes) -> None:
        """Stop to listen on a channel."""
        self._receivers.pop(channel, None)
        if self._confirmations.pop(channel, None) is not None and self._stream is not None:
            self._stream.write(pack("UNSUBSCRIBE", channel).packed)

    def renew(self) -> None:
        """Connect anew, because something may have been missed."""
        if self._used is not None:
            self._used.stream.close()

    def leave(self, master: RedisOptions) -> None:
        """Connect anew, unless it is to this server."""
        if self._used is not None and self._used.server.address != master.address:
            self.renew()

    async def _open(self) -> Stream:
        """Return the present connection, or the outcome of the present attempt to connect."""
        while self._stream is None:
            if self._attempt is None:
                self._lifetime.spawn(self._run())
                self._attempt = asyncio.get_running_loop().create_future()
            await _result(self._attempt)
        return self._stream

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
        """Subscribe to all and listen until the connection breaks; return why it did."""
        loop = asyncio.get_running_loop()
        self._used, stream = used, used.stream
        self._confirmations = {channel: loop.create_future() for channel in self._receivers}
        ended: asyncio.Future[Exception] = loop.create_future()
        try:
            if self._receivers:
                stream.write(pack("SUBSCRIBE", *self._receivers).packed)
            stream.begin(self._receive, ended.set_result)
            self._begin_if_confirmed()
            return translate(await self._watch(stream, ended), str(self._deployment))
        finally:
            self._stream = self._used = None
            stream.close()

    async def _watch(self, stream: Stream, ended: asyncio.Future[Exception]) -> Exception:
        """Return why the connection has ended; end it if it is silent although it was asked."""
        now = asyncio.get_running_loop().time
        asked_at = 0.0
        while not ended.done():
            left = max(stream.heard_at, asked_at) + self._silence - now()
            if left > 0:
                await asyncio.wait({ended}, timeout=left)
            elif asked_at > stream.heard_at:
                return StorageUnavailable(f"{self._deployment} does not answer in time")
            else:
                asked_at = now()
                stream.write(pack("PING").packed)
        return ended.result()

    def _begin_if_confirmed(self) -> None:
        """Let those go on who wait for the connection, if all that was wanted is subscribed to."""
        if self._used is None or not all(it.done() for it in self._confirmations.values()):
            return
        self._stream = stream = self._used.stream
        if self._attempt is not None:
            self._attempt.set_result(None)
            self._attempt = None
        with suppress(SessionClosed):  # it ends, and this connection with it
            self._lifetime.spawn(self._catch_up(stream))

    async def _catch_up(self, stream: Stream) -> None:
        try:
            await self._on_connected()
            self._failures = 0
        except HueyException:
            stream.close()  # and all over again

    def _receive(self, reply: Any) -> None:
        if isinstance(reply, Exception):
            if self._used is not None:
                self._used.stream.end(reply)
            return
        kind, channel = reply[0], reply[1]
        if kind == b"message":
            receive = self._receivers.get(channel)
            if receive is not None:
                receive(reply[2])
        elif kind == b"subscribe":
            self._confirm(channel)

    def _confirm(self, channel: bytes) -> None:
        confirmation = self._confirmations.get(channel)
        if confirmation is not None and not confirmation.done():
            confirmation.set_result(None)
        if self._stream is None:
            self._begin_if_confirmed()

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
