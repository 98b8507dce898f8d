"""Tell frameworks that what returns a coroutine has to be awaited, though it is no ``async def``.

Background tasks, schedulers and event emitters ask whether a callable is a coroutine function. If it is none, they
call it in a thread and drop what it returns: nothing would be enqueued, and nobody would notice. A call of a task
checks its arguments at once, so it is a plain function that returns a coroutine. The marks below are what ``inspect``
(Python 3.12) and ``asyncio`` look for.

What such a call returns is typed ``Coroutine[None, None, ...]``: with ``Any`` in it mypy takes what ``asyncio.gather``
gives for ``Any``.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, Final, TypeVar

__all__ = ["awaited", "without_marks"]

A = TypeVar("A", bound=Callable[..., Any])


def awaited(returns_coroutine: A) -> A:
    """Mark a function, or a class whose instances are called: what a call returns has to be awaited."""
    for name, value in _MARKS.items():
        setattr(returns_coroutine, name, value)
    return returns_coroutine


def without_marks(function: A) -> A:
    """Take from a function the marks that ``functools.wraps`` has copied to it."""
    for name in _MARKS:
        function.__dict__.pop(name, None)
    return function


def _marks() -> dict[str, Any]:
    """Return the attributes by which Python knows such functions."""

    def marked() -> None: ...

    mark = getattr(inspect, "markcoroutinefunction", None)
    if mark is not None:
        mark(marked)
    known = getattr(asyncio.coroutines, "_is_coroutine", None)  # all that Python 3.11 has; gone with 3.14
    return {**vars(marked), **({} if known is None else {"_is_coroutine": known})}


_MARKS: Final = _marks()
