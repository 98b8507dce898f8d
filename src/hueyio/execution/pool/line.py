"""The line between a pool and one of its processes: pickled messages over a socket pair, each behind its length.

Both ends trust each other: they are one program. What the user's code made (a task, a value, an exception) travels as
bytes inside a message, so that what cannot be read is that task's failure and not the line's.
"""

from __future__ import annotations

import logging
import os
import pickle
import select
import socket
import struct
import threading
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import Receipt

__all__ = [
    "Answer",
    "Back",
    "Begun",
    "Broken",
    "Call",
    "FromPool",
    "Line",
    "Log",
    "Raised",
    "Ready",
    "Recall",
    "Recalled",
    "Regained",
    "Report",
    "Returned",
    "Stop",
    "ToPool",
    "Waits",
    "Welcome",
    "watch_end",
]

_LENGTH: Final = struct.Struct("!Q")
_MOST_AT_ONCE: Final = 1 << 20
_SMALL: Final = 1 << 16
"""Bytes that are worth a copy, which spares a system call for each message."""


class Welcome(NamedTuple):
    """What a process is told first: how its parent looks, and which Huey it serves."""

    sys_path: list[str]
    argv: list[str]
    main: Mapping[str, str]
    """How to find the parent's ``__main__``, as ``multiprocessing.spawn.prepare`` takes it; empty: it is not needed."""
    modules: tuple[str, ...]
    huey: str
    task: str
    levels: Mapping[str, int]
    """The levels of the parent's loggers; the root's name is empty."""


class Call(NamedTuple):
    """Run a task."""

    module: str
    name: str
    task: bytes
    seconds: float
    receipt: Receipt | None
    lease: float
    lends_slot: bool = False
    """Whether the slot is lent while the body waits for other tasks."""


class Answer(NamedTuple):
    """Whether a progress was kept."""

    kept: bool


class Regained(NamedTuple):
    """The slot is there again for which this wait asked."""

    number: int


class Recall(NamedTuple):
    """Give the calls back that have not begun: a long one is in front of them."""


class Stop(NamedTuple):
    """Run the shutdown hooks, and end."""


class Ready(NamedTuple):
    """The app is imported, the start-up hooks have run."""


class Broken(NamedTuple):
    """The process cannot serve."""

    reason: str


class Begun(NamedTuple):
    """The process has the call, and its body runs next: whatever ends the process from here on, the task was run."""


class Recalled(NamedTuple):
    """So many calls have not begun, the last ones; they are forgotten here."""

    calls: int


class Report(NamedTuple):
    """A body reports its progress."""

    fraction: float
    message: str


class Waits(NamedTuple):
    """A body waits for these tasks, and needs no slot meanwhile."""

    number: int
    ids: tuple[str, ...]


class Back(NamedTuple):
    """That wait is over. ``is_patient``: the body goes on when ``Regained`` says that there is a slot for it."""

    number: int
    is_patient: bool


class Log(NamedTuple):
    """Something was logged there."""

    record: logging.LogRecord


class Returned(NamedTuple):
    """The body's value."""

    value: bytes


class Raised(NamedTuple):
    """What the body raised; ``error`` is None where the exception cannot be pickled."""

    error: bytes | None
    description: str
    traceback: str


ToPool: TypeAlias = Welcome | Call | Recall | Answer | Regained | Stop
FromPool: TypeAlias = Ready | Broken | Begun | Recalled | Report | Waits | Back | Log | Returned | Raised


class Line:
    """One end. ``send`` may be called from any thread, ``receive`` from one at a time.

    ``ended`` is a file descriptor that becomes readable when the process at the other end is over: a process that it
    forked may hold its socket open.
    """

    def __init__(self, sock: socket.socket, ended: int | None = None) -> None:
        sock.settimeout(None)  # the app may have set another default
        self._socket = sock
        self._lock = threading.Lock()
        self._unread = bytearray()
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        if ended is not None:
            self._poll.register(ended, select.POLLIN)

    def send(self, *messages: ToPool | FromPool) -> None:
        """Send messages in one go; raises OSError when the other end is gone."""
        parts: list[bytes] = []
        for message in messages:
            data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
            parts += (_LENGTH.pack(len(data)), data)
        if sum(map(len, parts)) <= _SMALL:
            parts = [b"".join(parts)]
        with self._lock:
            for part in parts:
                self._socket.sendall(part)

    def receive(self, seconds: float | None = None) -> Any:
        """Wait for a message; None if none comes in time. Raises EOFError or OSError when the other end is gone."""
        if not self._unread and seconds is not None and not self._poll.poll(max(seconds, 0.0) * 1000):
            return None
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
        return pickle.loads(self._read(length))

    @property
    def has_unread(self) -> bool:
        """Whether more has been read than was received, perhaps not a whole message."""
        return bool(self._unread)

    def cut(self) -> None:
        """End every send and receive that is under way, at both ends."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # cut already

    def close(self) -> None:
        """Let go of the socket; nobody may be using it."""
        self._socket.close()

    def _read(self, length: int) -> bytearray:
        unread = self._unread
        while len(unread) < length:
            if self._socket.fileno() not in [ready for ready, _ in self._poll.poll()]:
                raise EOFError("the process at the other end is over")
            part = self._socket.recv(min(max(length - len(unread), _SMALL), _MOST_AT_ONCE))
            if not part:
                raise EOFError("the line is cut")
            unread += part
        if len(unread) == length:
            self._unread = bytearray()
            return unread
        read = unread[:length]
        del unread[:length]
        return read


def watch_end(pid: int) -> int | None:
    """Return a file descriptor that becomes readable at the end of this child; None where the system has none."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None
