"""Where a body runs: what locks must know of the consumer around them.

Set by whoever runs attempts, seen by their bodies and by all that these call, in threads too. Under which lease a
body runs is in the ``receipt`` of its task.
"""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from typing import Final, NamedTuple

from hueyio.storage.contract import Storage

__all__ = ["RUN_CONTEXT", "RunContext", "is_pool_process", "mark_pool_process"]


class RunContext(NamedTuple):
    """The loop of the consumer, its storage, and its lease in seconds."""

    loop: asyncio.AbstractEventLoop
    storage: Storage
    lease: float


RUN_CONTEXT: Final[ContextVar[RunContext | None]] = ContextVar("hueyio_site", default=None)


def mark_pool_process() -> None:
    """Note that this process runs tasks for another one, for the rest of its life."""
    _in_pool.set()


def is_pool_process() -> bool:
    """Say whether this process runs ``run_in="process"`` tasks for another one."""
    return _in_pool.is_set()


_in_pool: Final = threading.Event()
