"""The process that measures Huey: ``benchmarks.child`` starts it.

Huey has no types, and is installed for the benchmarks only: it is imported by name.
"""

from __future__ import annotations

import importlib
import itertools
import os
import sys
import threading
import time
from typing import Any

from benchmarks.protocol import Figures, Setup, next_request, reply
from benchmarks.timing import Stopwatch, in_milliseconds

__all__: list[str] = []


class Side:
    """The same actions as hueyio's, by Huey's own means."""

    def __init__(self, setup: Setup) -> None:
        library: Any = importlib.import_module("huey")
        self._huey: Any
        if setup.kind == "redis":
            self._huey = library.RedisHuey("bench", url=setup.address, **setup.options)
        else:
            self._huey = library.SqliteHuey("bench", filename=setup.address, **setup.options)
        self._kind = setup.kind
        self._options = setup.consumer
        self._poll = setup.poll
        self._count = 0
        self._all_ran = threading.Event()
        self._noop = self._declare()

    def _declare(self) -> Any:
        runs = itertools.count(1)

        def noop(number: int) -> int:
            if next(runs) == self._count:
                self._all_ran.set()
            return number

        return self._huey.task(name="noop")(noop)

    def sequential(self, count: int, seconds: float) -> Figures:
        """Enqueue one after another."""
        self._huey.pending_count()  # connects
        watch, give_up, done = Stopwatch(), time.perf_counter() + seconds, 0
        while done < count and time.perf_counter() < give_up:
            self._noop(done)
            done += 1
        return {**watch.read(), "tasks": done}

    def concurrent(self, count: int, width: int) -> Figures:
        """Enqueue ``width`` at a time; for want of anything concurrent, one after another."""
        return self.sequential(count // width * width, 3600.0)

    def bulk(self, count: int) -> Figures:
        """Enqueue all at once."""
        self._huey.pending_count()
        watch = Stopwatch()
        self._noop.map(range(count))
        return {**watch.read(), "tasks": count}

    def drain(self, count: int) -> Figures:
        """Run ``count`` tasks that are queued; the clock stops when the last result is written."""
        self._count = count
        self._huey.pending_count()
        watch = Stopwatch()
        self.consume()
        self._all_ran.wait()
        while self._results() < count:
            time.sleep(0.0005)
        return {**watch.read(), "tasks": count}

    def consume(self) -> Figures:
        """Start a worker, which runs until the process ends."""
        self._huey.create_consumer(periodic=False, **self._options).start()
        return {}

    def cpu(self) -> Figures:
        """Return how much CPU time this process has used."""
        return {"cpu": time.process_time()}

    def latency(self, count: int, seconds: float, pause: float) -> Figures:
        """Enqueue one and wait for its result, again and again."""
        self._huey.pending_count()
        latencies: list[float] = []
        give_up = time.perf_counter() + seconds
        while len(latencies) < count and time.perf_counter() < give_up:
            begun = time.perf_counter()
            self._wait(self._noop(1))
            latencies.append(time.perf_counter() - begun)
            time.sleep(pause)
        return in_milliseconds(latencies)

    def _wait(self, result: Any) -> None:
        if self._poll is None:
            result.get(blocking=True)
            return
        while result.get() is None:
            time.sleep(self._poll)

    def _results(self) -> int:
        return int(self._huey.result_count())


def main() -> None:
    """Do what is asked until the input ends."""
    side = Side(Setup.from_arguments())
    while (request := next_request()) is not None:
        action: Any = getattr(side, request.action)
        reply(action(**request.arguments))
    # A worker of Huey's is stopped only by waiting for its threads; what they do is of no interest any more.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
