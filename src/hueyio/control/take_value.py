"""Take a value of the user's own out of the storage: read and delete it in one step.

Two who take at the same time never get the same value, so it cannot be deleted afterwards, as results are. Instead a
value that nobody has received is put back.
"""

from __future__ import annotations

import asyncio
import logging

from hueyio.exceptions import HueyException
from hueyio.loops.carry_through import end_of
from hueyio.storage.contract import Session
from hueyio.storage.records import Area

__all__ = ["put_back", "take_value"]

logger = logging.getLogger(__name__)


async def take_value(session: Session, area: Area, key: str, ttl: float | None = None) -> bytes | None:
    """Read a value and delete it; a caller who is cancelled meanwhile leaves it there, to live for ``ttl`` seconds."""
    taking = asyncio.ensure_future(session.pop(area, key))
    try:
        return await asyncio.shield(taking)
    except asyncio.CancelledError:
        await _undo(session, area, key, taking, ttl)
        raise


async def put_back(session: Session, area: Area, key: str, value: bytes, ttl: float | None = None) -> None:
    """Put a value back that its reader could not use, unless there is a newer one."""
    putting = asyncio.ensure_future(session.put_if_absent(area, key, value, ttl))
    try:
        await asyncio.shield(putting)
    except asyncio.CancelledError:
        await end_of(putting)
        raise


async def _undo(
    session: Session, area: Area, key: str, taking: asyncio.Future[bytes | None], ttl: float | None
) -> None:
    try:
        value = await end_of(taking)
        if value is not None:
            await end_of(asyncio.ensure_future(session.put_if_absent(area, key, value, ttl)))
    except HueyException as error:  # whoever is cancelled has to end; the storage being away, nobody knows more
        logger.warning(
            "the read of key %s was cancelled, and whether its value is still there is unknown: %s", key, error
        )
