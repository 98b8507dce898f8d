"""Push the progress of one task to a browser, and its end, as server-sent events.

A stream ends by itself after a while, and the browser opens it anew: who may look no longer is turned away then, a
reader that is gone is noticed at the latest then, and a server that stops does not wait for long. Nothing is lost by
it, because progress is a level.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from pydantic import BaseModel

from hueyio.contrib.fastapi.models import TaskProgress, TaskStatus
from hueyio.handles.result import Result

__all__ = ["HEADERS", "follow"]

HEADERS: Final = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""Nobody on the way may keep events back: the second is for nginx."""


async def follow(
    result: Result[Any], look: Callable[[str], Awaitable[TaskStatus]], lasts: float
) -> AsyncIterator[bytes]:
    """Yield an event for each report of a task, and one for its end, for as long as ``lasts`` seconds."""
    until = asyncio.get_running_loop().time() + lasts
    updates = result.updates()
    yield b"retry: 1000\n\n"
    while True:
        limit = asyncio.timeout_at(until)
        try:
            async with limit:
                update = await anext(updates, None)
        except TimeoutError:
            if limit.expired():
                return
            raise
        if update is None:
            break
        yield _event("progress", TaskProgress(fraction=update.fraction, message=update.message))
    yield _event("end", await look(result.id))


def _event(name: str, data: BaseModel) -> bytes:
    return f"event: {name}\ndata: {data.model_dump_json()}\n\n".encode()
