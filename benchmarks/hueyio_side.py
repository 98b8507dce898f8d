"""The process that measures hueyio: ``benchmarks.child`` starts it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from benchmarks.hueyio_app import Noop
from benchmarks.profiling import ThreadProfiles
from benchmarks.protocol import Figures, Setup, next_request, reply
from benchmarks.timing import Stopwatch, in_milliseconds
from hueyio import Consumer
from hueyio.worker.loops import run

__all__: list[str] = []


class Side:
    """The actions; each is a method."""

    def __init__(self, setup: Setup) -> None:
        self._noop = Noop(setup.kind, setup.address, setup.options)
        self._huey = self._noop.huey
        self._options = setup.consumer
        self._consumers: list[Consumer] = []

    async def sequential(self, count: int, seconds: float) -> Figures:
        """Enqueue one after another."""
        add = self._noop.task
        await self._huey.is_paused()  # opens the session
        watch, give_up, done = Stopwatch(), time.perf_counter() + seconds, 0
        while done < count and time.perf_counter() < give_up:
            await add(done)
            done += 1
        return {**watch.read(), "tasks": done}

    async def concurrent(self, count: int, width: int) -> Figures:
        """Enqueue ``width`` at a time, all awaited at once."""
        add = self._noop.task
        await self._huey.is_paused()  # opens the session
        watch = Stopwatch()
        for _ in range(count // width):
            await asyncio.gather(*(add(number) for number in range(width)))
        return {**watch.read(), "tasks": count // width * width}

    async def bulk(self, count: int) -> Figures:
        """Enqueue all at once."""
        await self._huey.is_paused()  # opens the session
        watch = Stopwatch()
        await self._noop.task.map(range(count))
        return {**watch.read(), "tasks": count}

    async def drain(self, count: int) -> Figures:
        """Run ``count`` tasks that are queued; the clock stops when the last outcome is written."""
        await self._huey.is_paused()  # opens the session
        watch = Stopwatch()
        await self._drain(count)
        return {**watch.read(), "tasks": count}

    async def profile_drain(self, count: int, lines: int) -> Figures:
        """Drain with every thread profiled, and print where the time went."""
        with ThreadProfiles() as profiles:  # before the session: it starts threads
            await self._huey.is_paused()  # opens the session
            await self._drain(count)
        profiles.print_all(count, lines)
        return {"tasks": count}

    async def consume(self) -> Figures:
        """Start a worker, which runs until the process ends."""
        consumer = self._huey.create_consumer(**self._options)
        await consumer.start()
        self._consumers.append(consumer)
        return {}

    async def cpu(self) -> Figures:
        """Return how much CPU time this process has used."""
        return {"cpu": time.process_time()}

    async def latency(self, count: int, seconds: float, pause: float) -> Figures:
        """Enqueue one and wait for its result, again and again."""
        add = self._noop.task
        await self._huey.is_paused()  # opens the session
        latencies: list[float] = []
        give_up = time.perf_counter() + seconds
        while len(latencies) < count and time.perf_counter() < give_up:
            begun = time.perf_counter()
            await (await add(1))
            latencies.append(time.perf_counter() - begun)
            await asyncio.sleep(pause)
        return in_milliseconds(latencies)

    async def close(self) -> None:
        """Stop what was started."""
        for consumer in self._consumers:
            consumer.stop(graceful=False)
            await consumer.wait_stopped()
        await self._huey.close()

    async def _drain(self, count: int) -> None:
        all_ran = asyncio.Event()
        self._noop.on_run = lambda run: all_ran.set() if run >= count else None
        await self.consume()
        await all_ran.wait()
        # Nothing is looked up before the last body has run, so that looking costs the drain nothing.
        while (await self._huey.counts()).running:  # noqa: ASYNC110 - it is another task that writes
            await asyncio.sleep(0.0005)


async def main(setup: Setup) -> None:
    """Do what is asked until the input ends."""
    side = Side(setup)
    try:
        while (request := await asyncio.to_thread(next_request)) is not None:
            action: Any = getattr(side, request.action)
            reply(await action(**request.arguments))
    finally:
        await side.close()


if __name__ == "__main__":
    told = Setup.from_arguments()
    run(main(told), told.loop)
