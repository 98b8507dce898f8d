"""The commands and replies of one connection, from the moment at which redis-py has opened it and logged in.

Theory of operation. redis-py reads and writes through asyncio's streams: a command waits for the task that writes, its
reply wakes the task that reads, and that one wakes the caller. So the transport is taken from redis-py. What a caller
writes goes to the transport in his own turn of the loop. What arrives is parsed where the loop reads it, and handed
out at once: the caller goes on in the next turn.

A transport that takes no more for the moment says so (``pause_writing``); until it does again, commands wait here. A
connection ends once, for one reason, and whoever reads it is told. It is closed at once then, and never politely: what
is not written yet would go out first, and TLS would say goodbye. With a server that takes nothing any more this may
outlast the loop, and the socket is left open. Nothing here is in need of that: what must be written is answered before
anybody closes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import hiredis
import redis
from redis.exceptions import InvalidResponse, RedisError

from hueyio.storage.redis.connection.inside_redis_py import Connection, take_over

__all__ = ["Stream"]

_INCOMPLETE: Final = object()
"""What the parser returns when the rest of a reply has not arrived yet."""

_LARGE: Final = 65_536
"""Bytes from which on a piece is written as a view: what the system does not take at once is a copy otherwise."""


class Stream(asyncio.Protocol):
    """One open connection; it belongs to the running loop. Made by ``of``, read by who calls ``begin``."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer: asyncio.StreamWriter | None = None
        """Kept as long as its transport is used: from Python 3.13 on it closes the transport when it is forgotten."""
        self._transport: asyncio.WriteTransport | None = None
        self._replies = hiredis.Reader()
        self._outgoing: list[bytes] = []
        """What waits: for the end of this turn, or for the transport."""
        self._is_paused = False
        self._error: Exception | None = None
        """Why it has ended."""
        self._on_reply: Callable[[Any], object] | None = None
        self._on_end: Callable[[Exception], object] | None = None
        self.heard_at = self._loop.time()
        """The loop's time at which something arrived last."""

    @classmethod
    async def of(cls, connection: Connection) -> Stream:
        """Take an open connection from redis-py. Raises RedisError or OSError if it is closed already."""
        stream = cls()
        taken = await take_over(connection, stream)
        stream._writer = taken.writer
        stream._transport = taken.writer.transport
        stream._replies = hiredis.Reader(
            protocolError=InvalidResponse, replyError=taken.parse_error, notEnoughData=_INCOMPLETE
        )
        stream._replies.feed(taken.unread)
        return stream

    def begin(self, on_reply: Callable[[Any], object], on_end: Callable[[Exception], object]) -> None:
        """Hand out replies, errors of the server among them, in order, and at last the reason for the end."""
        self._on_reply, self._on_end = on_reply, on_end
        self._hand_out()
        if self._error is not None:
            on_end(self._error)

    def write(self, packed: bytes) -> None:
        """Write a command, in one piece with all others of this turn of the loop."""
        if not self._outgoing and not self._is_paused:
            self._loop.call_soon(self._flush)
        self._outgoing.append(packed)

    def write_now(self, packed: bytes) -> None:
        """Write a command at once, unless others wait to be written before it."""
        if self._outgoing or self._is_paused or self._transport is None:
            self._outgoing.append(packed)
        else:
            self._transport.write(packed if len(packed) < _LARGE else memoryview(packed))

    def end(self, error: Exception) -> None:
        """Close at once, and say why; a second end does nothing."""
        if self._error is not None:
            return
        self._error = error
        self._outgoing.clear()
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        if self._on_end is not None:
            self._on_end(error)

    def close(self) -> None:
        """End for no reason of interest."""
        self.end(redis.ConnectionError("the connection is closed"))

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._loop.time()
        self._replies.feed(data)
        self._hand_out()

    def eof_received(self) -> None:
        self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(exc or redis.ConnectionError("the connection is closed"))

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        # Not from inside of the transport, which calls this between two of its steps.
        self._loop.call_soon(self._flush)

    def _hand_out(self) -> None:
        on_reply, next_reply = self._on_reply, self._replies.gets
        if on_reply is None:
            return
        try:
            while self._error is None and (reply := next_reply()) is not _INCOMPLETE:
                on_reply(reply)
        except RedisError as error:  # it is no server that talks there
            self.end(error)

    def _flush(self) -> None:
        if self._is_paused or not self._outgoing or self._transport is None:
            return
        outgoing, self._outgoing = self._outgoing, []
        # In one piece: `writelines` of Python 3.12.0 to 3.12.8 and 3.13.0 to 3.13.1 never pauses who writes.
        packed = outgoing[0] if len(outgoing) == 1 else b"".join(outgoing)
        self._transport.write(packed if len(packed) < _LARGE else memoryview(packed))
