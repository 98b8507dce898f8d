"""Wait for what gives no notice of itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

__all__ = ["until"]


async def until(question: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    """Ask until the answer is yes; fails after so many seconds. Only for states that nothing announces."""
    async with asyncio.timeout(seconds):
        while not await question():
            await asyncio.sleep(0.001)
