"""How a coroutine ended, as a value that can be carried from one thread to another.

Raised out of an asyncio task, SystemExit and KeyboardInterrupt would end its loop, and with it everybody else's calls.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar, cast

from hueyio.named_tuple import NamedTuple

__all__ = ["Ended", "ended"]

R = TypeVar("R")


class Ended(NamedTuple, Generic[R]):
    """What a coroutine returned, or what it raised."""

    value: R | None
    error: BaseException | None

    def unwrap(self) -> R:
        """Return the value, or raise the error.

        A cancellation is raised as ``concurrent.futures.CancelledError``, as by everything that waits in a thread: the
        one of asyncio is no Exception, and would end the thread.
        """
        error = self.error
        try:
            if isinstance(error, asyncio.CancelledError):
                raise concurrent.futures.CancelledError(*error.args) from error
            if error is not None:
                raise error
            return cast("R", self.value)
        finally:
            del error  # its traceback has this frame: a cycle


async def ended(coroutine: Coroutine[Any, Any, R]) -> Ended[R]:
    """Run a coroutine to its end, whatever that is."""
    try:
        return Ended(await coroutine, None)
    except BaseException as error:  # raised again by ``unwrap``, in the thread that waits
        return Ended(None, error)
