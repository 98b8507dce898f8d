"""Let only so many begin in one turn of the loop, so that thousands who begin at once do not hold it up.

Theory of operation. Whoever passes is counted, and the count begins anew with every turn in which somebody passed. Who
comes beyond the limit waits in line; each turn lets the next through, and between two turns everybody else gets theirs.
"""

from __future__ import annotations

import asyncio
from collections import deque

__all__ = ["Turnstile"]


class Turnstile:
    """Lets ``limit`` through in one turn; belongs to one loop."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._passed = 0
        self._line: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Pass, at once or in one of the next turns."""
        if self._passed >= self._limit:
            ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._line.append(ticket)
            await ticket
            return
        self._passed += 1
        if self._passed == 1:
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._passed = 0
        while self._line and self._passed < self._limit:
            ticket = self._line.popleft()
            if not ticket.done():
                ticket.set_result(None)
                self._passed += 1
        if self._passed:
            asyncio.get_running_loop().call_soon(self._turn)
