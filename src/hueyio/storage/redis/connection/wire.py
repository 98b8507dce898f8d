"""One connection to the server, on which any number of calls are under way at a time.

Theory of operation. A call is packed, written and gets a future; each reply goes to the oldest future. So what is
written is never cancelled: a caller that goes away leaves its future behind, the reply to it is read and dropped, and
the connection stays in step. A call that finds nothing under way is written at once, for the server has nothing to do;
others are written at the end of the turn of the loop, as one piece. When the connection breaks, or a reply takes longer
than ``timeout``, all that is under way fails with StorageUnavailable, and the next call connects anew. Nothing is ever
sent twice here, with two exceptions, because neither has run: a script that the server does not know is sent again with
its source, and what a node of a cluster refuses because the queue is on another one is sent there.

A server may say that it is not the right one any more: a master that became a replica, a node that lost the slot.
Then the link is retired. What is under way on it is answered; the next call finds out where the server is now. When
others say so (``leave``), the link is cut: that server may still answer, but what it writes is lost.

``Link`` is one connection from its opening to its end, ``Wire`` the place where the present one is found. Both live
in the session's lifetime; their state belongs to the loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any, Final

from redis.exceptions import BusyLoadingError, MovedError, NoScriptError, ResponseError

from hueyio.exceptions import HueyException, SessionClosed, StorageUnavailable
from hueyio.named_tuple import NamedTuple
from hueyio.storage.redis.connection.command import Command
from hueyio.storage.redis.connection.connecting import Connected, connect
from hueyio.storage.redis.connection.deployment import Address, Deployment
from hueyio.storage.redis.connection.errors import NothingDone, QueueMoved, is_astray, translate
from hueyio.storage.redis.connection.inside_redis_py import address_of
from hueyio.storage.redis.connection.options import RedisOptions
from hueyio.storage.shared.lifetime import Lifetime

__all__ = ["Link", "Wire"]

_MOST_MOVES: Final = 5
"""How often a call follows the queue from node to node; more is a cluster that does not know where it is."""

_SECOND_LOOK: Final = 0.05
"""Seconds between the two looks that find a server late; the loop reads what has come between them."""


class _Call(NamedTuple):
    future: asyncio.Future[Any]
    in_full: Callable[[], bytes] | None
    sent_at: float


class Wire:
    """Finds the open link, or opens one; ``on_opened`` is told. ``timeout`` None: replies may take for ever."""

    def __init__(
        self,
        deployment: Deployment,
        lifetime: Lifetime,
        timeout: float | None,
        on_opened: Callable[[], object] = lambda: None,
    ) -> None:
        self._deployment = deployment
        self._lifetime = lifetime
        self._timeout = timeout
        self._on_opened = on_opened
        self._link: Link | None = None
        self._opening: asyncio.Task[Link | HueyException] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether there is an open link with nothing under way, so that a call is written before it waits."""
        return self._link is not None and self._link.is_idle

    async def open(self) -> Link:
        """Return the open link; all who ask at the same time share one attempt."""
        link = self._link
        if link is not None and link.is_open:
            return link
        opening = self._opening
        if opening is None:
            opening = self._opening = self._lifetime.spawn(self._open())
        await asyncio.wait({opening})
        if opening.cancelled():
            raise SessionClosed("the session was closed")
        opened = opening.result()
        if isinstance(opened, HueyException):
            raise opened.with_traceback(None)
        return opened

    async def call(self, command: Command) -> Any:
        """Send a command and return its reply."""
        link = self._link
        if link is None or not link.is_open:
            link = await self.open()
        try:
            return await link.send(command)
        except QueueMoved as moved:
            return await self._follow(command, moved)

    def leave(self, master: RedisOptions) -> None:
        """Cut the link, unless it goes to this server."""
        if self._link is not None and self._link.is_open and self._link.server.address != master.address:
            self._link.cut(StorageUnavailable(f"{self._link.server} is the master no more"))

    async def drain(self) -> None:
        """Wait until all that was sent is answered."""
        if self._link is not None:
            await self._link.drain()

    async def _follow(self, command: Command, moved: QueueMoved) -> Any:
        for _ in range(_MOST_MOVES):
            link = await self.open()
            try:
                return await link.send(command)
            except QueueMoved as again:
                moved = again
        raise moved

    async def _open(self) -> Link | HueyException:
        # A hint is used once: the node that it names may be gone.
        moved_to = None if self._link is None else self._link.moved_to
        self._link = None
        try:
            link = Link(await connect(self._deployment, moved_to), self._timeout)
            try:
                self._lifetime.spawn(link.run())
                await link.begun.wait()
            except BaseException:  # cancelled before its first step, the link would not let go of the connection
                link.cut(_closed())
                raise
        except StorageUnavailable as error:
            return NothingDone(str(error))
        except HueyException as error:
            return error
        finally:
            self._opening = None
        self._link = link
        self._on_opened()
        return link


