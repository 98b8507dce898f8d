"""Bodies that end their worker again and again: they are buried after their deliveries, and everybody else gets on.

Each way is one that user code has; some go through the clean-up code of the worker, which must not put them back
uncounted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from hueyio import WorkerLost
from hueyio.worker.exit_codes import EXIT_CRASHED
from tests.conftest import SERVER_KINDS, first_and
from tests.workers.process import Bench, Worker

BYSTANDERS: Final = 60
LEASE: Final = "2"
"""Seconds: long enough for a busy machine, so that no bystander counts a delivery because its worker was late."""
CLEAN_UP: Final = [
    "cancel all",
    "cancel all and return",
    "cancel the settler",
    "stop the loop",
    "stop the loop and return",
    "interrupt in a subtask",
    "exit in a subtask",
]
"""Ends that are told: with exit code 70, and with one line that names the task."""
SUDDEN: Final = {"exit": 23, "segfault": -11, "out of memory": -9}
"""Ends that nobody can tell, with what the process leaves."""
again = pytest.mark.again("one way through the clean-up shows how they are counted, test_faults a sudden one")
WAYS: Final = [pytest.param(how, marks=() if how == "cancel all" else again) for how in (*CLEAN_UP, *SUDDEN)]


on_each_storage = pytest.mark.parametrize(
    "huey_source",
    first_and("the conformance suite shows on each how releases are counted", ["sqlite", "file", *SERVER_KINDS]),
    indirect=True,
)
on_one_storage = pytest.mark.parametrize(
    "huey_source",
    first_and("a worker by itself shows each storage", ["sqlite", "file", *SERVER_KINDS]),
    indirect=True,
)


@asynccontextmanager
async def restarting(workers: Bench, *options: str) -> AsyncIterator[list[Worker]]:
    """Start a worker, and another one whenever one ends, as systemd does."""
    started: list[Worker] = []

    async def keep() -> None:
        while True:
            started.append(await asyncio.to_thread(workers.launch, "--lease", LEASE, *options))
            await workers.ended(started[-1])

    keeping = asyncio.create_task(keep())
    try:
        yield started
    finally:
        keeping.cancel()
        if started:
            started[-1].kill()
        await asyncio.wait([keeping])


async def is_buried(result: Any) -> bool:
    try:
        await result
    except WorkerLost:
        return True
    return False


async def bury(workers: Bench, app: Any, poison: Any, *options: str, may_end: bool = False) -> list[Worker]:
    """Run a poison among bystanders until all is over; print how long that took.

    ``may_end``: it returns, and its outcome may be written before its worker is gone.
    """
    began = time.monotonic()
    async with app.huey:
        others = await app.sleep.map([(0.05, n) for n in range(BYSTANDERS)])
        result = await poison
        async with restarting(workers, *options) as started:
            is_lost = await is_buried(result)
            assert await others == list(range(BYSTANDERS))
        print(f"over after {time.monotonic() - began:.1f} s")
        assert is_lost or may_end
        assert [letter.id for letter in await app.huey.dead()] == ([result.id] if is_lost else [])
        assert (await app.huey.counts()).running <= 0
    assert 1 <= [run.id for run in workers.runs("start")].count(result.id) <= 3
    return started


@on_each_storage
@pytest.mark.parametrize("how", WAYS)
async def test_body_that_ends_its_worker_is_buried_and_bystanders_end(workers: Bench, app: Any, how: str) -> None:
    started = await bury(workers, app, app.poison(how), may_end=how.endswith("and return"))
    ended = [worker for worker in started if worker.ended and worker.process.wait() != -9][:3]
    if how in CLEAN_UP:
        assert {worker.process.returncode for worker in ended} == {EXIT_CRASHED}
        for worker in ended:
            (line,) = [line for line in worker.lines if "nobody asked for that" in line]
            assert "tests.workers.app.poison" in line
    elif how != "out of memory":
        assert {worker.process.returncode for worker in ended} == {SUDDEN[how]}


@on_one_storage
@pytest.mark.parametrize("how", WAYS)
async def test_body_that_ends_one_process_after_another_is_buried(workers: Bench, app: Any, how: str) -> None:
    await bury(workers, app, app.poison(how), "--processes", "2", may_end=how.endswith("and return"))


@on_one_storage
@pytest.mark.parametrize(
    ("lane", "how"),
    [
        ("poison", "interrupt"),
        pytest.param("poison", "interrupt in pickling", marks=again),
        pytest.param("poison_in_thread", "interrupt", marks=again),
        pytest.param("poison_in_thread", "interrupt in pickling", marks=again),
        pytest.param("poison_in_process", "interrupt", marks=again),
    ],
)
async def test_interrupt_in_a_body_counts_as_a_delivery_and_stops_no_worker(
    workers: Bench, app: Any, lane: str, how: str
) -> None:
    (worker,) = await bury(workers, app, getattr(app, lane)(how))
    assert len([line for line in worker.lines if "raised KeyboardInterrupt" in line]) >= 3
