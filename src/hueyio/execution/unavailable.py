"""Ask the storage from a body: while it is away, a body that a consumer runs waits for it, as the consumer does.

Elsewhere, and in immediate mode, the caller is told at once. A wait ends with the body: with its timeout, its
cancellation, or the stop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from hueyio.exceptions import StorageUnavailable
from hueyio.execution.context import running
from hueyio.execution.run_context import RUN_CONTEXT

__all__ = ["wait_while_unavailable"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

_REST: Final = 0.5
"""Seconds between two tries; the storage has repeated each of them already."""


async def wait_while_unavailable(ask: Callable[[], Awaitable[T]]) -> T:
    """Return what ``ask`` returns. It is repeated, also after it took effect and only its answer was lost."""
    context, task = RUN_CONTEXT.get(), running.get(None)
    if context is None or not context.is_leased or task is None or task.receipt is None:
        return await ask()
    while True:
        try:
            return await ask()
        except StorageUnavailable as error:
            logger.debug("a task waits for the storage: %s", error)
            await asyncio.sleep(_REST)  # nothing tells when a storage is back
            if task.is_cancelled or task.is_timed_out:
                raise  # nobody ends the wait of a thread from outside, and its body must not begin now
