"""Put a new task in the place of the one that holds its unique key.

The holder is withdrawn, which hands it over if nobody runs it yet, and its end is written with the new task as its
follow-up: one step, so that the key is never free in between. A holder that runs is left alone. Should it begin to
run just when it is withdrawn, its end is awaited. What has begun is carried through even when the caller is cancelled,
else the old task could be gone and the new one never come.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from hueyio.control.withdraw import withdrawing
from hueyio.core import Core
from hueyio.execution.finish import ACCEPTED
from hueyio.storage.contract import Session
from hueyio.storage.records import Entry
from hueyio.storage.shared.background import make_task

__all__ = ["replace"]

logger = logging.getLogger(__name__)

_under_way: Final[set[asyncio.Task[str | None]]] = set()
"""The loop itself keeps no task alive."""


async def replace(core: Core, session: Session, entry: Entry, holder: str) -> str | None:
    """Enqueue the entry in the place of ``holder``; return the id of a holder that runs and stays, or None."""
    replacing = make_task(_replace(core, session, entry, holder))
    _under_way.add(replacing)
    replacing.add_done_callback(_under_way.discard)
    try:
        return await asyncio.shield(replacing)
    except asyncio.CancelledError:
        replacing.add_done_callback(_log_failure)
        raise


async def _replace(core: Core, session: Session, entry: Entry, holder: str) -> str | None:
    async with withdrawing(core, session, "replacing") as withdrawal:
        while True:
            (found,) = await session.locate([holder])
            if found.state == "running" and not found.cancelled:
                return holder
            taken = await withdrawal.take([holder])
            if taken:
                if await withdrawal.end(taken[0], entry) in ACCEPTED:
                    return None
            elif found.state == "running":
                await session.await_outcomes([holder])
            (enqueued,) = await session.enqueue([entry])
            if enqueued.verdict != "taken" or enqueued.holder is None:
                return None
            holder = enqueued.holder


def _log_failure(replacing: asyncio.Task[str | None]) -> None:
    if not replacing.cancelled() and (error := replacing.exception()) is not None:
        logger.warning("a call that was cancelled could not replace the one before: %s", error)
