"""Tasks in a folder, for one machine: no server, no database, durable by default, any number of processes.

``FileStorage`` is configuration. The parts, from the outside in: ``session`` (the contract), ``engine`` (the thread,
group commit, waiting), ``replica`` (a copy of the state that follows the journal), ``actions`` and ``state`` (the
memory storage's model), ``journal``, ``snapshot`` and ``encoding`` (the file), ``lock`` and ``heartbeat``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from hueyio.storage.clock import HostClock
from hueyio.storage.contract import Capabilities
from hueyio.storage.file.engine import FileEngine
from hueyio.storage.file.heartbeat import FileLeaseKeeper
from hueyio.storage.file.lock import require_library
from hueyio.storage.file.options import FileOptions
from hueyio.storage.file.session import FileSession
from hueyio.storage.records import (
    DEAD_LIMIT,
    FAILED_BYTES,
    FAILED_TTL,
    HISTORY_TTL,
    KEEP_ENDED,
    KEEP_FAILED,
    KEEP_HISTORY,
)
from hueyio.storage.shared.private_files import DEFAULT_MODE

__all__ = ["FileStorage"]


class FileStorage:
    """One queue in a folder; several queues may share it.

    Each queue has a subfolder with one journal, that of all its tasks, results and keys; a process that opens it reads
    it into memory. No link is followed there. Needs ``hueyio[file]``.

    ===================  ============================================================================================
    ``name``             the queue's name
    ``path``             the folder, which is made when it is first used
    ``levels``           Huey's, 0 to 4; it changes nothing: there are no files to spread over nested folders
    ``use_thread_lock``  Huey's; it changes nothing: the lock holds between threads and processes alike
    ``fsync``            sync to the disk; False leaves that to the system: faster, and the last moments may be lost
                         with the power, never with the process; None is the default
    ``timeout``          seconds for which the lock is waited for while others have it
    ``journal_mb``       a journal whose steps take more MB than this, and twice what they left, is written anew
    ``dead_limit``       dead letters that are kept
    ``keep_ended``       ended ids that are remembered
    ``keep_failed``      failed tasks that are kept
    ``failed_bytes``     bytes that they may take together
    ``failed_ttl``       seconds for which they are kept
    ``keep_history``     ended tasks that the history has, and attempts that failed
    ``history_ttl``      seconds for which it has them
    ``clock``            gives epoch seconds
    ``mode``             that of the files which are made: 0o600 lets in nobody else, 0o660 a group; folders get what
                         goes with it; see "Security"
    ===================  ============================================================================================

    Raises ValueError if ``levels`` is not 0 to 4, or ``path`` is something else than a folder, ConfigurationError if
    another option cannot work or the library filelock is missing.
    """

    def __init__(
        self,
        name: str = "huey",
        path: str | os.PathLike[str] = "huey",
        levels: int = 2,
        use_thread_lock: bool = False,
        *,
        fsync: bool | None = True,
        timeout: float = 5,
        journal_mb: float = 8,
        dead_limit: int = DEAD_LIMIT,
        keep_ended: int = KEEP_ENDED,
        keep_failed: int = KEEP_FAILED,
        failed_bytes: int = FAILED_BYTES,
        failed_ttl: float = FAILED_TTL,
        keep_history: int = KEEP_HISTORY,
        history_ttl: float = HISTORY_TTL,
        clock: Callable[[], float] = time.time,
        mode: int = DEFAULT_MODE,
    ) -> None:
        if isinstance(levels, bool) or not isinstance(levels, int) or not 0 <= levels <= 4:
            raise ValueError(f"FileStorage: levels must be 0 to 4, not {levels!r}")
        if not isinstance(path, str | os.PathLike) or not os.fspath(path):
            raise ValueError(f"FileStorage: path must be that of a folder, not {path!r}")
        root = os.path.abspath(os.fspath(path))
        if os.path.exists(root) and not os.path.isdir(root):
            raise ValueError(f"FileStorage: {root} is not a folder")
        require_library()
        self._options = FileOptions(
            name=name,
            root=root,
            fsync=True if fsync is None else fsync,
            timeout=timeout,
            journal_mb=journal_mb,
            dead_limit=dead_limit,
            keep_ended=keep_ended,
            keep_failed=keep_failed,
            failed_bytes=failed_bytes,
            failed_ttl=failed_ttl,
            keep_history=keep_history,
            history_ttl=history_ttl,
            clock=clock,
            mode=mode,
        )
        self._clock = HostClock(clock)

    @property
    def name(self) -> str:
        """The queue's name."""
        return self._options.name

    @property
    def path(self) -> str:
        """The folder."""
        return self._options.root

    @property
    def capabilities(self) -> Capabilities:
        """Huey's priorities, and other processes on the same machine."""
        keeps_history = self._options.keep_history > 0 and self._options.history_ttl > 0
        return Capabilities(most_priority=2**16 - 1, keeps_history=keeps_history)

    @property
    def clock(self) -> HostClock:
        """That of this host: all who use the folder are on it."""
        return self._clock

    async def connect(self) -> FileSession:
        """Open a session for the running loop. Raises StorageUnavailable or ConfigurationError."""
        session = FileSession(await FileEngine.start(self._options), self._options)
        await session.open()
        return session

    def lease_keeper(self, owner: str) -> FileLeaseKeeper:
        """Make the heartbeat of one owner."""
        return FileLeaseKeeper(self._options, owner)

    def __str__(self) -> str:
        return f"folder {self.path}, queue {self.name!r}"
