"""Tasks that have not begun when they are made, whatever the loop makes of others.

With ``asyncio.eager_task_factory`` (Python 3.12 and later) a task runs up to its first wait while it is being made.
What is written here has the other order: a task is noted where it can be found and cancelled, and then begins. So
hueyio's own tasks are made without the loop's factory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, TypeVar

__all__ = ["begin_later", "is_cancelled", "make_task"]

T = TypeVar("T")


def make_task(
    coroutine: Coroutine[Any, Any, T], *, name: str | None = None, context: Context | None = None
) -> asyncio.Task[T]:
    """Run a coroutine as a task that begins in the next turn of the running loop."""
    return asyncio.Task(coroutine, loop=asyncio.get_running_loop(), name=name, context=context)


def begin_later(coroutine: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
    """Return what a TaskGroup makes a task of that begins in the next turn: groups leave the making to the loop."""
    return coroutine if asyncio.get_running_loop().get_task_factory() is None else _wait_a_turn(coroutine)


async def _wait_a_turn(coroutine: Coroutine[Any, Any, T]) -> T:
    try:
        await asyncio.sleep(0)
    except BaseException:
        coroutine.close()  # cancelled before it began
        raise
    return await coroutine


def is_cancelled() -> bool:
    """Say whether a CancelledError was meant for the running asyncio task, and not let out by what it called."""
    try:
        current = asyncio.current_task()
    except RuntimeError:  # no loop runs here, so that nobody cancels
        return False
    return current is not None and current.cancelling() > 0
