"""A storage that swallows everything: for switching the queue off without touching the code that uses it.

A session is one of the memory storage that is never given anything: whatever would be written is acknowledged and
dropped. So there is never work, no value is ever found, no key is ever taken, and nothing is known of a task that was
enqueued.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from hueyio.storage.contract import Capabilities
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.memory.actions import ACTIONS
from hueyio.storage.memory.session import MemorySession
from hueyio.storage.records import Enqueued, Over, Unknown

__all__ = ["BlackHoleStorage"]


class BlackHoleStorage(MemoryStorage):
    """Keeps nothing, whatever it is told; takes any arguments."""

    def __init__(self, name: str = "huey", **options: Any) -> None:
        super().__init__(name)
        self.capabilities = Capabilities(across_processes=False, keeps=False, keeps_history=False)

    async def connect(self) -> BlackHoleSession:
        """Open a session for the running loop."""
        return BlackHoleSession(self._state, asyncio.get_running_loop())

    def __str__(self) -> str:
        return f"{self.name} nowhere"


class BlackHoleSession(MemorySession):
    """Only leases are real, so that a consumer can be started; it has nothing to do."""

    actions: ClassVar[Mapping[str, Callable[..., Any]]] = {
        **ACTIONS,
        "enqueue": lambda state, entries, latches: [Enqueued("added")] * len(entries),
        "put": lambda state, *args: None,
        "put_if_absent": lambda state, *args: True,
        "add": lambda state, area, key, amount, ttl: amount,
        "acquire": lambda state, *args: True,
        "renew": lambda state, *args: True,
        "release": lambda state, *args: True,
        "take": lambda state, *args: 0.0,
        "note": lambda state, line: None,
    }

    async def await_outcomes(self, ids: Sequence[str], unknown: Unknown = "return") -> list[Over]:
        """Return at once: no id will ever be known."""
        self._require_open()
        return [Over(id, None) for id in ids]
