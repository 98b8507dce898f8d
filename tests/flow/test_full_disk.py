"""An outcome that does not fit on the disk is kept, and does not keep the others from being written."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from pathlib import Path

import pytest

from hueyio import SqliteHuey


class _SmallDisk(sqlite3.Connection):
    """A connection whose file may not grow beyond 500 pages, which are 2 MB."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.execute("PRAGMA max_page_count = 500")


async def test_others_are_written_while_one_does_not_fit(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    huey = SqliteHuey("app", filename=str(tmp_path / "small.db"), factory=_SmallDisk)
    everything_runs = asyncio.Event()
    running = 0

    @huey.task(name="produce")
    async def produce(size: int) -> bytes:
        nonlocal running
        running += 1
        if running == 30:
            everything_runs.set()
        await everything_runs.wait()  # so that all outcomes are there at once, and make up one batch
        return b"x" * size

    await huey.put("filler", b"x" * 1_000_000)
    sizes = [100] * 15 + [1_200_000] + [100] * 14
    results = [await produce(size) for size in sizes]
    caplog.set_level(logging.WARNING)
    async with huey.create_consumer():
        large = results.pop(15)
        values = await asyncio.wait_for(asyncio.gather(*results), 30)
        assert values == [b"x" * 100] * 29
        assert (await huey.counts()).running == 1, "it is held until it can be written"
        later = await produce(7)
        assert await asyncio.wait_for(later, 30) == b"x" * 7, "what comes later goes on too"
        await huey.delete("filler")
        assert len(await asyncio.wait_for(large, 30)) == 1_200_000
    said = [record.getMessage() for record in caplog.records if "no room" in record.getMessage()]
    assert len(said) == 1
    assert large.id in said[0]
    await huey.close()
