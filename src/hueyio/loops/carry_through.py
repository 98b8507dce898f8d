"""Something that must come to its end, however often its caller is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["carry_through"]

R = TypeVar("R")


async def carry_through(coroutine: Coroutine[Any, Any, R], on_cancel: Callable[[], object] = lambda: None) -> R:
    """Run a coroutine to its end; only then raise the cancellation, if there was one meanwhile.

    ``on_cancel`` is called at each. What the coroutine raised is then the cause of the cancellation.
    """
    running = asyncio.get_running_loop().create_task(coroutine)
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
