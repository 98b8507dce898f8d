"""Whose operations are carried out while they are asked for, before anything else in this turn of the loop.

Who calls one operation after another waits for none of them then: the turn of the loop that gathers company would only
make each later. But what several tasks ask in one turn belongs in one transaction, and who never has to wait never lets
others go on. So in each turn it is one task, a few of its calls, and a millisecond of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

__all__ = ["Turn"]

_MOST_CALLS: Final = 16
_MOST_TIME: Final = 0.001
"""Seconds after the first of them."""


class Turn:
    """Belongs to the running loop."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until = 0.0
        self._loop = asyncio.get_running_loop()
        self._caller: asyncio.Task[Any] | None = None
        self._calls = 0

    def take(self) -> bool:
        """Count a call of the running task; say whether it may be carried out at once."""
        caller = asyncio.current_task(self._loop)
        if not self._calls:
            self._caller, self._until = caller, self._monotonic() + _MOST_TIME
            self._loop.call_soon(self._end)
        elif self._calls == _MOST_CALLS or caller is not self._caller or self._monotonic() > self._until:
            return False
        self._calls += 1
        return True

    def _end(self) -> None:
        self._caller, self._calls = None, 0
