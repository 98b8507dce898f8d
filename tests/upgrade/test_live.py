"""Workers and callers of 0.1.0 and of this version on one queue, at the same time: all runs exactly as it is declared.

The earlier one is taken out of the repository that the tests are in; without that there is nothing to be shown.
"""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from hueyio import TaskCancelled
from tests.conftest import SERVER_KINDS, ServerOf
from tests.workers.process import Bench, bench

ROOT: Final = Path(__file__).parents[2]
RELEASE: Final = "86acdcc6f8df448ffdb67eeeab4f210b3ffde7cb"
"""The last commit of 0.1.0."""

APP: Final = "tests.upgrade.live_app"
SLOTS: Final = 2
OPTIONS: Final = ("-v", "--workers", str(SLOTS), "--threads", str(SLOTS), "--pool", "1", "--prefetch", "0")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the code of 0.1.0; return the folder to import it from."""
    if shutil.which("git") is None:
        pytest.skip("no git")
    packed = subprocess.run(["git", "archive", RELEASE, "src"], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode:
        pytest.skip(f"this is no checkout with all its history: {packed.stderr.decode().strip()}")
    folder = tmp_path_factory.mktemp("release")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder / "src"


@pytest.fixture(params=["sqlite", "redis"])
def source(request: pytest.FixtureRequest, tmp_path: Path, server_of: ServerOf) -> str:
    """Say how the queue is made."""
    if request.param == "sqlite":
        return f"hueyio.SqliteHuey('live', filename={str(tmp_path / 'live.db')!r})"
    return f"hueyio.RedisHuey({tmp_path.name!r}, url={server_of(SERVER_KINDS[0]).url!r})"


@pytest.fixture
def new(source: str) -> Iterator[Bench]:
    with bench({"HUEYIO_TEST_HUEY": source}, f"{APP}:huey") as made:
        yield made


@pytest.fixture
def old(source: str, release: Path) -> Iterator[Bench]:
    with bench({"HUEYIO_TEST_HUEY": source, "PYTHONPATH": str(release)}, f"{APP}:huey") as made:
        yield made


@pytest.fixture
def app(new: Bench, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The app, imported here on the same queue."""
    monkeypatch.setenv("HUEYIO_TEST_HUEY", new.environment["HUEYIO_TEST_HUEY"])
    return importlib.reload(importlib.import_module(APP)) if APP in sys.modules else importlib.import_module(APP)


async def call_as(version: Bench, by: str) -> dict[str, Any]:
    """Let a program enqueue its calls and wait for them; return what they came to."""
    # Not as __main__, which would stand in the path of the tasks.
    code = f"import asyncio, {APP} as app; asyncio.run(app.call({by!r}))"
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=ROOT, env={**os.environ, **version.environment}, stdout=subprocess.PIPE
    )
    said, _ = await program.communicate()
    results: dict[str, Any] = json.loads(said)
    return results


def ticks_of(version: Bench) -> list[str]:
    """List the ticks of the periodic task that the workers of a version have enqueued."""
    lines = [line for worker in version.workers for line in worker.lines]
    return [found[1] for line in lines if (found := re.search(r"periodic \S*tick: tick (\d+) is task", line))]


@pytest.mark.again("stored data of 0.1.0 is read in test_drain")
async def test_workers_of_both_versions_share_one_queue(old: Bench, new: Bench, app: Any) -> None:
    workers = [old.start(*OPTIONS), new.start(*OPTIONS)]
    async with app.huey:
        by_old, by_new = await asyncio.gather(call_as(old, "old"), call_as(new, "new"))
        assert by_old == app.expected("old")
        assert by_new == app.expected("new")
        runs = Counter(run.id for run in [*old.runs("body"), *new.runs("body")])
        often = {"old-flaky": 3, "new-flaky": 3, "old-fail": 2, "new-fail": 2}
        assert runs == {id: often.get(id, 1) for id in (*by_old, *by_new)}
        held = [await app.hold() for _ in range(2 * SLOTS)]
        for version in (old, new):
            await version.wait_for(partial(_holds_all_it_can, version, held))
        for result in held:
            assert await result.cancel()
            with pytest.raises(TaskCancelled):
                await result
        assert await app.huey.dead() == []
        counts = await app.huey.counts()
        assert (counts.running, counts.suspects, counts.expected, counts.latches) == (0, 0, 0, 0)
        assert {it.name for it in (await app.huey.failed(kind="failed")).items} <= {app.fail.path}
    assert [worker.stop() for worker in workers] == [0, 0]
    ticks = [*ticks_of(old), *ticks_of(new)]
    assert ticks
    assert len(set(ticks)) == len(ticks)


def _holds_all_it_can(version: Bench, held: list[Any]) -> bool:
    ids = {result.id for result in held}
    return len([run for run in version.runs("body") if run.id in ids]) == SLOTS
