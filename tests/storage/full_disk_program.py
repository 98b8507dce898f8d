"""A disk that becomes full while tasks run: ``python full_disk_program.py KIND FOLDER SECONDS`` on a disk of 48 MB.

Says as JSON how many tasks ended while the disk was full, how many calls were refused with StorageFull, after how many
seconds all went on when there was room again, and how many tasks ended in the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import time
from pathlib import Path

from hueyio import FileHuey, Huey, SqliteHuey, StorageFull

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.support.patience import until

TASKS = 1_500


async def fill(huey: Huey, folder: Path, seconds: float) -> dict[str, object]:
    ended = refused = 0
    is_full = asyncio.Event()

    @huey.task(name="work")
    async def work(text: str) -> None:
        nonlocal ended
        await is_full.wait()
        ended += 1

    await work.map([("x" * 1_000,) for _ in range(TASKS)])
    said: dict[str, object] = {}
    async with huey.create_consumer(workers=20, lease=6):
        ballast = take_all_room(folder)
        said["free pages"] = os.statvfs(folder).f_bavail
        is_full.set()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                await work("y" * 20_000)
            except StorageFull:
                refused += 1
            await asyncio.sleep(0.1)
        said |= {"refused": refused, "ended while it was full": ended}
        ballast.unlink()
        began = time.monotonic()
        await (await work("z")).get(blocking=True, timeout=60)
        said["seconds to go on"] = round(time.monotonic() - began, 2)
        await until(lambda: is_idle(huey))
    said["ended"] = ended
    await huey.close()
    return said


async def is_idle(huey: Huey) -> bool:
    counts = await huey.counts()
    return not counts.running and not any(counts.queued.values())


def take_all_room(folder: Path) -> Path:
    ballast = folder / "ballast"
    with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 4_096, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass
    return ballast


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    kind, where, seconds = sys.argv[1:]
    folder = Path(where)
    made = SqliteHuey("full", filename=folder / "q.db") if kind == "sqlite" else FileHuey("full", path=folder / "q")
    print(json.dumps(asyncio.run(fill(made, folder, float(seconds)))))
