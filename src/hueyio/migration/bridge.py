"""Move what comes into a queue of Huey's, for as long as programs write there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from hueyio.exceptions import StorageUnavailable
from hueyio.migration.keys import move_revocations
from hueyio.migration.tally import Refusal
from hueyio.migration.transfer import Transfer

__all__ = ["Bridge"]

logger = logging.getLogger(__name__)

_REST: Final = 1.0
"""Seconds between two looks at a queue in which nothing can be moved."""

_FIRST_OUTAGE_REST: Final = 0.5
_LONGEST_OUTAGE_REST: Final = 30.0


class Bridge:
    """Makes passes until it is stopped, and goes on after an outage of either storage.

    ``refused`` is told of each kind of refusal once.
    """

    def __init__(
        self, transfer: Transfer, stopped: asyncio.Event, refused: Callable[[str, Refusal, str], object]
    ) -> None:
        self._transfer = transfer
        self._stopped = stopped
        self._refused = refused
        self._told: set[tuple[str, Refusal]] = set()
        self._must_recover = True
        self._outage_rest = _FIRST_OUTAGE_REST

    async def run(self) -> None:
        """Make passes, each after something has come, until it is stopped."""
        while not self._stopped.is_set():
            await self._rest(await self.step())

    async def step(self) -> float:
        """Move all that can be moved now; return for how many seconds to rest if nothing comes."""
        try:
            await self._move()
        except StorageUnavailable as error:
            logger.warning("%s; the bridge goes on in %g s", error, self._outage_rest)
            self._must_recover = True  # what was taken may not have been enqueued
            rest, self._outage_rest = self._outage_rest, min(self._outage_rest * 2, _LONGEST_OUTAGE_REST)
            return rest
        self._outage_rest = _FIRST_OUTAGE_REST
        return _REST

    async def _move(self) -> None:
        transfer = self._transfer
        if self._must_recover:
            await move_revocations(transfer.session, transfer.source, transfer.reading, is_dry=False)
            await transfer.recover()
            self._must_recover = False
        await transfer.move_all()
        for path, refusal, reason in transfer.tally.left:
            if (path, refusal) not in self._told:
                self._told.add((path, refusal))
                self._refused(path, refusal, reason)

    async def _rest(self, seconds: float) -> None:
        """Wait until something may have come, or it is stopped."""
        # What stays in the queue would end every wait for something to be there.
        is_blind = self._must_recover or bool(self._transfer.tally.left)
        stop = asyncio.ensure_future(self._stopped.wait())
        come = None if is_blind else asyncio.ensure_future(self._transfer.source.wait(seconds))
        waits: list[asyncio.Future[Any]] = [stop] if come is None else [stop, come]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for it in waits:
                it.cancel()
            await asyncio.wait(waits)
        if come is not None and not come.cancelled():
            with suppress(StorageUnavailable):  # the next step finds out
                come.result()
