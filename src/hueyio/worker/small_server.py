"""An HTTP server for a few small pages, in one thread: what outsiders can make it hold is bounded.

A request has so many seconds and bytes in all, however it trickles in, and its answer is written in that time too (a
slow page has that time anew when it is made). Of more connections than there may be, the oldest that began a request
and did not end it is dropped, or else the oldest that said nothing, or else the oldest; where the process has no
descriptor left, the oldest. A request that comes with its connection is answered before anything is dropped for it. So
whoever asks now is answered. A descriptor is kept in reserve, so that this works while tasks hold all others.
"""

from __future__ import annotations

import errno
import logging
import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Final

from hueyio.named_tuple import NamedTuple

__all__ = ["Answer", "Page", "SmallServer"]

logger = logging.getLogger(__name__)

_SECONDS: Final = 5.0
_MAKING: Final = 60.0
"""Seconds that whoever asks for a slow page waits for it at most."""
_BYTES: Final = 8192
_CONNECTIONS: Final = 32
_BREATH: Final = 0.2
"""Seconds that a connection has at least, where not even the reserve is left; nobody is taken meanwhile."""
_PIECE: Final = 4096
_NO_DESCRIPTOR: Final = (errno.EMFILE, errno.ENFILE)


class Answer(NamedTuple):
    """What a page says."""

    status: HTTPStatus
    kind: str
    """The type of its content."""
    body: bytes


class Page(NamedTuple):
    """What is under one path."""

    answer: Callable[[], Answer]
    is_slow: bool = False
    """Whether it may wait: it is then made in a thread of its own, once for all who ask meanwhile."""


class _Connection:
    __slots__ = ("has_asked", "is_head", "received", "since", "socket", "unsent", "until")

    def __init__(self, accepted: socket.socket, since: float, until: float) -> None:
        self.socket = accepted
        self.since = since
        self.until = until
        self.received = b""
        self.unsent = memoryview(b"")
        self.is_head = False
        self.has_asked = False
        """Whether the request is complete."""


