"""Tasks in one SQLite file, for one machine: no server, durable by default, any number of processes and queues.

``SqliteStorage`` is configuration. The parts, from the outside in: ``session`` (the contract), ``actions`` (what each
operation does in a transaction, in one module for each role), and ``engine``: ``writer`` (group commit), ``waits`` and
``poll_thread`` (waiting), ``thread`` and ``file`` (a connection in its thread). The SQL of a module is in ``sql``,
under the module's name.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from hueyio.storage.clock import HostClock
from hueyio.storage.contract import Capabilities
from hueyio.storage.records import (
    DEAD_LIMIT,
    FAILED_BYTES,
    FAILED_TTL,
    HISTORY_TTL,
    KEEP_ENDED,
    KEEP_FAILED,
    KEEP_HISTORY,
    Enqueued,
    Entry,
    Receipt,
)
from hueyio.storage.shared.private_files import DEFAULT_MODE
from hueyio.storage.sqlite.completion import BlockingSqliteCompletion, SqliteCompletion
from hueyio.storage.sqlite.engine.engine import SqliteEngine
from hueyio.storage.sqlite.heartbeat import SqliteLeaseKeeper
from hueyio.storage.sqlite.joined_transaction import Connection, enqueue_in
from hueyio.storage.sqlite.options import SqliteOptions
from hueyio.storage.sqlite.session import SqliteSession

__all__ = ["SqliteStorage"]


class SqliteStorage:
    """One queue in an SQLite file.

    =================  ===============================================================================================
    ``name``           the queue's name
    ``filename``       the file; from the current folder where it is no whole path
    ``cache_mb``       SQLite's page cache for each connection, in MB
    ``fsync``          sync each commit to the disk; False leaves that to the system: faster, and the last moments may
                       be lost with the power, never with the process; None is the default
    ``journal_mode``   wal, or for file systems without shared memory delete, truncate or persist
    ``timeout``        seconds for which a lock of another process is waited for
    ``strict_fifo``    Huey's; the order is always strict here
    ``create_tables``  make the tables; False: they must be there
    ``dead_limit``     dead letters that are kept
    ``keep_ended``     ended ids that are remembered
    ``keep_failed``    failed tasks that are kept
    ``failed_bytes``   bytes that they may take together
    ``failed_ttl``     seconds for which they are kept
    ``keep_history``   ended tasks that the history has, and attempts that failed
    ``history_ttl``    seconds for which it has them
    ``sync_on_loop``   sync short commits on the event loop in place of a thread, while they take less than 1 ms on
                       average: one ``await add(i)`` is answered sooner, and the loop stands still for each sync
    ``clock``          gives epoch seconds
    ``mode``           that of the files which are made: 0o600 lets in nobody else, 0o660 a group; see "Security"
    =================  ===============================================================================================

    Further arguments (``uri``, ``cached_statements``, ``factory``, ``detect_types``) go to ``sqlite3.connect``.
    """

    def __init__(
        self,
        name: str = "huey",
        filename: str | os.PathLike[str] = "huey.db",
        *,
        cache_mb: float = 8,
        fsync: bool | None = True,
        journal_mode: str = "wal",
        timeout: float = 5,
        strict_fifo: bool = False,
        create_tables: bool = True,
        dead_limit: int = DEAD_LIMIT,
        keep_ended: int = KEEP_ENDED,
        keep_failed: int = KEEP_FAILED,
        failed_bytes: int = FAILED_BYTES,
        failed_ttl: float = FAILED_TTL,
        keep_history: int = KEEP_HISTORY,
        history_ttl: float = HISTORY_TTL,
        sync_on_loop: bool = False,
        clock: Callable[[], float] = time.time,
        mode: int = DEFAULT_MODE,
        **kwargs: Any,
    ) -> None:
        self._options = SqliteOptions(
            name=name,
            filename=filename,
            cache_mb=cache_mb,
            fsync=True if fsync is None else fsync,
            sync_on_loop=sync_on_loop,
            journal_mode=journal_mode,
            timeout=timeout,
            strict_fifo=strict_fifo,
            create_tables=create_tables,
            dead_limit=dead_limit,
            keep_ended=keep_ended,
            keep_failed=keep_failed,
            failed_bytes=failed_bytes,
            failed_ttl=failed_ttl,
            keep_history=keep_history,
            history_ttl=history_ttl,
            clock=clock,
            connect=kwargs,
            mode=mode,
        )
        self._clock = HostClock(clock)

    @property
    def name(self) -> str:
        """The queue's name."""
        return self._options.name

    @property
    def capabilities(self) -> Capabilities:
        """Priorities, and other processes on the same machine."""
        keeps_history = self._options.keep_history > 0 and self._options.history_ttl > 0
        return Capabilities(
            priorities=True, across_processes=True, keeps_history=keeps_history, claims_with_settlement=True
        )

    @property
    def clock(self) -> HostClock:
        """That of this host: all who use the file are on it."""
        return self._clock

    async def connect(self) -> SqliteSession:
        """Open a session for the running loop. Raises StorageUnavailable or ConfigurationError."""
        session = SqliteSession(await SqliteEngine.start(self._options), self._options.path, self.name)
        await session.open()
        return session

    async def enqueue_in(self, connection: Connection, entries: Sequence[Entry]) -> list[Enqueued]:
        """Add entries as part of the transaction that is open on an application's own connection to this file.

        They become visible with its commit, or never. Raises ConfigurationError if the connection is to another file,
        HueyException if it has no transaction and begins none by itself, StorageUnavailable if the write lock is
        held by others for longer than the connection waits.
        """
        return await enqueue_in(connection, self._options, tuple(entries))

    def completion(self, receipt: Receipt, seconds: float) -> SqliteCompletion:
        """Make the transaction in which the body of a coroutine ends its task; ``connection`` is one of aiosqlite."""
        return SqliteCompletion(self._options, receipt, seconds)

    def blocking_completion(self, receipt: Receipt, seconds: float) -> BlockingSqliteCompletion:
        """Make that of a thread; ``connection`` is one of sqlite3."""
        return BlockingSqliteCompletion(self._options, receipt, seconds)

    def lease_keeper(self, owner: str) -> SqliteLeaseKeeper:
        """Make the heartbeat of one owner; connects at the first beat."""
        return SqliteLeaseKeeper(self._options, owner)

    def __str__(self) -> str:
        return f"SQLite file {self._options.path}, queue {self.name!r}"
