"""Each task of Huey's runs once, however often what moves it is killed; tests/migration/app.py is the application."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import SERVER_KINDS, ServerOf
from tests.migration.conftest import source_of
from tests.migration.queues import Written, written_queue
from tests.migration.tasks import HERE, RUNS
from tests.support.patience import until
from tests.workers.process import bench

_ROOT = Path(__file__).parents[2]
_APP = "tests.migration.app:huey"


class Setting:
    """A queue of Huey's, and a file in which the application notes its runs."""

    def __init__(self, written: Written, folder: Path) -> None:
        self.written = written
        self._runs = folder / "runs"
        self._runs.touch()
        self.environment = {HERE: str(folder / "here.db"), RUNS: str(self._runs)}

    def write(self, numbers: range) -> None:
        """Enqueue with Huey."""
        mark = self.written.tasks["mark"]
        for number in numbers:
            mark(number)

    def runs(self) -> list[int]:
        """Return what was run, in order of the numbers."""
        return sorted(map(int, self._runs.read_text().split()))

    @contextmanager
    def command(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command that moves the queue; kill it in the end."""
        queue = [] if self.written.kind == "file" else ["--from-queue", self.written.huey.name]
        line = [sys.executable, "-m", "hueyio", name, self.written.where, "-a", _APP, *queue]
        environment = {**os.environ, **self.environment}
        with subprocess.Popen(line, env=environment, cwd=_ROOT, stderr=subprocess.DEVNULL) as process:
            try:
                yield process
            finally:
                process.kill()

    async def are_run(self, count: int) -> None:
        """Wait until so many have been run."""

        async def are() -> bool:
            return len(self.runs()) >= count

        await until(are, 300.0)


@contextmanager
def setting(kind: str, folder: Path, server_of: ServerOf) -> Iterator[Setting]:
    with written_queue(kind, folder, server_of(SERVER_KINDS[0]).url) as written:
        yield Setting(written, folder)


LARGE = pytest.mark.again("the small number shows the same; this one is as large as a queue that people have")


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("kind", "count", "kills"),
    [
        ("list", 300, 1),
        pytest.param("list", 10_000, 5, marks=LARGE),
        pytest.param("priority", 10_000, 5, marks=LARGE),
        pytest.param("sqlite", 10_000, 5, marks=LARGE),
    ],
)
async def test_each_task_runs_once_when_the_import_is_killed(
    tmp_path: Path, server_of: ServerOf, kind: str, count: int, kills: int
) -> None:
    with setting(kind, tmp_path, server_of) as it, bench(it.environment, _APP) as workers:
        it.write(range(count))
        worker = workers.start()
        killed = 0
        for number in range(1, kills + 1):
            most = count - count * number // (kills + 1)

            async def is_under_way(most: int = most) -> bool:
                return it.written.size <= most

            with it.command("import-huey") as process:
                await until(is_under_way, 300.0)
            killed += process.returncode == -signal.SIGKILL
        assert killed
        with it.command("import-huey") as last:
            assert last.wait() == 0
        await it.are_run(count)
        assert worker.stop() == 0
        assert it.runs() == [*range(count)]
        assert it.written.size == 0
        async with source_of(it.written) as source:
            assert await source.aside() == []


@pytest.mark.again("test_commands steps the bridge in one process, on each storage of Huey's")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["list", "priority", "sqlite", "file"])
async def test_bridge_brings_what_programs_enqueue_while_it_is_killed(
    tmp_path: Path, server_of: ServerOf, kind: str
) -> None:
    with setting(kind, tmp_path, server_of) as it, bench(it.environment, _APP) as workers:
        worker = workers.start()
        it.write(range(100))
        with it.command("bridge-huey"):
            await it.are_run(50)
            it.write(range(100, 200))
        it.write(range(200, 250))
        with it.command("bridge-huey") as bridge:
            await it.are_run(250)
            bridge.send_signal(signal.SIGTERM)
            assert bridge.wait() == 0
        assert worker.stop() == 0
        assert it.runs() == [*range(250)]
        assert it.written.size == 0


@pytest.mark.again("it is one signal more: a step is carried through, and what was done is said")
@pytest.mark.timeout(300)
async def test_import_that_is_interrupted_ends_after_its_step(tmp_path: Path, server_of: ServerOf) -> None:
    with setting("list", tmp_path, server_of) as it, bench(it.environment, _APP) as workers:
        it.write(range(5000))

        async def is_under_way() -> bool:
            return it.written.size < 5000

        with it.command("import-huey") as process:
            await until(is_under_way)
            process.send_signal(signal.SIGINT)
            assert process.wait() == 130
        left = it.written.size
        async with source_of(it.written) as source:
            assert await source.aside() == []
        with it.command("import-huey") as process:
            assert process.wait() == 0
        assert 0 < left < 5000
        workers.start()
        await it.are_run(5000)
        assert it.runs() == [*range(5000)]
