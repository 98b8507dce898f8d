"""Five workers on one storage, killed and started meanwhile: each tick fires once, and none is missed.

``HUEYIO_TICKS=300`` makes it as long as a proof has to be.
"""

from __future__ import annotations

import os
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import pytest

from tests.conftest import on_one_storage
from tests.workers.process import Bench, Worker, bench

TICKS: Final = int(os.environ.get("HUEYIO_TICKS", "8"))
FLEET: Final = 5
TICKS_BETWEEN_KILLS: Final = max(2, TICKS // 40)

_FIRED = re.compile(r"periodic \S+: tick (\d+) is task (\S+)")


@pytest.fixture
def ticking(huey_source: str) -> Iterator[Bench]:
    with bench({"HUEYIO_TEST_HUEY": huey_source, "HUEYIO_TEST_TICKS": "1"}) as made:
        yield made


def fired(workers: list[Worker]) -> dict[int, set[str]]:
    """Return the tasks of each tick, as the workers tell that they enqueued them."""
    found: dict[int, set[str]] = defaultdict(set)
    for worker in workers:
        for line in worker.lines:
            if match := _FIRED.search(line):
                found[int(match[1])].add(match[2])
    return found


@on_one_storage
@pytest.mark.timeout(120 + 3 * TICKS)
async def test_every_tick_fires_once_while_workers_are_killed_and_started(ticking: Bench) -> None:
    chance = random.Random(7)
    everybody = [ticking.start("-v", "--lease", "1") for _ in range(FLEET)]
    alive = list(everybody)
    first = min(await ticks_after(ticking, everybody, 0))
    for number in range(TICKS_BETWEEN_KILLS, TICKS, TICKS_BETWEEN_KILLS):
        await ticks_after(ticking, everybody, first + number)
        victim = alive.pop(chance.randrange(len(alive)))
        victim.kill()
        everybody.append(ticking.start("-v", "--lease", "1"))
        alive.append(everybody[-1])
    by_tick = await ticks_after(ticking, everybody, first + TICKS)
    await ticking.wait_for(lambda: known(everybody) <= {run.id for run in ticking.runs("tick")})
    # A worker that was killed between its write and its line in the log told nobody of the task, but it runs.
    untold = {run.id for run in ticking.runs("tick")} - known(everybody)
    missing = [tick for tick in range(first, max(by_tick) + 1) if tick not in by_tick]
    assert [tick for tick, ids in by_tick.items() if len(ids) > 1] == []
    assert len(missing) <= len(untold) <= len(everybody) - FLEET
    print(f"{len(by_tick)} ticks, {len(everybody) - FLEET} workers killed, {len(missing)} told by nobody")


def known(workers: list[Worker]) -> set[str]:
    return {id for ids in fired(workers).values() for id in ids}


async def ticks_after(ticking: Bench, workers: list[Worker], tick: int) -> dict[int, set[str]]:
    """Wait until a tick after this one has fired; return all so far."""
    await ticking.wait_for(lambda: max(fired(workers), default=0) > tick)
    return fired(workers)
