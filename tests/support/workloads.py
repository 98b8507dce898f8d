"""Small things that users do again and again, each with a place around which something is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from hueyio import Huey, TaskWrapper
from tests.support.cost_meter import Meter

__all__ = ["WORKLOADS", "Bench", "Workload"]


class Bench:
    """A Huey with one task that returns its argument, and a consumer that runs when a workload says so."""

    def __init__(self, huey: Huey) -> None:
        self.huey = huey
        self._left = 0
        self._all_ran = asyncio.Event()
        self.add: TaskWrapper[[int], int] = self._declare()

    def _declare(self) -> TaskWrapper[[int], int]:
        @self.huey.task(name="add")
        async def add(number: int) -> int:
            self._left -= 1
            if not self._left:
                self._all_ran.set()
            return number

        return add

    async def drain(self, count: int) -> None:
        """Run so many tasks, and write their outcomes; none: start and stop a consumer."""
        self._left = count
        self._all_ran.clear()
        async with self.huey.create_consumer(workers=100):
            if count:
                await self._all_ran.wait()


async def _call_one_by_one(bench: Bench, count: int, meter: Meter) -> None:
    with meter:
        for number in range(count):
            await bench.add(number)


async def _call_at_once(bench: Bench, count: int, meter: Meter) -> None:
    with meter:
        await asyncio.gather(*(bench.add(number) for number in range(count)))


async def _map(bench: Bench, count: int, meter: Meter) -> None:
    with meter:
        await bench.add.map(range(count))


async def _drain(bench: Bench, count: int, meter: Meter) -> None:
    await bench.add.map(range(count))
    with meter:
        await bench.drain(count)


async def _start_and_stop(bench: Bench, count: int, meter: Meter) -> None:
    with meter:
        for _ in range(count):
            await bench.drain(0)


async def _read(bench: Bench, count: int, meter: Meter) -> None:
    results = await bench.add.map(range(count))
    await bench.drain(count)
    with meter:
        for result in results:
            await result


async def _call_and_wait(bench: Bench, count: int, meter: Meter) -> None:
    async with bench.huey.create_consumer():
        await (await bench.add(0))  # both know now that the other is there
        with meter:
            for number in range(count):
                await (await bench.add(number))


async def _wait_for_group(bench: Bench, count: int, meter: Meter) -> None:
    async with bench.huey.create_consumer():
        await (await bench.add(0))
        with meter:
            await (await bench.add.map(range(count)))


async def _run_pipeline(bench: Bench, count: int, meter: Meter) -> None:
    call = bench.add.s(1)
    for _ in range(count - 1):
        call.then(bench.add)
    async with bench.huey.create_consumer():
        await (await bench.add(0))
        with meter:
            results = await bench.huey.enqueue(call)
            await results[count - 1]


class Workload(NamedTuple):
    run: Callable[[Bench, int, Meter], Awaitable[None]]
    tasks: int
    is_exact: bool = False
    """Whether each run gives the same numbers: nothing depends on which of two threads, or of two programs, is first.

    Where it does, a settlement takes a task more or less, which is nothing beside a tenth of all calls.
    """
    turns: bool = True
    """Whether turns and round trips are counted; not where so many tasks share one that it is a matter of chance."""
    chance: float = 0.05
    """What a figure that is not exact may grow by beside a tenth, per task: a batch more in twenty tasks."""


WORKLOADS: Final = {
    "one call after another": Workload(_call_one_by_one, 20, is_exact=True),
    "calls at once": Workload(_call_at_once, 60),  # the first of them may be answered before the others are sent
    "map": Workload(_map, 100, is_exact=True),
    "drain": Workload(_drain, 100, turns=False),
    "start and stop of a consumer": Workload(_start_and_stop, 4, turns=False, chance=1.0),
    # What was read is deleted behind the reader's back: with the next read or on its own, as it happens.
    "finished results, one read after another": Workload(_read, 20, chance=0.4),
    "call and result, idle consumer": Workload(_call_and_wait, 20),
    "group awaited": Workload(_wait_for_group, 60, turns=False),
    "pipeline, each of 12 stages": Workload(_run_pipeline, 12),
    "pipeline, each of 48 stages": Workload(_run_pipeline, 48),
}
