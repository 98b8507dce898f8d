"""Chords while consumers are killed at random. ``HUEYIO_CHORDS`` says how many (1,000 for the proof)."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from typing import Any, Final

import pytest

from hueyio import chord
from tests.workers.process import Bench, Worker

SIZE: Final = 10
CHORDS: Final = int(os.environ.get("HUEYIO_CHORDS", "20"))


@pytest.mark.timeout(120 + CHORDS)
async def test_each_callback_is_enqueued_once_while_consumers_are_killed(workers: Bench, app: Any) -> None:
    chance = random.Random(CHORDS)
    alive = [launch(workers) for _ in range(3)]
    killed: set[int] = set()
    async with app.huey:
        chords = [
            chord([app.member.s(n, chance.random() * 0.2) for n in range(SIZE)], app.gather) for _ in range(CHORDS)
        ]
        results = [await app.huey.enqueue(it) for it in chords]
        waiting = asyncio.gather(*results)
        await workers.reached("start", 1)
        while not killed or not waiting.done():
            victim = alive.pop(chance.randrange(len(alive)))
            victim.kill()
            killed.add(victim.pid)
            alive.append(launch(workers))
            await asyncio.to_thread(alive[-1].wait_line, "is ready")  # so that killing never outruns starting
            await asyncio.wait([waiting], timeout=chance.random() * 0.5)
        assert await waiting == [list(range(SIZE))] * CHORDS
        counts = await app.huey.counts()
        assert (counts.latches, counts.expected, counts.dead, sum(counts.queued.values())) == (0, 0, 0, 0)
        assert (await app.huey.pending(), counts.scheduled) == ([], 0)
    starts = Counter(run.id for run in workers.runs("start"))
    # Others also take over from a consumer that had no time to say that it is alive.
    killed |= {it.pid for it in alive if any("has lost its lease" in line for line in it.lines)}
    cut_short = Counter(run.id for run in workers.runs("start") if run.pid in killed)
    assert len(starts) == CHORDS
    # A callback runs once more for each lost consumer that had begun it, and never because it was enqueued twice.
    assert all(count <= 1 + cut_short[id] for id, count in starts.items())
    print(f"{CHORDS} chords of {SIZE}, {len(killed)} consumers lost, {starts.total() - CHORDS} callbacks run again")


def launch(workers: Bench) -> Worker:
    return workers.launch("--lease", "1", "--workers", "20")