class SmallServer:
    """Serves ``pages`` on ``host`` and ``port``; port 0 takes a free one. Raises OSError if it cannot.

    ``shared``: another process of the same user that says so too may serve the port at the same time. A request has
    ``seconds`` from its connection to the end of its answer.
    """

    def __init__(
        self, host: str, port: int, pages: Mapping[str, Page], *, shared: bool = False, seconds: float = _SECONDS
    ) -> None:
        self._pages = pages
        self._seconds = seconds
        self._connections: dict[_Connection, None] = {}
        """In the order of their coming."""
        self._asking: dict[str, list[_Connection]] = {}
        """Who waits for a slow page, by its path."""
        self._made: deque[tuple[str, Answer]] = deque()
        self._paused_until: float | None = None
        self._is_closing = False
        self._reserve: int | None = None
        self._listener = _listen(host, port, shared)
        self.port: Final[int] = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._bell, self._ring = socket.socketpair()
        for it in (self._listener, self._bell, self._ring):
            it.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._bell, selectors.EVENT_READ, self._hear)
        self._keep_reserve()
        self._thread = threading.Thread(target=self._serve, name="hueyio-probes", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Serve no more. May be called from any thread, and again."""
        self._is_closing = True
        self._wake()
        self._thread.join()

    # The thread

    def _serve(self) -> None:
        try:
            while not self._is_closing:
                for key, _ in self._selector.select(self._rest()):
                    key.data()
                self._go_on()
        finally:
            for connection in list(self._connections):
                self._drop(connection)
            for it in (self._listener, self._bell, self._ring, self._selector):
                it.close()
            if self._reserve is not None:
                os.close(self._reserve)

    def _rest(self) -> float | None:
        """Return the seconds until something is due; None: nothing is."""
        due = [it.until for it in self._connections] + ([] if self._paused_until is None else [self._paused_until])
        return max(min(due) - time.monotonic(), 0.0) if due else None

    def _go_on(self) -> None:
        """Hand out the slow pages that were made, drop who is late, listen again after a pause."""
        while self._made:
            path, answer = self._made.popleft()
            for connection in self._asking.pop(path, ()):
                if connection in self._connections:
                    connection.until = time.monotonic() + self._seconds
                    self._send(connection, answer)
        now = time.monotonic()
        for connection in [it for it in self._connections if it.until <= now]:
            self._drop(connection)
        if self._paused_until is not None and self._paused_until <= now:
            self._paused_until = None
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def _accept(self) -> None:
        try:
            accepted, _ = self._listener.accept()
        except OSError as error:
            if error.errno in _NO_DESCRIPTOR:
                self._make_room()
            return  # else it went away again
        accepted.setblocking(False)
        now = time.monotonic()
        connection = _Connection(accepted, now, now + self._seconds)
        self._connections[connection] = None
        self._selector.register(accepted, selectors.EVENT_READ, partial(self._move, connection, self._receive))
        self._receive(connection)
        if len(self._connections) > _CONNECTIONS:
            self._drop(self._least())

    def _least(self) -> _Connection:
        """Return the connection that is dropped for the newest, whose request may be on its way."""
        *older, _ = self._connections
        silent = [it for it in older if not it.has_asked]
        return next((it for it in silent if it.received), (silent or older)[0])

    def _make_room(self) -> None:
        """Let go of a descriptor: the next turn takes who waits."""
        if self._reserve is not None:
            os.close(self._reserve)
            self._reserve = None
            return
        now = time.monotonic()
        oldest = next(iter(self._connections), None)
        ripe = (now if oldest is None else oldest.since) + _BREATH
        if oldest is not None and ripe <= now:
            self._drop(oldest)
        else:  # it may be about to be answered
            self._selector.unregister(self._listener)
            self._paused_until = ripe

    def _keep_reserve(self) -> None:
        if self._reserve is None and not self._connections:  # the one that came by it has gone
            with suppress(OSError):
                self._reserve = os.open(os.devnull, os.O_RDONLY)

    def _move(self, connection: _Connection, act: Callable[[_Connection], None]) -> None:
        """Read or write, unless an earlier event of the same turn dropped this connection."""
        if connection in self._connections:
            act(connection)

    def _receive(self, connection: _Connection) -> None:
        try:
            piece = connection.socket.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._drop(connection)
            return
        connection.received += piece
        head, end, _ = connection.received.partition(b"\r\n\r\n")
        if len(head) > _BYTES:
            self._send(connection, _refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE))
        elif end:
            self._answer(connection, head.split(b"\r\n", 1)[0])

    def _answer(self, connection: _Connection, line: bytes) -> None:
        connection.has_asked = True
        method, target, version = [*line.split(b" "), b"", b""][:3]
        connection.is_head = method == b"HEAD"
        path = target.partition(b"?")[0].decode("ascii", "replace")
        page = self._pages.get(path)
        if not version.startswith(b"HTTP/"):
            self._send(connection, _refusal(HTTPStatus.BAD_REQUEST))
        elif method not in (b"GET", b"HEAD"):
            self._send(connection, _refusal(HTTPStatus.METHOD_NOT_ALLOWED))
        elif page is None:
            self._send(connection, _refusal(HTTPStatus.NOT_FOUND, f"there are {', '.join(self._pages)}"))
        elif page.is_slow:
            self._ask(connection, path, page)
        else:
            self._send(connection, _made_by(page, path))

    def _ask(self, connection: _Connection, path: str, page: Page) -> None:
        """Let a connection wait for a slow page; have it made if nobody did yet."""
        self._selector.unregister(connection.socket)
        connection.until = time.monotonic() + _MAKING
        asking = self._asking.setdefault(path, [])
        asking.append(connection)
        if len(asking) > 1:
            return
        try:
            threading.Thread(target=self._make, args=(path, page), name="hueyio-page", daemon=True).start()
        except RuntimeError:  # the system has no thread left
            self._made.append((path, _refusal(HTTPStatus.SERVICE_UNAVAILABLE)))
            self._wake()

    def _make(self, path: str, page: Page) -> None:
        """Make a slow page, in a thread of its own."""
        self._made.append((path, _made_by(page, path)))
        self._wake()

    def _send(self, connection: _Connection, answer: Answer) -> None:
        """Begin to write an answer; nothing more is read."""
        connection.unsent = memoryview(_written(answer, connection.is_head))
        with suppress(KeyError):  # a slow page's
            self._selector.unregister(connection.socket)
        writing = partial(self._move, connection, self._write)
        self._selector.register(connection.socket, selectors.EVENT_WRITE, writing)
        self._write(connection)

    def _write(self, connection: _Connection) -> None:
        try:
            sent = connection.socket.send(connection.unsent)
        except BlockingIOError:
            return
        except OSError:  # it went away
            sent = len(connection.unsent)
        connection.unsent = connection.unsent[sent:]
        if not connection.unsent:
            self._drop(connection)

    def _drop(self, connection: _Connection) -> None:
        self._connections.pop(connection, None)
        with suppress(KeyError):
            self._selector.unregister(connection.socket)
        connection.socket.close()
        self._keep_reserve()
        if self._paused_until is not None:
            self._paused_until = 0.0  # there is room again

    # From any thread

    def _wake(self) -> None:
        with suppress(OSError):  # it is full, so that the thread wakes anyway, or the thread has ended
            self._ring.send(b"!")

    def _hear(self) -> None:
        with suppress(OSError):
            self._bell.recv(_PIECE)


def _listen(host: str, port: int, shared: bool) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
        listener.listen(socket.SOMAXCONN)  # beyond that, who asks would be held up for a second by its own system
    except BaseException:
        listener.close()
        raise
    return listener


def _made_by(page: Page, path: str) -> Answer:
    try:
        return page.answer()
    except Exception:  # a bug of the page's: the other pages go on
        logger.exception("the page %s failed", path)
        return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR)


def _refusal(status: HTTPStatus, why: str = "") -> Answer:
    return Answer(status, "text/plain; charset=utf-8", f"{why or status.phrase}\n".encode())


def _written(answer: Answer, is_head: bool) -> bytes:
    head = (
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}\r\nContent-Type: {answer.kind}\r\n"
        f"Content-Length: {len(answer.body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if is_head else answer.body)
