"""Let only so many begin in one turn of the loop, so that thousands who begin at once do not hold it up.

Theory of operation. Whoever passes is counted, and the count begins anew with every turn in which somebody passed. Who
comes beyond the limit waits in line; each turn lets the next through, and between two turns everybody else gets theirs.
Who begins several things at once counts as so many; more than the limit pass alone.
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
        self._line: deque[tuple[asyncio.Future[None], int]] = deque()

    async def enter(self, count: int = 1) -> None:
        """Pass with so many things to begin, at least one, at once or in one of the next turns."""
        if self._line or not self._has_room(count):
            ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._line.append((ticket, count))
            await ticket
            return
        if not self._passed:
            asyncio.get_running_loop().call_soon(self._turn)
        self._passed += count

    def _has_room(self, count: int) -> bool:
        return not self._passed or self._passed + count <= self._limit

    def _turn(self) -> None:
        self._passed = 0
        while self._line and self._has_room(self._line[0][1]):
            ticket, count = self._line.popleft()
            if not ticket.done():
                ticket.set_result(None)
                self._passed += count
        if self._passed:
            asyncio.get_running_loop().call_soon(self._turn)
