"""Wait for a coroutine of a limit, in any thread that runs no loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hueyio.exceptions import HueyException
from hueyio.execution.run_context import RUN_CONTEXT
from hueyio.loops.portal import block_on

__all__ = ["block_in_body"]

T = TypeVar("T")


def block_in_body(work: Coroutine[Any, Any, T], name: str) -> T:
    """Wait for what the consumer's loop does, in the thread of a task, or else the loop of blocking calls."""
    if _is_on_loop():
        work.close()
        raise HueyException(f"{name!r} cannot block a running loop: use `async with` or `await` there")
    context = RUN_CONTEXT.get()
    if context is None:
        return block_on(work)
    try:
        return asyncio.run_coroutine_threadsafe(work, context.loop).result()
    except RuntimeError:
        work.close()
        raise


def _is_on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
