"""The life of a session whose work is done by threads: how it begins, ends with its loop, and leaves nothing behind.

Nothing of a session runs as a task. An async generator that waits at its yield is the session's root: when a program
forgets ``close``, ``asyncio.run`` closes the loop's generators after it has cancelled all tasks, so the session
outlives whatever those still write.

A loop that is closed without that leaves the session's engine behind. Every engine that was not closed stands in
``_open``; one whose loop is closed is released when the next engine opens, and all are released at exit. So a forgotten
session keeps no thread, no socket and no file for ever, and prints nothing. After a fork the engines stay the parent's.

At exit an engine may be released while its loop still runs, in a thread that is about to be frozen. From then on its
session is closed: whatever is asked of it raises, because no thread would ever answer. Nor can a thread begin once the
interpreter is ending; ``start_daemon`` says so where Python would wait for it for ever.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Final, Generic, TypeVar

from hueyio.exceptions import SessionClosed, StorageUnavailable
from hueyio.storage.operations import OperationSession
from hueyio.storage.records import Over, Unknown
from hueyio.storage.shared.answers import resolve
from hueyio.storage.shared.waiters import Waiters

__all__ = ["Engine", "ThreadedSession", "release_forgotten", "start_daemon", "start_for_session", "tell"]

_JOIN_TIMEOUT: Final = 2.0
"""Seconds that all threads together get at exit."""

_open: set[Engine] = set()
_open_lock = threading.Lock()


class Engine(ABC):
    """What a session runs on, made on the loop that it belongs to. It knows nothing of its session."""

    waiters: Waiters

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.is_left = False
        """Whether its threads were told to end: nothing that is asked from now on is answered."""

    async def close(self, error: BaseException) -> None:
        """End all waits with this error; carry through what was sent, and let go of everything."""
        ended: asyncio.Future[None] = self.loop.create_future()
        self._end_waits(error)
        if self._leave(error, lambda: tell(self.loop, resolve, ended, None)):
            await ended

    def release(self) -> None:
        """Let go of everything without a loop."""
        with contextlib.suppress(RuntimeError, OSError):
            if self._leave(None, lambda: None):
                tell(self.loop, self._end_waits, SessionClosed("the session was let go of: the program ends"))

    @abstractmethod
    def join(self, timeout: float) -> None:
        """Wait a little for the end of the threads."""

    def _enter(self) -> None:
        """Note that from now on there is something to let go of."""
        with _open_lock:
            _open.add(self)

    def _leave(self, error: BaseException | None, ended: Callable[[], object]) -> bool:
        """Begin to end, once; False if that was begun before."""
        with _open_lock:
            if self.is_left:
                return False
            self.is_left = True
            _open.discard(self)
        self._let_go(error, ended)
        return True

    @abstractmethod
    def _end_waits(self, error: BaseException) -> None:
        """Fail all who wait on the loop."""

    @abstractmethod
    def _let_go(self, error: BaseException | None, ended: Callable[[], object]) -> None:
        """Begin to end: carry through what was sent, let go of everything, and call ``ended`` in the last thread.

        What comes too late gets ``error``, if there is a loop to tell it.
        """


E = TypeVar("E", bound=Engine)


class ThreadedSession(OperationSession, Generic[E]):
    """A session on an engine; ``where`` says in errors whose it is."""

    def __init__(self, engine: E, where: str) -> None:
        self._engine = engine
        self._where = where
        self._loop = engine.loop
        self._pid = os.getpid()
        self._is_closed = False
        self._root = self._wait_at_root()

    async def open(self) -> None:
        """Tie the session to the end of its loop."""
        await anext(self._root)

    async def close(self) -> None:
        """Carry through what was sent, wake every wait with SessionClosed, and let go of the files."""
        if not self._is_closed and os.getpid() == self._pid:
            self._is_closed = True
            await self._root.aclose()

    async def await_outcomes(self, ids: Sequence[str], unknown: Unknown = "return") -> list[Over]:
        self._require_open()
        return await self._engine.waiters.wait(tuple(ids), unknown)

    async def tell_outcomes(self, ids: Sequence[str], hear: Callable[[Over], object]) -> None:
        """Have each end told as it comes (``Telling``)."""
        self._require_open()
        await self._engine.waiters.hear(tuple(ids), hear)

    async def _wait_at_root(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self._is_closed = True
            # Cancelled or not, the threads carry through what was sent, and end.
            await self._engine.close(self._error())

    @property
    def _is_over(self) -> bool:
        return self._is_closed or self._engine.is_left

    def _require_open(self) -> None:
        if self._is_over or self._pid != os.getpid() or asyncio.get_running_loop() is not self._loop:
            raise self._error()

    def _error(self) -> SessionClosed:
        whose = f"this session of {self._where}"
        if self._pid != os.getpid():
            return SessionClosed(f"{whose} belongs to the process that forked this one")
        if self._is_over:
            return SessionClosed(f"{whose} is closed")
        return SessionClosed(f"{whose} belongs to another event loop")


def tell(loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *args: Any) -> bool:
    """Call back on the loop, from any thread; False if it is closed."""
    try:
        loop.call_soon_threadsafe(callback, *args)
    except RuntimeError:
        return False
    return True


def start_daemon(target: Callable[..., object], name: str, *args: Any) -> threading.Thread:
    """Start a thread that holds up no exit. Raises RuntimeError if none can be started, as at the end of Python."""
    if sys.is_finalizing():  # before Python 3.12 it would begin, wait for the interpreter lock, and never get it
        raise RuntimeError("no thread can be started any more: Python is ending")
    thread = threading.Thread(target=target, args=args, name=name, daemon=True)
    thread.start()
    return thread


def start_for_session(target: Callable[..., object], name: str, *args: Any) -> threading.Thread:
    """Start the thread of a session as ``start_daemon`` does. Raises StorageUnavailable if none can be started."""
    try:
        return start_daemon(target, name, *args)
    except RuntimeError as error:
        raise StorageUnavailable(f"the thread {name} of this storage cannot start: {error}") from error


def release_forgotten() -> None:
    """Let go of the engines whose loops are closed; an engine that opens calls this first."""
    with _open_lock:
        forgotten = [engine for engine in _open if engine.loop.is_closed()]
    for engine in forgotten:
        engine.release()


def _release_all() -> None:
    with _open_lock:
        left = list(_open)
    for engine in left:
        engine.release()
    until = time.monotonic() + _JOIN_TIMEOUT
    for engine in left:
        engine.join(max(0.0, until - time.monotonic()))


def _in_child() -> None:
    """Leave the parent's engines to the parent."""
    global _open_lock
    _open_lock = threading.Lock()
    _open.clear()


atexit.register(_release_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
