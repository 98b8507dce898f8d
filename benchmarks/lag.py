"""How late the loop is."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from benchmarks.protocol import Figures
from benchmarks.timing import percentile

__all__ = ["LoopLag"]

_TICK: Final = 0.005


class LoopLag:
    """How late the loop is, looked at every few milliseconds."""

    def __init__(self) -> None:
        self._lags: list[float] = []
        self._task = asyncio.create_task(self._run())

    def take(self) -> str:
        """Say it since the last time this was asked."""
        lags, self._lags = self._lags, []
        if not lags:
            return "loop lag: the loop never came round"
        return f"loop lag p99 {1000 * percentile(lags, 0.99):.1f} ms, longest {1000 * max(lags):.1f} ms"

    async def end(self) -> Figures:
        """Look no longer; give what was seen, in milliseconds. A loop that is late now shows it first."""
        await asyncio.sleep(_TICK)
        await self.stop()
        lags = self._lags or [0.0]
        return {"lag p99 ms": 1000 * percentile(lags, 0.99), "lag longest ms": 1000 * max(lags)}

    async def stop(self) -> None:
        """Look no longer."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            due = time.perf_counter() + _TICK
            await asyncio.sleep(_TICK)
            self._lags.append(time.perf_counter() - due)
