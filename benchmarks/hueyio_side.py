"""The process that measures hueyio: ``benchmarks.child`` starts it."""

from __future__ import annotations

import asyncio
import sys
import time
from statistics import median
from typing import Any

from benchmarks.hueyio_app import Noop
from benchmarks.lag import LoopLag
from benchmarks.profiling import ThreadProfiles
from benchmarks.protocol import Figures, Setup, next_request, reply
from benchmarks.timing import Delays, Stopwatch, in_milliseconds, now, peak_memory
from hueyio import Consumer
from hueyio.worker.loops import run

__all__: list[str] = []


class Side:
    """The actions; each is a method."""

    def __init__(self, setup: Setup) -> None:
        self._noop = Noop(setup.kind, setup.address, setup.options, setup.task)
        self._noop.on_run = self._note_run
        self._delays = Delays()
        self._noop.on_stamp = self._delays.note
        self._task = setup.task
        self._huey = self._noop.huey
        self._options = setup.consumer
        self._consumers: list[Consumer] = []
        self._kept: list[Any] = []
        self._runs = 0
        self._last = 0.0
        self._wanted = 0
        self._all_ran = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def connect(self) -> Figures:
        """Open the session."""
        await self._huey.is_paused()
        return {}

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

    async def bulk(self, count: int, chunk: int = 0) -> Figures:
        """Enqueue all at once, or so many at a time."""
        await self._huey.is_paused()  # opens the session
        watch = Stopwatch()
        for start in range(0, count, chunk or count):
            await self._noop.task.map(range(start, min(start + (chunk or count), count)))
        return {**watch.read(), "tasks": count, "peak MB": peak_memory()}

    async def fill(self, count: int, size: int) -> Figures:
        """Enqueue tasks with an argument of so many characters."""
        await self._huey.is_paused()  # opens the session
        watch, payload = Stopwatch(), "x" * size
        for number in range(count):
            await self._noop.task(number, payload=payload)
        return {**watch.read(), "tasks": count}

    async def drain(self, count: int) -> Figures:
        """Run ``count`` tasks that are queued; the clock stops when the last outcome is written."""
        await self._huey.is_paused()  # opens the session
        watch = Stopwatch()
        await self._drain(count)
        return {**watch.read(), "tasks": count, "peak MB": peak_memory()}

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

    @property
    def ran(self) -> int:
        """How many bodies have run here."""
        return self._runs

    async def runs(self) -> Figures:
        """Return how many bodies have run here, and when the last did."""
        return {"runs": self._runs, "last": self._last}

    async def cpu(self) -> Figures:
        """Return how much CPU time this process has used."""
        return {"cpu": time.process_time()}

    async def stamped(self, count: int, pause: float) -> Figures:
        """Enqueue one after another, each with the moment of its call."""
        add = self._noop.task
        await self._huey.is_paused()  # opens the session
        for _ in range(count):
            await add(now())
            await asyncio.sleep(pause)
        return {"tasks": count}

    async def delays(self) -> Figures:
        """Return how long it took from those calls to the bodies that have run here."""
        return self._delays.read()

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

    async def keep(self, count: int, size: int) -> Figures:
        """Enqueue tasks that return so many characters, and keep their handles."""
        self._kept = [await self._noop.task(number, size=size) for number in range(count)]
        return {}

    async def read(self, seconds: float) -> Figures:
        """Read what was kept and is finished, one after another."""
        watch, give_up, done = Stopwatch(), time.perf_counter() + seconds, 0
        for handle in self._kept:
            await handle
            done += 1
            if time.perf_counter() > give_up:
                break
        return {**watch.read(), "tasks": done}

    async def group(self, count: int) -> Figures:
        """Enqueue many, and wait for all results."""
        await self._huey.is_paused()  # opens the session
        lag, watch = LoopLag(), Stopwatch()
        values = await (await self._noop.task.map(range(count)))
        figures = {**watch.read(), "tasks": count, **await lag.end()}
        assert values == list(range(count)), "a task gave another's result"
        return figures

    async def pipeline(self, stages: int, times: int) -> Figures:
        """Run a pipeline several times; gives the seconds of one."""
        await self._huey.is_paused()  # opens the session
        taken: list[float] = []
        for _ in range(times):
            call = self._noop.task.s(1)
            for _ in range(stages - 1):
                call = call.then(self._noop.task)
            begun = time.perf_counter()
            results: Any = await self._huey.enqueue(call)
            await results[stages - 1]
            taken.append(time.perf_counter() - begun)
        return {"seconds": median(taken), "tasks": stages}

    async def close(self) -> None:
        """Stop what was started."""
        for consumer in self._consumers:
            consumer.stop(graceful=False)
            await consumer.wait_stopped()
        await self._huey.close()

    async def _drain(self, count: int) -> None:
        self._wanted = count
        self._loop = asyncio.get_running_loop()
        await self.consume()
        # Nothing is looked up before the last body has run, so that looking costs the drain nothing; what runs in
        # another process is not heard of here.
        if self._task != "process":
            await self._all_ran.wait()
        while await self._is_busy():  # noqa: ASYNC110 - it is another task that writes
            await asyncio.sleep(0.0005 if self._task != "process" else 0.005)

    async def _is_busy(self) -> bool:
        counts = await self._huey.counts()
        return bool(counts.running or sum(counts.queued.values()))

    def _note_run(self, run: int) -> None:
        self._runs, self._last = run, time.time()
        if run == self._wanted and self._loop is not None:
            self._loop.call_soon_threadsafe(self._all_ran.set)


async def main(setup: Setup) -> tuple[int, list[str]]:
    """Do what is asked until the input ends; return how many tasks that were, and what was asked."""
    side = Side(setup)
    done, asked = 0.0, []
    try:
        while (request := await asyncio.to_thread(next_request)) is not None:
            action: Any = getattr(side, request.action)
            figures: Figures = await action(**request.arguments)
            reply(figures)
            asked.append(request.action)
            done += figures.get("tasks", figures.get("samples", 0))
    finally:
        await side.close()
    return int(done) or side.ran, asked


def profiled(setup: Setup) -> None:
    """Do the same with every thread profiled, and print at the end where the time went."""
    with ThreadProfiles() as profiles:  # before the session: it starts threads
        done, asked = run(main(setup), setup.loop)
    print(f"\nthe process that did {', '.join(dict.fromkeys(asked))}: {done} tasks", file=sys.stderr, flush=True)
    profiles.print_all(max(done, 1), setup.profile)


if __name__ == "__main__":
    told = Setup.from_arguments()
    if told.profile:
        profiled(told)
    else:
        run(main(told), told.loop)
