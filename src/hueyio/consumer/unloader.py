"""Give back what was claimed ahead for short bodies, when a long one holds it up.

A lane with short bodies holds more than usual (see ``pace``). If then nothing ends for a moment, whatever is held
beyond the usual goes back to the front of the queue, as if it had not been claimed, where other consumers find it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from hueyio.consumer.ledger import Ledger
from hueyio.consumer.service import Service
from hueyio.storage.records import Lane

__all__ = ["Unloader"]

logger = logging.getLogger(__name__)

_LOOK: Final = 0.25
"""Seconds between two looks, while more than usual is held."""

_REST: Final = 60.0


class Unloader(Service):
    """``give_back`` gives back so many jobs of a lane that were not started, the last ones."""

    def __init__(
        self,
        ledger: Ledger,
        give_back: Callable[[Lane, int], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._ledger = ledger
        self._give_back = give_back
        self._monotonic = monotonic

    async def step(self) -> float:
        """Look once."""
        for lane, surplus in self._ledger.surplus(self._monotonic()).items():
            logger.debug("a long task holds up others: of those that were claimed, up to %d go back", surplus)
            self._give_back(lane, surplus)
        return _LOOK if self._ledger.is_ahead else _REST
