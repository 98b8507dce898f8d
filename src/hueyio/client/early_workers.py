"""Workers of hueyio 0.1 run no stage of a pipeline that is cut: while one is alive, pipelines stay in one piece.

Whoever enqueues a long pipeline looks which workers there are, now and then. A consumer sees the others anyway.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from hueyio.client.prepare import prepare_again
from hueyio.control.stage_knowledge import all_know_stages
from hueyio.core import Core
from hueyio.storage.contract import Session
from hueyio.storage.records import Entry
from hueyio.tasks.task import Task

__all__ = ["fit_workers", "look_at_workers"]

_LOOK_AGAIN: Final = 5.0
"""Seconds after which the workers are looked at anew."""


class _LastLook:
    """When one Huey looked at the workers last, monotonic."""

    def __init__(self, core: Core) -> None:
        self.at = -_LOOK_AGAIN


async def look_at_workers(core: Core, session: Session) -> None:
    """Find out whether pipelines may be cut, if that is not known yet."""
    last, now = core.part(_LastLook, _LastLook), time.monotonic()
    if now - last.at >= _LOOK_AGAIN and not core.immediate:
        last.at = now
        core.has_early_workers = not all_know_stages(await session.owners())


async def fit_workers(core: Core, session: Session, tasks: Sequence[Task], entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries of these tasks as the workers that are alive can run them."""
    if not any(entry.stages for entry in entries):
        return entries
    await look_at_workers(core, session)
    if not core.has_early_workers:
        return entries
    return [prepare_again(core, task) if entry.stages else entry for task, entry in zip(tasks, entries, strict=True)]
