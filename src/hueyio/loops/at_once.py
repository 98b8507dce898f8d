"""Coroutines that wait for nothing, run where no loop is."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["run_at_once"]

R = TypeVar("R")


def run_at_once(coroutine: Coroutine[Any, Any, R]) -> R:
    """Run a coroutine that waits for nothing; return what it returns, or raise what it raises."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: R = stop.value
        return value
    coroutine.close()
    raise RuntimeError("what must not wait does")
