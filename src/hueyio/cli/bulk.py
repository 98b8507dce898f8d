"""Something done to many, a hundred at a time: with a bar on a terminal, and an end between two steps at Ctrl-C."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import click

from hueyio.cli.visit import Visit
from hueyio.exceptions import StorageError

__all__ = ["AT_ONCE", "bar", "in_steps"]

T = TypeVar("T")

AT_ONCE: Final = 100


async def in_steps(
    at: Visit, label: str, items: Sequence[T], act: Callable[[Sequence[T]], Coroutine[Any, Any, None]]
) -> bool:
    """Act on all of these; say whether that came to its end, which Ctrl-C keeps it from."""
    at.take_long()
    with bar(at, label, len(items)) as advance:
        for start in range(0, len(items), AT_ONCE):
            some = items[start : start + AT_ONCE]
            try:
                is_whole = await _carry_through(asyncio.ensure_future(act(some)))
            except StorageError:
                at.output.say(f"{label} stopped after {start:,} of {len(items):,}.")
                raise
            if not is_whole:
                return False
            advance(len(some))
    return True


async def _carry_through(step: asyncio.Future[None]) -> bool:
    """Wait for the end of a step, at Ctrl-C too, so that what it did can be said; then answer False."""
    try:
        await asyncio.shield(step)
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if step.cancelled() or current is None:
            raise
        current.uncancel()
        await step
        return False
    return True


@contextmanager
def bar(at: Visit, label: str, total: int) -> Iterator[Callable[[int], object]]:
    """Show a bar on a terminal, if there is much to do; gives what is called with how many are done."""
    if total <= AT_ONCE or at.asked.as_json or at.asked.quiet or not sys.stderr.isatty():
        yield lambda done: None
        return
    with click.progressbar(length=total, label=label, show_pos=True, file=sys.stderr) as shown:
        yield shown.update
