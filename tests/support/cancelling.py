"""Cancel a coroutine where it waits for the n-th time, as ``Task.cancel`` would."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

__all__ = ["cancelled_at", "run_until_wait"]

R = TypeVar("R")


async def run_until_wait(number: int, coroutine: Coroutine[Any, Any, R]) -> bool:
    """Run a coroutine and cancel it at its wait of this number, from 0; say whether it came so far."""
    try:
        await asyncio.ensure_future(_as_coroutine(number, coroutine))
    except asyncio.CancelledError:
        return True
    return False


async def _as_coroutine(number: int, coroutine: Coroutine[Any, Any, R]) -> R:
    return await cancelled_at(number, coroutine)


@types.coroutine
def cancelled_at(number: int, coroutine: Coroutine[Any, Any, R]) -> Generator[Any, Any, R]:
    """Await a coroutine; the running task is cancelled when it waits for the time of this number, from 0."""
    waits = 0
    try:
        waiting = coroutine.send(None)
        while True:
            if waits == number:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            waits += 1
            try:
                got = yield waiting
            except BaseException as error:
                waiting = coroutine.throw(error)
            else:
                waiting = coroutine.send(got)
    except StopIteration as ended:
        value: R = ended.value
        return value
