"""One round of one contender: fresh processes on an empty storage, and the figures that come of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.child import Child
from benchmarks.contenders import THREADS, Contender, Measure
from benchmarks.postgres_server import MeasuredPostgres
from benchmarks.protocol import Figures
from benchmarks.server import RedisServer

__all__ = ["WIDTH", "Bench", "Sizes"]

WIDTH: Final = 200
"""How many enqueues are awaited at once."""

_SEQUENTIAL_TIME: Final = 1.5
_LATENCY_SAMPLES: Final = 200
_LATENCY_TIME: Final = 2.0
_LATENCY_PAUSE: Final = 0.002
_IDLE_TIME: Final = 2.0
_START_TIME: Final = 0.5
"""Seconds after which a worker that was started is idle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many tasks are enqueued and drained; fewer of a library for which each takes longer.

    Rates are compared, and Huey's do not rise with the number: it handles one task at a time.
    """

    tasks: int

    def of(self, contender: Contender) -> int:
        """Return the number for ``map`` and the drain."""
        return self.tasks if contender.library == "hueyio" else max(self.tasks // 5, WIDTH)

    def sequential(self, contender: Contender) -> int:
        """Return the number that is enqueued one after another, at most."""
        return min(self.of(contender), 2_000)

    def concurrent(self, contender: Contender) -> int:
        """Return the number that is enqueued ``WIDTH`` at a time."""
        return max(WIDTH, min(self.of(contender), 10_000) // WIDTH * WIDTH)


class Bench:
    """Runs trials."""

    def __init__(
        self,
        server: RedisServer | None,
        folder: Path,
        sizes: Sizes,
        say: Callable[[str], None],
        postgres: MeasuredPostgres | None = None,
    ) -> None:
        self._server = server
        self._postgres = postgres
        self._folder = folder
        self._sizes = sizes
        self.say = say

    def run(self, contender: Contender, measures: Collection[Measure]) -> Figures:
        """Measure one contender once."""
        figures: Figures = {}
        wanted = contender.measures.intersection(measures)
        if wanted & {"sequential", "concurrent", "bulk"}:
            figures |= self._enqueueing(contender, wanted)
        if "drain" in wanted:
            self.say(f"{contender.kind}: {contender.name}: drain")
            figures |= self._drain(contender)
        if wanted & {"latency", "idle"}:
            figures |= self._idle_worker(contender, wanted)
        return figures

    def profile(self, contender: Contender, lines: int) -> None:
        """Print where the time of a drain goes; of hueyio only."""
        with self.empty(contender) as address:
            self._fill(contender, address, self._sizes.tasks)
            with Child(contender, address) as worker:
                worker.ask("profile_drain", count=self._sizes.tasks, lines=lines)

    def _enqueueing(self, contender: Contender, wanted: Collection[Measure]) -> Figures:
        sizes = self._sizes
        arguments: dict[Measure, dict[str, float]] = {
            "sequential": {"count": sizes.sequential(contender), "seconds": _SEQUENTIAL_TIME},
            "concurrent": {"count": sizes.concurrent(contender), "width": WIDTH},
            "bulk": {"count": sizes.of(contender)},
        }
        figures: Figures = {}
        for measure, given in arguments.items():
            if measure not in wanted:
                continue
            self.say(f"{contender.kind}: {contender.name}: {measure}")
            with self.empty(contender) as address, Child(contender, address) as producer:
                took = producer.ask(measure, **given)
                figures[f"{measure}/s"] = took["tasks"] / took["seconds"]
        return figures

    def _drain(self, contender: Contender) -> Figures:
        tasks = self._sizes.of(contender)
        if contender.library != "huey":
            return self._drain_with(contender, tasks)
        drains = [
            self._drain_with(contender, tasks // 2, workers=threads) | {"drain threads": threads} for threads in THREADS
        ]
        return max(drains, key=lambda figures: figures["drain/s"])

    def _drain_with(self, contender: Contender, tasks: int, **consumer: int) -> Figures:
        with self.empty(contender) as address:
            self._fill(contender, address, tasks)
            with Child(contender, address, **consumer) as worker:
                server = self.server_of(contender)
                before = server.usage() if server else None
                took = worker.ask("drain", count=tasks)
                figures = {"drain/s": tasks / took["seconds"], "drain cpu us/task": 1e6 * took["cpu"] / tasks}
                if server and before:
                    used = server.usage().since(before)
                    figures["commands/task"] = used.commands / tasks
                    figures["reads/task"] = used.reads / tasks
                    figures["server cpu us/task"] = 1e6 * used.cpu / tasks
        return figures

    def _idle_worker(self, contender: Contender, wanted: Collection[Measure]) -> Figures:
        figures: Figures = {}
        with self.empty(contender) as address, Child(contender, address) as worker:
            worker.ask("consume")
            time.sleep(_START_TIME)
            if "idle" in wanted:
                self.say(f"{contender.kind}: {contender.name}: idle")
                figures |= self._watch_idle(contender, worker)
            if "latency" in wanted:
                self.say(f"{contender.kind}: {contender.name}: latency")
                with Child(contender, address) as producer:
                    took = producer.ask("latency", count=_LATENCY_SAMPLES, seconds=_LATENCY_TIME, pause=_LATENCY_PAUSE)
                figures |= {"latency p50 ms": took["p50"], "latency p99 ms": took["p99"]}
        return figures

    def _watch_idle(self, contender: Contender, worker: Child) -> Figures:
        server = self.server_of(contender)
        before = server.usage() if server else None
        begun, cpu = time.perf_counter(), worker.ask("cpu")["cpu"]
        time.sleep(_IDLE_TIME)
        cpu, seconds = worker.ask("cpu")["cpu"] - cpu, time.perf_counter() - begun
        figures = {"idle cpu %": 100 * cpu / seconds}
        if server and before:
            figures["idle commands/s"] = server.usage().since(before).commands / seconds
        return figures

    def _fill(self, contender: Contender, address: str, tasks: int) -> None:
        with Child(contender, address) as producer:
            producer.ask("bulk", count=tasks)

    @contextmanager
    def empty(self, contender: Contender) -> Iterator[str]:
        """Give an empty storage: its URL or its file."""
        if contender.kind == "postgres":
            self.postgres.clear()
            yield self.postgres.url
            return
        server = self.server_of(contender)
        if server:
            server.clear()
            yield server.url
            return
        with TemporaryDirectory(prefix="bench-", dir=self._folder) as folder:
            yield str(Path(folder, "bench.db"))

    @property
    def postgres(self) -> MeasuredPostgres:
        """The server of those that are measured on PostgreSQL."""
        assert self._postgres is not None, "no PostgreSQL was started"
        return self._postgres

    def server_of(self, contender: Contender) -> RedisServer | None:
        """Return the Redis server that a contender uses, if it uses one."""
        return self._server if contender.kind == "redis" else None
