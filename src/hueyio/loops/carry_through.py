"""What must come to its end, however often whoever waits for it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from hueyio.storage.shared.background import make_task

__all__ = ["carry_through", "end_of"]

R = TypeVar("R")


async def carry_through(coroutine: Coroutine[Any, Any, R], on_cancel: Callable[[], object] = lambda: None) -> R:
    """Run a coroutine to its end; only then raise the cancellation, if there was one meanwhile.

    ``on_cancel`` is called at each. What the coroutine raised is then the cause of the cancellation.
    """
    running = make_task(coroutine)
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError as error:
            cancelled = error
            on_cancel()
    if cancelled is not None:
        raise cancelled from (None if running.cancelled() else running.exception())
    return running.result()


async def end_of(future: asyncio.Future[R]) -> R:
    """Wait until a future has ended, also if this wait is cancelled; return its result, or raise its error.

    For whoever was cancelled already, and raises that afterwards.
    """
    while not future.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([future])
    return future.result()
