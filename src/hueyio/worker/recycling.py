"""Ask the supervisor for a successor when this process has run enough tasks, or uses too much memory."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from hueyio.consumer.memory import memory_in_use
from hueyio.worker.options import WorkerOptions
from hueyio.worker.parent import Parent
from hueyio.worker.status import Status

__all__ = ["recycle_when_used_up"]

logger = logging.getLogger(__name__)

_LOOK: Final = 1.0
"""Seconds between two looks."""

_ASK_AGAIN: Final = 30.0
"""Seconds after which a successor that did not come is asked for again: the last one may have failed to start."""


async def recycle_when_used_up(status: Status, options: WorkerOptions, parent: Parent) -> None:
    """Ask until cancelled; this process goes on until its successor consumes and it is told to stop."""
    if options.max_tasks is None and options.max_memory is None:
        return
    while (reason := _used_up(status, options)) is None:
        await asyncio.sleep(_LOOK)  # nothing announces that memory is used
    logger.info("to be replaced: %s", reason)
    while True:
        parent.say("recycle")
        await asyncio.sleep(_ASK_AGAIN)


def _used_up(status: Status, options: WorkerOptions) -> str | None:
    if options.max_tasks is not None and (finished := status.finished()) >= options.max_tasks:
        return f"{finished} tasks have run here"
    if options.max_memory is not None and (used := memory_in_use()) > options.max_memory:
        return f"{used:.0f} MB of memory are in use"
    return None
