"""For which event loop a thread works: code in the thread can have something run on that loop, and wait for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from hueyio.loops.ended import ended
from hueyio.loops.inside_anyio import InsideAnyio

__all__ = ["run_on_loop", "serve_loop", "served_loop", "serving_as_before"]

R = TypeVar("R")


class _Serving(threading.local):
    """What a thread works for now. Each thread has one of its own."""

    loop: asyncio.AbstractEventLoop | None = None
    is_left_behind: Callable[[], bool] | None = None
    """Whether nobody waits any more for what the thread does."""


_serving: Final = _Serving()


def run_on_loop(coroutine: Coroutine[Any, Any, R]) -> R:
    """Run a coroutine on the loop for which this thread works, and wait for it.

    Only in a thread of a ThreadPool, in what ``Caller.run`` runs, or after ``serve_loop``. Raises RuntimeError
    elsewhere, and if the loop has ended.
    """
    loop = _serving.loop
    if loop is None:
        coroutine.close()
        raise RuntimeError("this thread works for no event loop")
    ending = ended(coroutine)
    try:
        future = asyncio.run_coroutine_threadsafe(ending, loop)
    except RuntimeError:
        ending.close()
        coroutine.close()
        raise
    try:
        return future.result().unwrap()
    except BaseException:
        future.cancel()  # the wait was interrupted; nothing happens if it is done
        raise


def served_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop for which this thread works; None: it works for none."""
    return _serving.loop


def serve_loop(loop: asyncio.AbstractEventLoop, is_left_behind: Callable[[], bool] | None = None) -> None:
    """Let this thread work for a loop that runs in another one, until it is told to for another."""
    if _serving.loop is None:
        _anyio.enter()
    _serving.loop = loop
    _serving.is_left_behind = is_left_behind


@contextmanager
def serving_as_before() -> Iterator[None]:
    """Let this thread work again for the loop before, or for none, when this is over: it is not ours."""
    loop, is_left_behind = _serving.loop, _serving.is_left_behind
    _serving.loop = None
    with _anyio.left():
        try:
            yield
        finally:
            _serving.loop, _serving.is_left_behind = loop, is_left_behind


def _is_left_behind() -> bool:
    return _serving.is_left_behind is not None and _serving.is_left_behind()


_anyio: Final = InsideAnyio(run_on_loop, _is_left_behind)
