"""From a coroutine method to a blocking one with the same signature."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

from hueyio.handles.awaited import without_marks
from hueyio.handles.sync_result import to_sync
from hueyio.loops.portal import block_on

__all__ = ["blocking"]

P = ParamSpec("P")
T = TypeVar("T")
"""What the coroutine returns; handles on results become blocking ones."""


def blocking(method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]) -> Callable[Concatenate[Any, P], T]:
    """Return a method that runs ``method`` of what ``self`` wraps, and waits for it."""

    @functools.wraps(method)
    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        value: T = to_sync(block_on(method(self._wrapped, *args, **kwargs)))
        return value

    return without_marks(call)
