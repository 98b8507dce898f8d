"""What the processes that measure libraries without a loop have in common: the actions, on what differs."""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks.protocol import Figures, next_request, reply
from benchmarks.timing import Delays, Stopwatch, in_milliseconds, now, peak_memory

__all__ = ["BlockingPeer", "serve_blocking"]


class BlockingPeer(ABC):
    """One library with one task, ``work``, that returns its argument, or a text of some size."""

    def __init__(self) -> None:
        self._counter = itertools.count(1)
        self._runs = 0
        self._last = 0.0
        self._wanted = 0
        self._all_ran = threading.Event()
        self._kept: list[Any] = []
        self._delays = Delays()

    def work(self, number: float, size: int = 0, payload: str = "") -> float | str:
        """Be the task."""
        if type(number) is float:
            self._delays.note(number)
        run = next(self._counter)
        self._runs, self._last = run, time.time()
        if run == self._wanted:
            self._all_ran.set()
        return "x" * size if size else number

    @abstractmethod
    def open(self) -> None:
        """Connect."""

    @abstractmethod
    def enqueue(self, number: float, **more: Any) -> Any:
        """Enqueue one; gives a handle. A float is the moment of the call: see ``stamped``."""

    @abstractmethod
    def enqueue_all(self, count: int) -> Sequence[Any]:
        """Enqueue many in the way that the library has for it; gives handles."""

    @abstractmethod
    def enqueue_pipeline(self, stages: int) -> Any:
        """Enqueue a pipeline; gives a handle on the result of its last stage."""

    @abstractmethod
    def result(self, handle: Any) -> Any:
        """Wait for a result."""

    def read_finished(self, handle: Any) -> Any:
        """Read a result that is there."""
        return self.result(handle)

    @abstractmethod
    def start_worker(self) -> None:
        """Start a worker, which runs until the process ends."""

    @abstractmethod
    def wait_written(self, count: int) -> None:
        """Wait until so many results are stored."""

    def connect(self) -> Figures:
        """Do what an action does that is the first."""
        self.open()
        return {}

    def sequential(self, count: int, seconds: float) -> Figures:
        """Enqueue one after another."""
        self.open()
        watch, give_up, done = Stopwatch(), time.perf_counter() + seconds, 0
        while done < count and time.perf_counter() < give_up:
            self.enqueue(done)
            done += 1
        return {**watch.read(), "tasks": done}

    def concurrent(self, count: int, width: int) -> Figures:
        """Enqueue ``width`` at a time; for want of anything concurrent, one after another."""
        return self.sequential(count // width * width, 3600.0)

    def bulk(self, count: int, chunk: int = 0) -> Figures:
        """Enqueue all at once, or so many at a time."""
        self.open()
        watch = Stopwatch()
        for start in range(0, count, chunk or count):
            self.enqueue_all(min(chunk or count, count - start))
        return {**watch.read(), "tasks": count, "peak MB": peak_memory()}

    def fill(self, count: int, size: int) -> Figures:
        """Enqueue tasks with an argument of so many characters."""
        self.open()
        watch, payload = Stopwatch(), "x" * size
        for number in range(count):
            self.enqueue(number, payload=payload)
        return {**watch.read(), "tasks": count}

    def drain(self, count: int) -> Figures:
        """Run ``count`` tasks that are queued; the clock stops when the last result is written."""
        self.open()
        self._wanted = count
        watch = Stopwatch()
        self.start_worker()
        self.wait_ran()
        self.wait_written(count)
        return {**watch.read(), "tasks": count, "peak MB": peak_memory()}

    def wait_ran(self) -> None:
        """Wait for the last body."""
        self._all_ran.wait()

    def consume(self) -> Figures:
        """Start a worker, which runs until the process ends."""
        self.start_worker()
        return {}

    def runs(self) -> Figures:
        """Return how many bodies have run here, and when the last did."""
        return {"runs": self._runs, "last": self._last}

    def cpu(self) -> Figures:
        """Return how much CPU time this process has used."""
        return {"cpu": time.process_time()}

    def stamped(self, count: int, pause: float) -> Figures:
        """Enqueue one after another, each with the moment of its call."""
        self.open()
        for _ in range(count):
            self.enqueue(now())
            time.sleep(pause)
        return {"tasks": count}

    def delays(self) -> Figures:
        """Return how long it took from those calls to the bodies that have run here."""
        return self._delays.read()

    def latency(self, count: int, seconds: float, pause: float) -> Figures:
        """Enqueue one and wait for its result, again and again."""
        self.open()
        latencies: list[float] = []
        give_up = time.perf_counter() + seconds
        while len(latencies) < count and time.perf_counter() < give_up:
            begun = time.perf_counter()
            self.result(self.enqueue(1))
            latencies.append(time.perf_counter() - begun)
            time.sleep(pause)
        return in_milliseconds(latencies)

    def keep(self, count: int, size: int) -> Figures:
        """Enqueue tasks that return so many characters, and keep their handles."""
        self.open()
        self._kept = [self.enqueue(number, size=size) for number in range(count)]
        return {}

    def read(self, seconds: float) -> Figures:
        """Read what was kept and is finished, one after another."""
        watch, give_up, done = Stopwatch(), time.perf_counter() + seconds, 0
        for handle in self._kept:
            self.read_finished(handle)
            done += 1
            if time.perf_counter() > give_up:
                break
        return {**watch.read(), "tasks": done}

    def group(self, count: int) -> Figures:
        """Enqueue many, and wait for all results."""
        self.open()
        watch = Stopwatch()
        for handle in self.enqueue_all(count):
            self.result(handle)
        return {**watch.read(), "tasks": count}

    def pipeline(self, stages: int, times: int) -> Figures:
        """Run a pipeline several times; gives the seconds of one."""
        self.open()
        taken: list[float] = []
        for _ in range(times):
            begun = time.perf_counter()
            self.result(self.enqueue_pipeline(stages))
            taken.append(time.perf_counter() - begun)
        return {"seconds": median(taken), "tasks": stages}


def serve_blocking(peer: BlockingPeer) -> None:
    """Do what is asked until the input ends."""
    while (request := next_request()) is not None:
        action: Any = getattr(peer, request.action)
        reply(action(**request.arguments))
    # Workers are stopped only by waiting for their threads; what they do is of no interest any more.
    sys.stdout.flush()
    os._exit(0)
