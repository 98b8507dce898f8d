"""How each row of the table is measured, of one contender, once: fresh processes on an empty storage.

hueyio gets the full number of tasks, Huey half of it and most others a fifth, as each of theirs takes longer; what is
compared is per task. ``scale`` makes all numbers smaller, to try a row.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Final, TypeAlias

from benchmarks.child import Child, ChildFailed
from benchmarks.contenders import BEST_OF, Contender
from benchmarks.protocol import Figures
from benchmarks.slow_proxy import slowed
from benchmarks.trial import WIDTH, Bench

__all__ = [
    "MeasureRow",
    "drain",
    "drain_at_best",
    "enqueue_all",
    "enqueue_at_once",
    "enqueue_one_by_one",
    "group",
    "grow",
    "idle_worker",
    "pipeline",
    "read",
    "share_of",
    "wait_for_one",
    "work_together",
]

MeasureRow: TypeAlias = Callable[[Bench, Contender, float], Figures]

_SHARES: Final = {"hueyio": 1.0, "huey": 0.5, "pgqueuer": 1.0, "oban": 0.5}
_OTHERS_SHARE: Final = 0.2
_SECONDS: Final = 1.0
"""For which something is done again and again."""

_START_TIME: Final = 0.5
"""Seconds after which a worker that was started is idle."""

_PATIENCE: Final = 90.0
"""Seconds."""
_LOOK_EVERY: Final = 0.02
_CHUNK: Final = 10_000


def share_of(contender: Contender, tasks: int, scale: float, least: int = 20) -> int:
    return max(round(tasks * scale * _SHARES.get(contender.library, _OTHERS_SHARE)), least)


def enqueue_one_by_one(bench: Bench, contender: Contender, scale: float) -> Figures:
    """Enqueue one after another, for a second."""
    with bench.empty(contender) as address, Child(contender, address) as producer:
        took = producer.ask("sequential", count=1_000_000, seconds=_SECONDS * min(scale, 1.0))
    return {"tasks/s": took["tasks"] / took["seconds"]}


def enqueue_at_once(bench: Bench, contender: Contender, scale: float) -> Figures:
    """Enqueue 200 at a time, all awaited at once."""
    count = max(share_of(contender, 10_000, scale), WIDTH)
    with bench.empty(contender) as address, Child(contender, address) as producer:
        took = producer.ask("concurrent", count=count, width=WIDTH)
    return {"tasks/s": took["tasks"] / took["seconds"]}


def enqueue_all(bench: Bench, contender: Contender, scale: float) -> Figures:
    """Enqueue many in the way that the library has for it."""
    with bench.empty(contender) as address, Child(contender, address) as producer:
        took = producer.ask("bulk", count=share_of(contender, 20_000, scale))
    return {"tasks/s": took["tasks"] / took["seconds"]}


def read(size: int, count: int) -> MeasureRow:
    """Read finished results of so many characters, one after another."""

    def measure(bench: Bench, contender: Contender, scale: float) -> Figures:
        number = max(round(count * scale), 10)
        with bench.empty(contender) as address, Child(contender, address) as producer:
            producer.ask("keep", count=number, size=size)
            with Child(contender, address) as worker:
                worker.ask("drain", count=number, patience=_PATIENCE)
                time.sleep(_START_TIME)  # some write the last results after the last body
            took = producer.ask("read", seconds=_SECONDS)
        return {"us/read": 1e6 * took["seconds"] / took["tasks"]}

    return measure


def wait_for_one(bench: Bench, contender: Contender, scale: float) -> Figures:
    """Enqueue one and wait for its result, again and again, beside an idle worker."""
    with idle_worker(bench, contender) as (_, producer):
        took = producer.ask("latency", count=300, seconds=1.5 * min(scale, 1.0), pause=0.002)
    return {"p50 ms": took["p50"], "p99 ms": took["p99"]}


def pipeline(lengths: Sequence[int]) -> MeasureRow:
    """Run pipelines of these lengths beside an idle worker."""

    def measure(bench: Bench, contender: Contender, scale: float) -> Figures:
        figures: Figures = {}
        for length in lengths if contender.library in _SHARES else lengths[:-1]:
            stages = max(round(length * min(scale, 1.0)), 3)
            try:
                with idle_worker(bench, contender) as (_, producer):
                    took = producer.ask("pipeline", stages=stages, times=max(100 // stages, 1), patience=_PATIENCE)
            except ChildFailed as error:  # some have a bound: the longer ones have no figure then
                bench.say(str(error))
                break
            figures[f"us/stage of {length:,}"] = 1e6 * took["seconds"] / stages
        if len(figures) == len(lengths):
            before, longest = list(figures.values())[-2:]
            figures[f"{lengths[-1]:,} / {lengths[-2]:,} stages"] = longest / before
        return figures

    return measure


def group(bench: Bench, contender: Contender, scale: float) -> Figures:
    """Enqueue many and wait for all of their results, beside an idle worker."""
    with idle_worker(bench, contender) as (_, producer):
        took = producer.ask("group", count=share_of(contender, 10_000, scale), patience=_PATIENCE)
    figures = {"us/task": 1e6 * took["seconds"] / took["tasks"]}
    return figures | {name: took[name] for name in ("lag p99 ms", "lag longest ms") if name in took}


def drain(tasks: int, *, size: int = 0, round_trip: float = 0.0, share: bool = True) -> MeasureRow:
    """Drain tasks whose argument has so many characters, over a network with this round trip."""

    def measure(bench: Bench, contender: Contender, scale: float) -> Figures:
        count = share_of(contender, tasks, scale) if share else max(round(tasks * scale), 10)
        return _drain(bench, contender, count, size, round_trip)

    return measure


def drain_at_best(tasks: int) -> MeasureRow:
    """Drain; where the settings of a worker decide, with several of them, of which the fastest counts."""

    def measure(bench: Bench, contender: Contender, scale: float) -> Figures:
        count = share_of(contender, tasks, scale)
        if contender.library not in BEST_OF:
            return _drain(bench, contender, count, 0, 0.0)
        drains = [
            _drain(bench, contender, count // 2, 0, 0.0, **settings) | {f"at {name}": float(value)}
            for settings in BEST_OF[contender.library]
            for name, value in settings.items()
        ]
        return max(drains, key=lambda figures: figures["tasks/s"])

    return measure


def _drain(bench: Bench, contender: Contender, count: int, size: int, round_trip: float, **consumer: int) -> Figures:
    with bench.empty(contender) as address, ExitStack() as stack:
        with Child(contender, address) as producer:
            if size:
                producer.ask("fill", count=count, size=size)
            else:
                producer.ask("bulk", count=count)
        network = slowed(address, round_trip) if round_trip else nullcontext(address)
        worker = stack.enter_context(Child(contender, stack.enter_context(network), **consumer))
        server = bench.server_of(contender)
        before = server.usage() if server else None
        took = worker.ask("drain", count=count, patience=_PATIENCE)
        figures = {
            "tasks/s": count / took["seconds"],
            "CPU us/task": 1e6 * took["cpu"] / count,
            "peak MB": took["peak MB"],
        }
        if server and before:
            used = server.usage().since(before)
            figures["server's CPU us/task"] = 1e6 * used.cpu / count
            figures["commands/task"] = used.commands / count
    return figures


def grow(sizes: Sequence[int]) -> MeasureRow:
    """Enqueue and drain more and more tasks."""

    def measure(bench: Bench, contender: Contender, scale: float) -> Figures:
        figures: Figures = {}
        for size in sizes:
            count = max(round(size * scale), 100)
            with bench.empty(contender) as address:
                bench.say(f"{contender.name}: {count:,} tasks")
                with Child(contender, address) as producer:
                    sent = producer.ask("bulk", count=count, chunk=_CHUNK)
                with Child(contender, address) as worker:
                    took = worker.ask("drain", count=count)
            figures[f"enqueued/s of {size:,}"] = count / sent["seconds"]
            figures[f"drained/s of {size:,}"] = count / took["seconds"]
            figures[f"producer MB of {size:,}"] = sent["peak MB"]
            figures[f"worker MB of {size:,}"] = took["peak MB"]
        drained = [figures[f"drained/s of {size:,}"] for size in sizes if size >= _CHUNK]
        if drained:
            figures["slowest / fastest"] = min(drained) / max(drained)
        return figures

    return measure


def work_together(numbers: Sequence[int], tasks: int) -> MeasureRow:
    """Drain one queue by several worker processes at the same time."""

    def measure(bench: Bench, contender: Contender, scale: float) -> Figures:
        count = share_of(contender, tasks, scale)
        return {f"tasks/s by {number}": count / _drain_by(bench, contender, number, count) for number in numbers}

    return measure


def _drain_by(bench: Bench, contender: Contender, number: int, count: int) -> float:
    """Return the seconds from the start of the workers to the last body."""
    with bench.empty(contender) as address, ExitStack() as stack:
        with Child(contender, address) as producer:
            producer.ask("bulk", count=count)
        workers = [stack.enter_context(Child(contender, address)) for _ in range(number)]
        for worker in workers:
            worker.ask("cpu")  # it has been imported
        begun = time.time()
        for worker in workers:
            worker.ask("consume")
        while sum(worker.ask("runs")["runs"] for worker in workers) < count:
            if time.time() > begun + _PATIENCE:
                raise ChildFailed(f"{contender.name}: {number} workers take longer than {_PATIENCE:g} s")
            time.sleep(_LOOK_EVERY)
        return max(worker.ask("runs")["last"] for worker in workers) - begun


@contextmanager
def idle_worker(bench: Bench, contender: Contender) -> Iterator[tuple[Child, Child]]:
    """Start a worker on an empty storage, and give it and a producer beside it."""
    with bench.empty(contender) as address, Child(contender, address) as worker:
        worker.ask("consume")
        time.sleep(_START_TIME)
        with Child(contender, address) as producer:
            yield worker, producer