class Link:
    """One connection, and the calls that are under way on it."""

    def __init__(self, connected: Connected, timeout: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._stream = connected.stream
        self.server: Final = connected.server
        self._server = str(connected.server)
        self._host = str(connected.server.settings.get("host", ""))
        self._timeout = timeout
        self._calls: deque[_Call] = deque()
        self._alarm: asyncio.TimerHandle | None = None
        self._suspected_at = 0.0
        """When the reply that was overdue at the last look had been due."""
        self._answered = asyncio.Event()
        self._over = asyncio.Event()
        self.begun: Final = asyncio.Event()
        self.is_open = True
        """Whether it takes calls; one that does not may still have some to answer."""
        self.moved_to: Address | None = None
        self._stream.begin(self._take, self._end)

    @property
    def is_idle(self) -> bool:
        """Whether it takes calls and has none under way."""
        return self.is_open and not self._calls

    def send(self, command: Command) -> asyncio.Future[Any]:
        """Write a command; return the future of its reply."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if not self.is_open:
            future.set_exception(NothingDone(f"{self._server} cannot be reached: the connection is closed"))
            return future
        self._send(command.packed, _Call(future, command.in_full, self._loop.time()))
        return future

    async def drain(self) -> None:
        """Wait until all that was sent is answered, or the link has ended."""
        while self._calls:
            self._answered.clear()
            await self._answered.wait()

    async def run(self) -> None:
        """Wait for the end of the connection, and let go of it if the session ends before that."""
        self.begun.set()
        try:
            await self._over.wait()
        finally:
            self.cut(_closed())

    def cut(self, why: HueyException) -> None:
        """Give the connection up; what is under way on it fails."""
        self._stream.end(why)

    def _send(self, packed: bytes, call: _Call) -> None:
        write = self._stream.write if self._calls else self._stream.write_now
        self._calls.append(call)
        if self._alarm is None and self._timeout is not None:
            # In an empty context: one look follows the other, and that of the body that began it would be kept.
            self._alarm = self._loop.call_at(call.sent_at + self._timeout, self._look_for_late, context=Context())
        write(packed)

    def _take(self, reply: Any) -> None:
        if isinstance(reply, Exception):
            self._take_error(reply)
            return
        if not self._calls:
            self.cut(StorageUnavailable(f"{self._server} answers what nobody has asked"))
            return
        future = self._calls.popleft().future
        if not future.done():
            future.set_result(reply)
        if not self._calls:
            self._note_idle()

    def _take_error(self, error: Exception) -> None:
        if not self._calls or not isinstance(error, (ResponseError, BusyLoadingError)):
            self._stream.end(error)  # it is about the connection, and not about a call
            return
        call = self._calls.popleft()
        if isinstance(error, NoScriptError) and call.in_full is not None:
            self._send(call.in_full(), call._replace(in_full=None, sent_at=self._loop.time()))
            return
        if isinstance(error, MovedError):
            host, port = address_of(error)
            self.moved_to = Address(host or self._host, port)
        if is_astray(error):
            self.is_open = False
        _fail(call, translate(error, self._server))
        if not self._calls:
            self._note_idle()

    def _note_idle(self) -> None:
        self._answered.set()
        if not self.is_open:
            self.cut(StorageUnavailable(f"{self._server} is the right server no more"))

    def _look_for_late(self) -> None:
        """Break the connection if the oldest reply is overdue. One timer serves all calls."""
        self._alarm = None
        if not self._calls or self._timeout is None:
            return
        # A server that answers is not late, though it may take its time for all that was sent at once.
        due = max(self._calls[0].sent_at, self._stream.heard_at) + self._timeout
        now = self._loop.time()
        if due > now:
            self._alarm = self._loop.call_at(due, self._look_for_late)
        elif self._suspected_at != due:
            # It may be this loop that was held up, and the reply be here, unread: a second look has the last word.
            self._suspected_at = due
            self._alarm = self._loop.call_at(now + _SECOND_LOOK, self._look_for_late)
        else:
            self.cut(StorageUnavailable(f"{self._server} does not answer within {self._timeout:g} s"))

    def _end(self, error: Exception) -> None:
        """Fail what is under way: the stream has ended."""
        self.is_open = False
        if self._alarm is not None:
            self._alarm.cancel()
        reason = translate(error, self._server)
        calls, self._calls = self._calls, deque()
        for call in calls:
            _fail(call, type(reason)(str(reason)))
        self._answered.set()
        self._over.set()


def _fail(call: _Call, error: HueyException) -> None:
    if not call.future.done():
        call.future.set_exception(error)
        call.future.exception()  # whoever went away without it must not be told by the loop


def _closed() -> SessionClosed:
    return SessionClosed("the session was closed, or its loop has ended")
