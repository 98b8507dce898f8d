"""A worker that can open no file goes on: its files are exchanged for another version's, or no descriptor is left.

Whatever hueyio needs of its own files it has read before the first task. What is opened later by its nature (a
connection, a journal, a process) is tried again.
"""

from __future__ import annotations

import asyncio
import shutil
import uuid
from pathlib import Path
from typing import Any

import pytest

import hueyio
from hueyio import TaskException, chord
from tests.conftest import SERVER_KINDS, first_and
from tests.workers.process import Bench

on_every_storage = pytest.mark.parametrize(
    "huey_source",
    first_and("each storage reads all of its files at import, as is shown on one", ["sqlite", "file", *SERVER_KINDS]),
    indirect=True,
)


async def run_one_of_each(app: Any) -> None:
    """Run what uses all parts of a worker, some of them for the first time; each must come to its end."""
    key = uuid.uuid4().hex
    loop, threads = await app.sleep.map([(0.01, n) for n in range(40)]), await app.block.map([(0.01, 1)] * 20)
    retried = await app.fail_once(key)
    failed = await app.total(5)
    late = await app.add.options(delay=0.2)(1, 2)
    pipeline = await app.huey.enqueue(app.add.s(1, 2).then(app.add, 3))
    summed = await app.huey.enqueue(chord([app.add.s(n, n) for n in range(3)], app.total.s()))
    revoked = await app.add.options(delay=3600)(1, 2)
    assert await revoked.cancel()
    assert await loop == list(range(40))
    assert await threads == [1] * 20
    assert await late == 3
    assert await pipeline == [3, 6]
    assert await summed == 6
    assert await retried == key
    with pytest.raises(TaskException):
        await failed
    assert await (await app.only(0.01, key))
    assert isinstance(await (await app.hold_all(0.01)), int)


async def is_settled(app: Any) -> bool:
    counts = await app.huey.counts()
    return (counts.running, counts.dead, sum(counts.queued.values()), counts.scheduled) == (0, 0, 0, 0)


@on_every_storage
async def test_worker_goes_on_while_it_is_upgraded_in_place(workers: Bench, app: Any, tmp_path: Path) -> None:
    package, kept = tmp_path / "lib" / "hueyio", tmp_path / "kept"
    shutil.copytree(Path(hueyio.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    workers.environment["PYTHONPATH"] = str(package.parent)
    worker = workers.start("--pool", "1")
    async with app.huey:
        package.rename(kept)  # the old files are gone, nearly all of the new ones not there yet
        package.mkdir()
        (package / "__init__.py").touch()
        in_process = await app.compute_for(0)
        await asyncio.to_thread(worker.wait_line, "trying again for")
        shutil.rmtree(package)
        kept.rename(package)
        assert await in_process != worker.pid
        package.rename(kept)
        package.mkdir()
        (package / "__init__.py").touch()
        await run_one_of_each(app)
        shutil.copytree(kept, package, dirs_exist_ok=True)
        for file in (*package.rglob("*.lua"), *package.rglob("*.sql")):
            file.write_text("of another version\n")
        await run_one_of_each(app)
        shutil.rmtree(package)
        kept.rename(package)
        assert await is_settled(app)
    assert worker.stop() == 0


@on_every_storage
async def test_worker_without_descriptors_goes_on_when_it_has_some_again(workers: Bench, app: Any) -> None:
    worker = workers.start("--pool", "1")
    async with app.huey:
        hog = await app.use_up_descriptors(6.0)
        await workers.reached("start", 1)
        in_process = await app.compute_for(0)
        await run_one_of_each(app)
        assert await hog > 0
        assert await in_process != worker.pid
        assert await is_settled(app)
    assert worker.stop() == 0
