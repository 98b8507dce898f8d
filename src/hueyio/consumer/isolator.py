"""See to it that suspects get their turn, also on a consumer that is never idle.

A task that may have killed two consumers is given only to a consumer that holds nothing else. One that is always
busy would never be given any. So a busy consumer looks once per lease whether suspects wait; if some still do at
the next look, it claims nothing for up to one lease. When what it runs has ended by then, its next claims get the
suspects, one by one; if not, it goes on as before, and tries again later: a task that runs for an hour must not
stop all others.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from hueyio.consumer.ledger import Ledger
from hueyio.consumer.service import Service
from hueyio.storage.contract import Looking

__all__ = ["Isolator"]


class Isolator(Service):
    """Holds the fetcher back for a while when suspects have waited for long. ``hold_back`` takes a monotonic time."""

    def __init__(
        self,
        session: Looking,
        ledger: Ledger,
        hold_back: Callable[[float], None],
        lease: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._session = session
        self._ledger = ledger
        self._hold_back = hold_back
        self._lease = lease
        self._monotonic = monotonic
        self._waited = False

    async def step(self) -> float:
        """Look once."""
        waiting = len(self._ledger) > 0 and (await self._session.counts()).suspects > 0
        if waiting and self._waited:
            self._hold_back(self._monotonic() + self._lease)
            waiting = False
        self._waited = waiting
        # Not all consumers of a fleet at the same time: one that drains is enough.
        return self._lease * random.uniform(1.0, 2.0)
