"""The running parts of one session, how they are tied together, and how they end.

    loop                       writer's thread            lookout's thread
    session ── operation ────► Writer ── commit ─┐
    Watcher ◄── own mail ────────┘               ├──────► nudge ─┐
       ▲ └───── order ───────────────────────────│───────────────┤
       └─────── view ◄───────────────────────────│────────── Lookout ◄── other sessions' and processes' rings
                                                 └──────► rings to other sessions and processes

and a ``Reader`` with a thread of its own for questions that may take long.

The engine knows nothing of its session. Every engine that was not closed stands in ``_open``; one whose loop is
closed without having closed it is let go when the next one opens, and all of them at exit, so that a forgotten
session keeps no thread, no socket and no file for ever, and prints nothing.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import secrets
import threading
from collections.abc import Callable
from typing import Final

from hueyio.storage.records import Over
from hueyio.storage.shared.doorbell import Doorbell
from hueyio.storage.shared.waiters import Exchange, Outcomes
from hueyio.storage.sqlite.errors import explained
from hueyio.storage.sqlite.file import SqliteFile, open_queue, open_writer
from hueyio.storage.sqlite.lookout import Lookout
from hueyio.storage.sqlite.options import SqliteOptions
from hueyio.storage.sqlite.reader import Reader
from hueyio.storage.sqlite.thread import SqliteThread, tell
from hueyio.storage.sqlite.transaction import Transaction
from hueyio.storage.sqlite.waiters import REGISTRATION_TTL, forget_clients, refresh, register, take_back
from hueyio.storage.sqlite.watcher import Watcher
from hueyio.storage.sqlite.writer import Writer

__all__ = ["SqliteEngine"]

_JOIN_TIMEOUT: Final = 2.0

_open: set[SqliteEngine] = set()
_open_lock = threading.Lock()


class SqliteEngine:
    """Made by ``start``, on the loop that it belongs to."""

    @classmethod
    async def start(cls, options: SqliteOptions) -> SqliteEngine:
        """Open the file in a thread of its own. Raises StorageUnavailable or ConfigurationError."""
        _release_forgotten()
        file = SqliteFile(lambda: open_writer(options))
        thread = SqliteThread("hueyio-sqlite-writer")
        try:
            queue, path = await thread.run(lambda: explained(lambda: open_queue(file, options), options))
        except BaseException:
            thread.stop(file.close)
            raise
        return cls(options, file, thread, queue, path)

    def __init__(self, options: SqliteOptions, file: SqliteFile, thread: SqliteThread, queue: int, path: str) -> None:
        self.loop = asyncio.get_running_loop()
        client = secrets.token_hex(8)
        self._client = client
        self._pid = os.getpid()
        self._is_registered = False
        self.writer = Writer(options, file, thread, queue, client, self._publish)
        self.reader = Reader(options, queue, client)
        self.outcomes = Outcomes(self._exchange, self._refresh, REGISTRATION_TTL / 4)
        self.watcher = Watcher(self.outcomes)
        self.doorbell = Doorbell(path, client)
        self.lookout = Lookout(options, queue, client, self.doorbell, self.watcher.saw, self.watcher.fail)
        self.watcher.lookout = self.lookout
        self.writer.received = self.watcher.committed
        with _open_lock:
            _open.add(self)

    async def close(self, error: BaseException) -> None:
        """End all waits with this error and let go of everything; what was sent is carried through first."""
        ended: asyncio.Future[None] = self.loop.create_future()
        self.watcher.fail(error)
        self.outcomes.close(error)
        self._let_go(lambda: tell(self.loop, _resolve, ended))
        await ended

    def release(self) -> None:
        """Let go of everything without a loop."""
        with contextlib.suppress(RuntimeError, OSError):
            self._let_go(lambda: None)

    def join(self) -> None:
        """Wait a little for the end of the threads."""
        self.lookout.join(_JOIN_TIMEOUT)
        self.reader.join(_JOIN_TIMEOUT)
        self.writer.join(_JOIN_TIMEOUT)

    def _let_go(self, ended: Callable[[], object]) -> None:
        with _open_lock:
            _open.discard(self)
        if self._is_registered:
            self.writer.leave(lambda tx: forget_clients(tx, [self._client]))

        def last() -> None:
            self.doorbell.close()
            ended()

        # One after the other: the doorbell may go when the lookout has ended, and rings when the writer has.
        self.lookout.close(lambda: self.reader.close(lambda: self.writer.close(last)))

    def _exchange(self, asked: Exchange) -> None:
        if asked.wanted:
            self._expect_mail()

        def exchange(tx: Transaction) -> list[tuple[int, Over]]:
            over = register(tx, asked.wanted)
            take_back(tx, asked.unwanted)
            return over

        self.writer.send(exchange, asked.done, asked.failed)

    def _refresh(self) -> None:
        self.writer.send(refresh)

    def _expect_mail(self) -> None:
        self._is_registered = True
        self.doorbell.listen("mail")
        self.watcher.watch()

    def _publish(self, transaction: Transaction) -> None:
        """Ring others after a commit; called in the writer's thread."""
        work = bool(transaction.rung) or transaction.noticed
        if work or transaction.told:
            # This session's own bell is among those that are nudged.
            dead = self.doorbell.ring(work, transaction.told)
            if dead:
                self.writer.leave(lambda tx: forget_clients(tx, dead))


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _release_forgotten() -> None:
    with _open_lock:
        forgotten = [engine for engine in _open if engine.loop.is_closed()]
    for engine in forgotten:
        engine.release()


def _release_all() -> None:
    with _open_lock:
        left = list(_open)
    for engine in left:
        engine.release()
    for engine in left:
        engine.join()


def _in_child() -> None:
    """Leave the parent's engines to the parent."""
    global _open_lock
    _open_lock = threading.Lock()
    _open.clear()


atexit.register(_release_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
