"""Let the coroutine methods of a class tell where they were called, if nobody awaits them."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from hueyio.handles.awaited import awaited
from hueyio.tasks.unawaited import Unawaited

__all__ = ["telling"]

C = TypeVar("C", bound=type)


def telling(blocking: str) -> Callable[[C], C]:
    """Let all public coroutine methods of a class do so; ``blocking`` is how code that blocks gets at such an object.

    Left out is ``get``: who drops it loses nothing, and it is what ``await result`` does.
    """

    def decorate(kind: C) -> C:
        for name, method in list(vars(kind).items()):
            if _is_async_def(method) and not name.startswith("_") and name != "get":
                setattr(kind, name, _telling(method, f"{blocking}.{name}"))
        return kind

    return decorate


def _is_async_def(method: object) -> bool:
    """Say whether this is an ``async def``; ``inspect`` says so of what is only marked too."""
    code = getattr(method, "__code__", None)
    return code is not None and bool(code.co_flags & inspect.CO_COROUTINE)


def _telling(method: Callable[..., Coroutine[Any, Any, Any]], way: str) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        return Unawaited(method(*args, **kwargs), method.__qualname__, way, sys._getframe(1))

    return awaited(call)
