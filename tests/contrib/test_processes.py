"""Tasks that run in processes: one span and one event each, whose context and tags the body sees."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hueyio import TaskException
from hueyio.contrib import otel, sentry
from hueyio.core import core_of
from tests.contrib.test_otel import Collector, collector, trace_of, until_ended
from tests.contrib.test_sentry import Inbox, inbox, value_of

__all__ = ["collector", "inbox"]


@pytest.fixture
async def app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, collector: Collector, inbox: Inbox
) -> AsyncIterator[Any]:
    """The module of the tasks, imported here on the storage that the pool processes use."""
    monkeypatch.setenv("HUEYIO_TEST_HUEY", f"hueyio.SqliteHuey('p', filename={str(tmp_path / 'app.db')!r})")
    import tests.contrib.traced_app as module

    module = importlib.reload(module)
    core_of(module.huey).home = module.__name__
    otel.uninstrument(module.huey)
    otel.instrument(module.huey, tracer_provider=collector.tracers)
    async with module.huey, module.huey.create_consumer(pool=1, threads=1):
        yield module


async def test_task_in_a_process_has_one_span_and_one_event(app: Any, collector: Collector, inbox: Inbox) -> None:
    trace_id, tag = await (await app.seen())
    with pytest.raises(TaskException):
        await (await app.fail())
    await until_ended(collector, "process", 2)
    seen, failed = collector.spans("process")
    assert trace_id == f"{trace_of(seen):032x}"
    assert tag == app.seen.path
    assert (failed.attributes or {})["error.type"] == "ValueError"
    assert [value_of(it) for it in inbox.of("event")] == ["in a process"]
    sentry.uninstrument(app.huey)
