"""The file of a queue under a running worker: backed up, restored, exchanged, damaged."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hueyio import SqliteHuey
from tests.support.patience import until
from tests.workers.process import Bench
from tests.workers.test_probes import Client


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "test.db"


@pytest.fixture
def huey_source(file: Path) -> str:
    """What is tested here is SQLite's alone."""
    return f"hueyio.SqliteHuey('test', filename={str(file)!r})"


def back_up_online(file: Path, copy: Path) -> None:
    """As ``sqlite3 app.db ".backup copy.db"`` does."""
    with contextlib.closing(sqlite3.connect(file)) as source, contextlib.closing(sqlite3.connect(copy)) as target:
        source.backup(target, pages=20)


def vacuum_into(file: Path, copy: Path) -> None:
    with contextlib.closing(sqlite3.connect(file, timeout=30)) as source:
        source.execute("VACUUM INTO ?", (str(copy),))


def restore_in_place(copy: Path, file: Path) -> None:
    """As ``sqlite3 app.db ".restore copy.db"`` does."""
    back_up_online(copy, file)


def restore_by_moving(copy: Path, file: Path) -> None:
    """With its log and the log's index removed: whoever opens the copy beside an old log has that copied into it."""
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    os.replace(copy, file)


@pytest.mark.parametrize("back_up", [back_up_online, vacuum_into])
async def test_backup_of_a_busy_queue_is_whole_and_can_be_drained(
    back_up: Callable[[Path, Path], None], workers: Bench, app: Any, file: Path
) -> None:
    copy = file.with_name("copy.db")
    workers.start("-w", "4")
    async with app.huey:
        before = list(await app.add.map([(number, 1) for number in range(300)]))
        await asyncio.to_thread(back_up, file, copy)
        assert [await result for result in before] == [number + 1 for number in range(300)]
    with contextlib.closing(sqlite3.connect(copy)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    restored = SqliteHuey("test", filename=str(copy))
    async with restored:
        counts = await restored.counts()
        left = sum(counts.queued.values()) + counts.running + counts.suspects
        assert left + counts.results == 300, "each is there once: still to run, or with its result"


@pytest.mark.parametrize("restore", [restore_in_place, restore_by_moving])
async def test_backup_is_restored_under_a_running_worker(
    restore: Callable[[Path, Path], None], workers: Bench, app: Any, file: Path
) -> None:
    copy = file.with_name("copy.db")
    async with app.huey:
        kept = await app.add(1, 2)
        await asyncio.to_thread(back_up_online, file, copy)
        workers.start("--lease", "1.5")
        assert await kept == 3
        assert (await app.huey.counts()).results == 0  # what was read is deleted, and not in the file to come
        await asyncio.to_thread(restore, copy, file)

        async def ran_again() -> bool:
            return bool((await app.huey.counts()).results == 1)

        await until(ran_again)
        assert await (await app.add(3, 4)) == 7


async def test_damaged_file_is_not_ready_and_ends_the_worker(workers: Bench, app: Any, file: Path) -> None:
    worker = workers.start("--health", "127.0.0.1:0")
    client = Client(worker)
    async with app.huey:
        await app.add.map([(number, 1) for number in range(100)])
        await until(lambda: _is_idle(app))
    assert (await client.get("/ready"))[0] == 200
    await asyncio.to_thread(damage, file)

    async def is_refused() -> bool:
        try:
            return (await client.get("/ready"))[0] == 503
        except OSError:
            return worker.ended

    await until(is_refused)
    assert await asyncio.to_thread(worker.wait) == 70
    said = [line for line in worker.lines if "malformed" in line or "is not a database" in line]
    assert "trying again" in said[0]
    assert "the worker ends" in said[-1]
    assert "restore a backup" in said[-1]
    assert not any("Traceback" in line for line in worker.lines)


async def test_worker_on_a_damaged_file_does_not_start(workers: Bench, app: Any, file: Path) -> None:
    async with app.huey:
        await app.add(1, 2)
    await asyncio.to_thread(damage, file)
    worker = workers.launch()
    assert await asyncio.to_thread(worker.wait) == 70


async def _is_idle(app: Any) -> bool:
    counts = await app.huey.counts()
    return not counts.running and not any(counts.queued.values())


def damage(file: Path) -> None:
    """Overwrite all pages but the first, behind the back of those who have the file open."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (count,) = connection.execute("PRAGMA page_count").fetchone()
    shutil.copy(file, file.with_name("whole.db"))
    with file.open("r+b") as opened:
        opened.seek(size)
        opened.write(os.urandom(size * (count - 1)))
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(file, timeout=30)) as connection:
        connection.execute("PRAGMA user_version = 7")  # whatever others remember of the file is out of date
