"""A limit on the time of what users put around a body."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

__all__ = ["RanOut", "in_time"]

T = TypeVar("T")


class RanOut(Exception):
    """Says that something had not returned in its time; whoever set that turns it into what users see."""


async def in_time(limit: float | None, waiting: Awaitable[T]) -> T:
    """Await something for so many seconds at most, None: for ever; raises RanOut, and what it raises."""
    if limit is None:
        return await waiting
    timer = asyncio.timeout(limit)
    try:
        async with timer:
            return await waiting
    except TimeoutError as error:
        if timer.expired():  # it may raise TimeoutError for reasons of its own
            raise RanOut from error
        raise
