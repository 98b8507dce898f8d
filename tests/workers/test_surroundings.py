"""A worker logs, stops and starts anew whatever the application does to its process."""

from __future__ import annotations

import asyncio
import importlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workers.process import Bench, Worker, bench


@pytest.fixture
def when() -> str:
    """When the app changes its process."""
    return "import"


@pytest.fixture
def workers(tmp_path: Path, when: str) -> Iterator[Bench]:
    made = f"hueyio.SqliteHuey('test', filename={str(tmp_path / 'test.db')!r})"
    with bench({"HUEYIO_TEST_HUEY": made, "HUEYIO_TEST_CHANGE": when}, "tests.workers.changing_app:huey") as workers:
        yield workers


@pytest.fixture
def app(workers: Bench, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that the workers run, which changes nothing here."""
    monkeypatch.setenv("HUEYIO_TEST_HUEY", workers.environment["HUEYIO_TEST_HUEY"])
    import tests.workers.changing_app as module

    return importlib.reload(module)


async def see_failure(app: Any, worker: Worker) -> None:
    await app.fail()
    await asyncio.to_thread(worker.wait_line, "for good: ValueError('no money')")


def assert_once(worker: Worker, *texts: str) -> None:
    for text in texts:
        assert sum(text in line for line in worker.lines) == 1, text


async def test_worker_logs_and_stops_when_the_app_changes_its_process_at_import(workers: Bench, app: Any) -> None:
    worker = workers.start("--max-tasks", "1000")  # so that it has a supervisor, to which a socket leads
    async with app.huey:
        assert await (await app.rest()) == ("/", signal.SIG_IGN, signal.SIG_DFL)
        await see_failure(app, worker)
    assert worker.stop() == 0
    assert_once(
        worker, "no money')", "process: SIGTERM: finishing", "SIGPIPE: it was not as Python", "process: stopped"
    )
    assert not any("the supervisor is gone" in line for line in worker.lines)


@pytest.mark.parametrize("when", ["hook"])
async def test_worker_logs_and_stops_when_a_hook_changes_its_process(workers: Bench, app: Any) -> None:
    worker = workers.start()
    async with app.huey:
        assert await (await app.compute()) != worker.pid
        await see_failure(app, worker)
    assert worker.stop() == 0
    assert_once(worker, "is ready", "no money')", "process: stopped")
    failures = [line for line in worker.lines if "on_startup hook change_at_start failed" in line]
    assert len(failures) == 2  # in the worker, and in the process of its pool


@pytest.mark.parametrize("when", ["task"])
async def test_worker_logs_and_starts_anew_where_it_was_when_a_task_changes_its_process(
    workers: Bench, app: Any
) -> None:
    worker = workers.start()
    async with app.huey:
        await (await app.change_all())
        await see_failure(app, worker)
    worker.send(signal.SIGHUP)
    await workers.wait_for(lambda: sum("is ready" in line for line in worker.lines) == 2)
    assert worker.stop() == 0
    assert_once(worker, "no money')", "SIGHUP: finishing", ": starting anew")
