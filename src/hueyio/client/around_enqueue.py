"""What goes around a write of calls: headers that they inherit, and the middleware."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias, TypeVar

from hueyio.client.prepare import prepare_again
from hueyio.core import Core
from hueyio.exceptions import HueyException
from hueyio.execution.context import running
from hueyio.execution.entered import Entered, Here
from hueyio.execution.time_limit import RanOut, in_time
from hueyio.hooks import EnqueueMiddleware
from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import Entry
from hueyio.storage.shared.background import is_cancelled
from hueyio.tasks.enqueue import Enqueue
from hueyio.tasks.headers import inherit_listed
from hueyio.tasks.task import Task

__all__ = ["Write", "Written", "is_surrounded", "write_inside", "write_with_headers"]

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Written(NamedTuple):
    """What was written, and for each call the id of the task that counts instead; None: it is enqueued itself."""

    entries: Sequence[Entry]
    holders: list[str | None]


Write: TypeAlias = Callable[[Sequence[Entry]], Awaitable[Written]]
"""Writes the entries of prepared calls."""


def is_surrounded(core: Core) -> bool:
    """Say whether anything goes around an enqueue; if not, all of this is skipped."""
    return bool(core.propagate or core.hooks.around_enqueue)


async def write_with_headers(core: Core, tasks: Sequence[Task], entries: Sequence[Entry], write: Write) -> Written:
    """Write calls that somebody makes: in a body they inherit the listed headers of its task."""
    caller = running.get(None)
    if caller is not None and core.propagate:
        changed = [inherit_listed(task, caller, core.propagate) for task in tasks]
        if any(changed):
            entries = [prepare_again(core, task) for task in tasks]
    if not core.hooks.around_enqueue:
        return await write(entries)

    return await write_inside(
        core,
        tasks,
        lambda: write([prepare_again(core, task) for task in tasks]),
        lambda written: [holder or task.id for task, holder in zip(tasks, written.holders, strict=True)],
    )


async def write_inside(
    core: Core,
    tasks: Sequence[Task],
    write: Callable[[], Awaitable[T]],
    ids_of: Callable[[T], Sequence[str | None]],
    limit: float | None = None,
) -> T:
    """Write calls with the middleware around it; ``ids_of`` what was written says which tasks count.

    What middleware raises before the write is raised, and nothing is written. After the write it is logged: the calls
    are there, and their caller must not believe that they are not. Each middleware is entered in ``limit`` seconds, or
    HueyException is raised, and left in as many; None: they are their caller's, who may cancel all this.
    """
    calls = Enqueue(tasks)
    entered = Entered(Here())
    try:
        for middleware in core.hooks.around_enqueue:
            await _enter(entered, middleware, calls, limit)
        written = await write()
        calls.enqueued = tuple(ids_of(written))
    except BaseException as error:
        stands = await entered.leave(error, limit)
        if stands is not None and stands is not error:  # cancelled meanwhile
            raise stands from error
        raise
    failed = await entered.leave(None, limit)
    if isinstance(failed, asyncio.CancelledError) and is_cancelled():
        raise failed
    if failed is not None:
        logger.error("middleware failed after %r was written, which stands", calls, exc_info=failed)
    return written


async def _enter(entered: Entered, middleware: EnqueueMiddleware, calls: Enqueue, limit: float | None) -> None:
    try:
        await in_time(limit, entered.enter(middleware, calls))
    except RanOut:
        text = f"middleware {entered.at} had not returned after {limit:g} s, and nothing was enqueued"
        raise HueyException(text) from None
