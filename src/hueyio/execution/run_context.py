"""Where a body runs: what locks and limits must know of whoever runs it.

Set by whoever runs attempts, seen by their bodies and by all that these call, in threads too. Under which lease a
body runs is in the ``receipt`` of its task.
"""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from typing import Final

from hueyio.execution.context import running
from hueyio.named_tuple import NamedTuple
from hueyio.storage.contract import Storage

__all__ = ["RUN_CONTEXT", "RunContext", "is_pool_process", "mark_pool_process", "runs_body_of"]


class RunContext(NamedTuple):
    """The loop of the consumer, its storage, and its lease in seconds."""

    loop: asyncio.AbstractEventLoop
    storage: Storage
    lease: float
    is_leased: bool = True
    """Whether bodies run under a lease on this storage: locks are then their tasks', and they wait for a storage that
    is away as their consumer does. Immediate mode has none on the live storage."""
    queue: str = ""
    """The name of the Huey."""


RUN_CONTEXT: Final[ContextVar[RunContext | None]] = ContextVar("hueyio_run_context", default=None)


def runs_body_of(storage: Storage) -> bool:
    """Say whether this is the body of a task that is run here, on this loop, under a lease on this storage."""
    context, task = RUN_CONTEXT.get(), running.get(None)
    return (
        context is not None
        and task is not None
        and task.receipt is not None
        and context.storage is storage
        and context.loop is asyncio.get_running_loop()
    )


def mark_pool_process() -> None:
    """Note that this process runs tasks for another one, for the rest of its life."""
    _in_pool.set()


def is_pool_process() -> bool:
    """Say whether this process runs ``run_in="process"`` tasks for another one."""
    return _in_pool.is_set()


_in_pool: Final = threading.Event()
