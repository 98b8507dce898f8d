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

from hueyio.control.withdraw import App, tell_after, tell_before, withdraw, withdrawing
from hueyio.storage.contract import Session
from hueyio.storage.records import Delivery, Entry

__all__ = ["replace"]

logger = logging.getLogger(__name__)

_under_way: Final[set[asyncio.Task[str | None]]] = set()
"""The loop itself keeps no task alive."""


async def replace(app: App, session: Session, entry: Entry, holder: str) -> str | None:
    """Enqueue the entry in the place of ``holder``; return the id of a holder that runs and stays, or None."""
    replacing = asyncio.get_running_loop().create_task(_replace(app, session, entry, holder))
    _under_way.add(replacing)
    replacing.add_done_callback(_under_way.discard)
    try:
        return await asyncio.shield(replacing)
    except asyncio.CancelledError:
        replacing.add_done_callback(_log_failure)
        raise


async def _replace(app: App, session: Session, entry: Entry, holder: str) -> str | None:
    async with withdrawing(session, "replacing") as owner:
        number = 0
        while True:
            (found,) = await session.locate([holder])
            if found.state == "running" and not found.cancelled:
                return holder
            taken = await session.cancel([holder], owner)
            if taken:
                number += 1
                if await _settle(app, session, taken[0], entry, number):
                    return None
            elif found.state == "running":
                await session.await_outcomes([holder])
            (placed,) = await session.enqueue([entry])
            if placed.verdict != "taken" or placed.holder is None:
                return None
            holder = placed.holder


async def _settle(app: App, session: Session, delivery: Delivery, entry: Entry, number: int) -> bool:
    """End the holder as cancelled, with the new task as what follows; False if somebody else has it by now."""
    withdrawn = withdraw(app, delivery)
    await tell_before(app, withdrawn)
    followed = withdrawn.settlement._replace(follow_ups=(*withdrawn.settlement.follow_ups, entry))
    (answer,) = await session.settle([followed], delivery.receipt.owner, number)
    await tell_after(app, session, withdrawn, answer)
    return answer in ("accepted", "fired")


def _log_failure(replacing: asyncio.Task[str | None]) -> None:
    if not replacing.cancelled() and (error := replacing.exception()) is not None:
        logger.warning("a call that was cancelled could not replace the one before: %s", error)
