"""Several calls under way in one process: what a long, a cancelled or a deadly body means for those behind it."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hueyio import Consumer, ProcessLost, TaskCancelled, TaskException
from hueyio.execution.pool.depth import Depth
from tests.support.patience import until


@pytest.fixture
async def app(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.setenv("HUEYIO_TEST_HUEY", "hueyio.MemoryHuey('lane')")
    import tests.flow.process_app as module

    module = importlib.reload(module)
    yield module
    await module.huey.close()


@asynccontextmanager
async def consuming(app: Any, **options: Any) -> AsyncIterator[Consumer]:
    """A consumer with one process that is ready, and that gets many calls at once, as if all were short."""
    async with app.huey.create_consumer(**{"pool": 1, "prefetch": 20, **options}) as consumer:
        await (await app.echo("ready"))
        consumer._process_lane.depth.note(0.0001, 1)
        yield consumer


async def there(path: Path) -> None:
    def has_text() -> bool:
        return path.exists() and path.read_text() != ""

    async def is_there() -> bool:
        return has_text()

    await until(is_there)


async def test_calls_behind_one_that_ends_its_process_run_in_the_next(app: Any) -> None:
    async with consuming(app) as consumer:
        calls = [app.echo.s(0), app.die.s("exit"), *(app.echo.s(number) for number in (1, 2, 3))]
        results = await app.huey.enqueue_many(calls)
        with pytest.raises(TaskException) as raised:
            await results[1]
        assert isinstance(raised.value.__cause__, ProcessLost)
        assert str(raised.value.__cause__) == "the process of task tests.flow.process_app.die exited with code 3"
        assert [await result for result in (results[0], *results[2:])] == [0, 1, 2, 3]
        assert consumer.statistics().outcomes == {"Succeeded": 5, "Failed": 1}


async def test_calls_behind_a_long_one_run_in_another_process(app: Any, tmp_path: Path) -> None:
    go, began = tmp_path / "go", tmp_path / "began"
    async with consuming(app, pool=2):
        calls = [app.wait_for.s(str(go), str(began)), *(app.pid.s() for _ in range(5))]
        long, *short = await app.huey.enqueue_many(calls)
        pids = {await result for result in short}
        assert int(began.read_text()) not in pids
        go.touch()
        assert await long == int(began.read_text())


async def test_calls_behind_one_that_is_cancelled_run(app: Any, tmp_path: Path) -> None:
    began = tmp_path / "began"
    async with consuming(app):
        hanging, *others = await app.huey.enqueue_many([app.hang.s(str(began)), *(app.echo.s(n) for n in range(3))])
        await there(began)
        await hanging.cancel()
        with pytest.raises(TaskCancelled):
            await hanging
        assert [await result for result in others] == [0, 1, 2]


@pytest.mark.parametrize("graceful", [False, True])
async def test_stop_gives_back_the_calls_behind_the_one_that_runs(app: Any, tmp_path: Path, graceful: bool) -> None:
    go, began = tmp_path / "go", tmp_path / "began"
    async with consuming(app) as consumer:
        calls = [app.wait_for.s(str(go), str(began)), *(app.echo.s(number) for number in range(3))]
        running, *others = await app.huey.enqueue_many(calls)
        await there(began)
        consumer.stop(graceful=graceful)
        if graceful:

            async def are_back() -> bool:
                return [await result.status() for result in others] == ["ready"] * 3

            await until(are_back)
            go.touch()
        await consumer.wait_stopped()
    assert [await result.status() for result in others] == ["ready"] * 3
    assert await running.status() == ("done" if graceful else "ready")


async def test_each_call_has_its_own_answer_and_no_process_more_than_it_may_run(app: Any) -> None:
    async with consuming(app, prefetch=200, pool_max_tasks=90):
        others = await app.pid.map([()] * 70)
        results = await app.echo.map(range(100))
        assert [await result for result in results] == list(range(100))
        assert max(Counter([await result for result in others]).values()) <= 90


def test_depth_is_as_many_as_run_in_some_milliseconds() -> None:
    depth = Depth()
    assert depth.calls == 1
    depth.note(0.001, 1)
    assert depth.calls == 5
    depth.note(0.0005, 10)
    assert 5 < depth.calls < 64
    for _ in range(10):
        depth.note(0.0001, 10)
    assert depth.calls == 64
    depth.forget()
    assert depth.calls == 1
    depth.note(3.0, 1)
    assert depth.calls == 1
