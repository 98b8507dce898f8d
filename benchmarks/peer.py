"""What the processes that measure other asyncio libraries have in common: the actions, on the few things that differ.

All run in one process with up to 100 tasks at a time, as hueyio does by default. A drain ends when the last body has
run, although its result may not be written yet: that is in the others' favour.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Coroutine, Sequence
from statistics import median
from typing import Any, Final

from benchmarks.lag import LoopLag
from benchmarks.protocol import Figures, next_request, reply
from benchmarks.timing import Delays, Stopwatch, in_milliseconds, now, peak_memory

__all__ = ["CONCURRENCY", "Peer", "run", "serve"]

CONCURRENCY: Final = 100
_WAITS: Final = 32
"""Results of a group that are waited for at once: streaq opens a connection for each, and stands still at 70."""

_WORK: Final = frozenset({"drain", "consume", "cpu", "runs", "delays"})
"""Actions of a worker, which connects by itself."""


class Peer(ABC):
    """One library with one task that returns its argument, or a text of some size, and calls ``note_run``."""

    worker_opens: bool = False
    """Whether a worker, too, needs what ``open`` does."""

    def __init__(self) -> None:
        self._counter = itertools.count(1)
        self._runs = 0
        self._last = 0.0
        self._wanted = 0
        self._all_ran = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._kept: list[Any] = []
        self._delays = Delays()

    @abstractmethod
    async def open(self) -> None:
        """Connect, as a producer."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of all connections."""

    @abstractmethod
    def enqueue(self, number: float, **more: Any) -> Awaitable[Any]:
        """Enqueue one; gives a handle. A float is the moment of the call: see ``stamped``."""

    async def enqueue_all(self, count: int) -> Sequence[Any]:
        """Enqueue many in the way that the library has for it; if it has none, some at a time. Gives handles."""
        handles: list[Any] = []
        for start in range(0, count, CONCURRENCY):
            numbers = range(start, min(start + CONCURRENCY, count))
            handles += await asyncio.gather(*(self.enqueue(number) for number in numbers))
        return handles

    async def enqueue_pipeline(self, stages: int) -> Any:
        """Enqueue a pipeline; gives a handle on the result of its last stage."""
        raise NotImplementedError

    @abstractmethod
    async def result(self, handle: Any) -> Any:
        """Wait for a result."""

    async def read_finished(self, handle: Any) -> Any:
        """Read a result that is there."""
        return await self.result(handle)

    @abstractmethod
    async def work(self) -> None:
        """Run tasks until cancelled."""

    def note_run(self, number: float, size: int = 0) -> float | str:
        """Count a body that has run, in any thread; give what it returns."""
        if type(number) is float:
            self._delays.note(number)
        run = next(self._counter)
        self._runs, self._last = run, time.time()
        if run == self._wanted:
            self._loop.call_soon_threadsafe(self._all_ran.set)
        return "x" * size if size else number

    async def connect(self) -> Figures:
        """Do what an action does that is the first."""
        return {}

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

    async def bulk(self, count: int, chunk: int = 0) -> Figures:
        """Enqueue all at once, or so many at a time."""
        watch = Stopwatch()
        for start in range(0, count, chunk or count):
            await self.enqueue_all(min(chunk or count, count - start))
        return {**watch.read(), "tasks": count, "peak MB": peak_memory()}

    async def fill(self, count: int, size: int) -> Figures:
        """Enqueue tasks with an argument of so many characters."""
        watch, payload = Stopwatch(), "x" * size
        for number in range(count):
            await self.enqueue(number, payload=payload)
        return {**watch.read(), "tasks": count}

    async def drain(self, count: int) -> Figures:
        """Run ``count`` tasks that are queued."""
        self._wanted = count
        watch = Stopwatch()
        await self.consume()
        await self._all_ran.wait()
        return {**watch.read(), "tasks": count, "peak MB": peak_memory()}

    async def consume(self) -> Figures:
        """Start a worker, which runs until the process ends."""
        self._worker = asyncio.create_task(self.work())
        return {}

    async def runs(self) -> Figures:
        """Return how many bodies have run here, and when the last did."""
        return {"runs": self._runs, "last": self._last}

    async def cpu(self) -> Figures:
        """Return how much CPU time this process has used."""
        return {"cpu": time.process_time()}

    async def stamped(self, count: int, pause: float) -> Figures:
        """Enqueue one after another, each with the moment of its call."""
        for _ in range(count):
            await self.enqueue(now())
            await asyncio.sleep(pause)
        return {"tasks": count}

    async def delays(self) -> Figures:
        """Return how long it took from those calls to the bodies that have run here."""
        return self._delays.read()

    async def latency(self, count: int, seconds: float, pause: float) -> Figures:
        """Enqueue one and wait for its result, again and again."""
        latencies: list[float] = []
        give_up = time.perf_counter() + seconds
        while len(latencies) < count and time.perf_counter() < give_up:
            begun = time.perf_counter()
            await self.result(await self.enqueue(1))
            latencies.append(time.perf_counter() - begun)
            await asyncio.sleep(pause)
        return in_milliseconds(latencies)

    async def keep(self, count: int, size: int) -> Figures:
        """Enqueue tasks that return so many characters, and keep their handles."""
        self._kept = [await self.enqueue(number, size=size) for number in range(count)]
        return {}

    async def read(self, seconds: float) -> Figures:
        """Read what was kept and is finished, one after another."""
        watch, give_up, done = Stopwatch(), time.perf_counter() + seconds, 0
        for handle in self._kept:
            await self.read_finished(handle)
            done += 1
            if time.perf_counter() > give_up:
                break
        return {**watch.read(), "tasks": done}

    async def group(self, count: int) -> Figures:
        """Enqueue many, and wait for all results, some at a time."""
        lag, watch = LoopLag(), Stopwatch()
        handles = await self.enqueue_all(count)
        for start in range(0, count, _WAITS):
            await asyncio.gather(*(self.result(handle) for handle in handles[start : start + _WAITS]))
        return {**watch.read(), "tasks": count, **await lag.end()}

    async def pipeline(self, stages: int, times: int) -> Figures:
        """Run a pipeline several times; gives the seconds of one."""
        taken: list[float] = []
        for _ in range(times):
            begun = time.perf_counter()
            await self.result(await self.enqueue_pipeline(stages))
            taken.append(time.perf_counter() - begun)
        return {"seconds": median(taken), "tasks": stages}


async def serve(peer: Peer) -> None:
    """Do what is asked until the input ends."""
    is_open = False
    while (request := await asyncio.to_thread(next_request)) is not None:
        if not is_open and (peer.worker_opens or request.action not in _WORK):
            await peer.open()
            is_open = True
        action: Any = getattr(peer, request.action)
        reply(await action(**request.arguments))
    await peer.close()


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a library on uvloop if its environment has it: it is faster there."""
    try:
        uvloop: Any = importlib.import_module("uvloop")
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)
