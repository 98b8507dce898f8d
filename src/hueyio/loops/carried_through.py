"""Wait for what must not be cut short, whoever cancels the wait."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TypeVar

__all__ = ["end_of"]

T = TypeVar("T")


async def end_of(future: asyncio.Future[T]) -> T:
    """Wait until a future has ended, also if this wait is cancelled; return its result, or raise its error.

    For whoever was cancelled already, and raises that afterwards.
    """
    while not future.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([future])
    return future.result()
