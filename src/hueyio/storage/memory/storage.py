"""Tasks in the memory of one process: the readable model of the contract.

Heaps and dicts under one lock that is held for short synchronous sections only, so that any number of sessions, each
in a loop and thread of its own, can share a storage. ``state`` is the data, with ``line``, ``shelf`` and ``latches``;
``producing``, ``consuming``, ``settling``, ``keys``, ``limits``, ``dead``, ``history`` and ``looking`` are what happens
to it, put together in ``actions``; ``waiters`` is who wants to know, ``waiting`` what they look for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from hueyio.storage.clock import HostClock
from hueyio.storage.contract import Capabilities
from hueyio.storage.memory.heartbeat import MemoryLeaseKeeper
from hueyio.storage.memory.looking import scan_tasks
from hueyio.storage.memory.session import MemorySession
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.records import (
    DEAD_LIMIT,
    FAILED_BYTES,
    FAILED_TTL,
    HISTORY_TTL,
    KEEP_ENDED,
    KEEP_FAILED,
    KEEP_HISTORY,
    Entry,
    LiveState,
)
from hueyio.storage.shared.ended import check_keep_ended
from hueyio.storage.shared.history import check_history_bounds
from hueyio.storage.shared.letters import check_failed_bounds

__all__ = ["MemoryStorage"]


class MemoryStorage:
    """Tasks in the memory of this process, as long as this object lives.

    ================  ==========================================================
    ``name``          the queue's name
    ``dead_limit``    dead letters that are kept
    ``keep_ended``    ended ids that are remembered
    ``keep_failed``   failed tasks that are kept
    ``failed_bytes``  bytes that they may take together
    ``failed_ttl``    seconds for which they are kept
    ``keep_history``  ended tasks that the history has, and attempts that failed
    ``history_ttl``   seconds for which it has them
    ``clock``         gives epoch seconds
    ================  ==========================================================
    """

    def __init__(
        self,
        name: str = "huey",
        *,
        dead_limit: int = DEAD_LIMIT,
        keep_ended: int = KEEP_ENDED,
        keep_failed: int = KEEP_FAILED,
        failed_bytes: int = FAILED_BYTES,
        failed_ttl: float = FAILED_TTL,
        keep_history: int = KEEP_HISTORY,
        history_ttl: float = HISTORY_TTL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        check_keep_ended(type(self).__name__, keep_ended)
        check_failed_bounds(type(self).__name__, keep_failed, failed_bytes, failed_ttl)
        check_history_bounds(type(self).__name__, keep_history, history_ttl)
        self.name = name
        self.capabilities = Capabilities(
            priorities=True, across_processes=False, keeps_history=keep_history > 0 and history_ttl > 0
        )
        self.clock = HostClock(clock)
        bounds = dead_limit, keep_ended, keep_failed, failed_ttl, failed_bytes, keep_history, history_ttl
        self._state = MemoryState(clock, *bounds)

    async def connect(self) -> MemorySession:
        """Open a session for the running loop."""
        return MemorySession(self._state, asyncio.get_running_loop())

    def scan(self, where: LiveState) -> list[Entry]:
        """List tasks in claim order, from any thread and without a loop: what a test asks."""
        with self._state.lock:
            return scan_tasks(self._state, where, None)

    def lease_keeper(self, owner: str) -> MemoryLeaseKeeper:
        """Make the heartbeat of one owner."""
        return MemoryLeaseKeeper(self._state, owner)

    def __str__(self) -> str:
        return f"the memory of this process, queue {self.name!r}"
