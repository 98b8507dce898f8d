"""What the processes that measure other asyncio libraries have in common: the actions, on the few things that differ.

All run in one process with up to 100 tasks at a time, as hueyio does by default. A drain ends when the last body has
run, although its result may not be written yet: that is in the others' favour.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import Any, Final

from benchmarks.protocol import Figures, next_request, reply
from benchmarks.timing import Stopwatch, in_milliseconds

__all__ = ["CONCURRENCY", "Peer", "serve"]

CONCURRENCY: Final = 100
_WORK: Final = frozenset({"drain", "consume", "cpu"})
"""Actions of a worker, which connects by itself."""


class Peer(ABC):
    """One library with one no-op task that returns its argument and calls ``note_run``."""

    def __init__(self) -> None:
        self._runs = 0
        self._wanted = 0
        self._all_ran = asyncio.Event()

    @abstractmethod
    async def open(self) -> None:
        """Connect, as a producer."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of all connections."""

    @abstractmethod
    def enqueue(self, number: int) -> Awaitable[Any]:
        """Enqueue one; gives a handle."""

    @abstractmethod
    async def enqueue_all(self, count: int) -> None:
        """Enqueue many in the way that the library has for it."""

    @abstractmethod
    async def call(self) -> None:
        """Enqueue one and wait for its result."""

    @abstractmethod
    async def work(self) -> None:
        """Run tasks until cancelled."""

    def note_run(self) -> None:
        """Count a body that has run."""
        self._runs += 1
        if self._runs == self._wanted:
            self._all_ran.set()

    async def sequential(self, count: int, seconds: float) -> Figures:
        """Enqueue one after another."""
        watch, give_up, done = Stopwatch(), time.perf_counter() + seconds, 0
        while done < count and time.perf_counter() < give_up:
            await self.enqueue(done)
            done += 1
        return {**watch.read(), "tasks": done}

    async def concurrent(self, count: int, width: int) -> Figures:
        """Enqueue ``width`` at a time, all awaited at once."""
        watch = Stopwatch()
        for _ in range(count // width):
            await asyncio.gather(*(self.enqueue(number) for number in range(width)))
        return {**watch.read(), "tasks": count // width * width}

    async def bulk(self, count: int) -> Figures:
        """Enqueue all at once."""
        watch = Stopwatch()
        await self.enqueue_all(count)
        return {**watch.read(), "tasks": count}

    async def drain(self, count: int) -> Figures:
        """Run ``count`` tasks that are queued."""
        self._wanted = count
        watch = Stopwatch()
        await self.consume()
        await self._all_ran.wait()
        return {**watch.read(), "tasks": count}

    async def consume(self) -> Figures:
        """Start a worker, which runs until the process ends."""
        self._worker = asyncio.create_task(self.work())
        return {}

    async def cpu(self) -> Figures:
        """Return how much CPU time this process has used."""
        return {"cpu": time.process_time()}

    async def latency(self, count: int, seconds: float, pause: float) -> Figures:
        """Enqueue one and wait for its result, again and again."""
        latencies: list[float] = []
        give_up = time.perf_counter() + seconds
        while len(latencies) < count and time.perf_counter() < give_up:
            begun = time.perf_counter()
            await self.call()
            latencies.append(time.perf_counter() - begun)
            await asyncio.sleep(pause)
        return in_milliseconds(latencies)


async def serve(peer: Peer) -> None:
    """Do what is asked until the input ends."""
    is_open = False
    while (request := await asyncio.to_thread(next_request)) is not None:
        if not is_open and request.action not in _WORK:
            await peer.open()
            is_open = True
        action: Any = getattr(peer, request.action)
        reply(await action(**request.arguments))
    await peer.close()
