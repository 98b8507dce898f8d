"""The short way of a good end says what the long one says, and takes nothing that it would say otherwise."""

from __future__ import annotations

import logging
from typing import Any, Final

import pytest

from hueyio import Huey, MemoryHuey, crontab
from hueyio.core import core_of
from hueyio.execution.finish import conclude
from hueyio.execution.job import Job
from hueyio.execution.outcome import Cancelled, Failed, Outcome, Succeeded
from hueyio.execution.plain_finish import finish_plainly
from hueyio.execution.run_log import run_logger
from hueyio.messages.entry import make_entry
from hueyio.messages.message import read_task
from hueyio.serializer import SignedSerializer
from hueyio.storage.records import Delivery, Header, Receipt
from hueyio.tasks.task import Task

ADD: Final = f"{__name__}.add"
TICK: Final = f"{__name__}.tick"


def make_job(huey: Huey, task: Task, **header: Any) -> Job:
    """Make the job of a task that was enqueued and claimed."""
    core = core_of(huey)
    spec = core.registry.get(task.path)
    assert spec is not None
    entry = make_entry(task, spec, core.serializer, 1.0)
    delivery = Delivery(Receipt("me", task.id, 0), entry.header._replace(**header), entry.data)
    return Job(delivery, read_task(entry.data, core.serializer, task.id), spec, huey.name)


def make_huey(**options: Any) -> Huey:
    huey = MemoryHuey("plain", **options)

    @huey.task(name="add")
    async def add(value: Any = None) -> Any:
        return value

    @huey.periodic_task(crontab(), name="tick")
    async def tick() -> None: ...

    return huey


def end(huey: Huey, job: Job, outcome: Outcome) -> Any:
    return finish_plainly(core_of(huey), job, outcome, logging.DEBUG)


@pytest.mark.parametrize(
    "options",
    [{}, {"results": False}, {"store_none": True}, {"result_ttl": None}, {"serializer": SignedSerializer(b"secret")}],
    ids=["usual", "no results", "none is kept", "for ever", "signed"],
)
@pytest.mark.parametrize("value", [7, None, b"x", {"a": [1]}])
def test_good_end_is_settled_alike_on_the_short_way(options: dict[str, Any], value: Any) -> None:
    huey = make_huey(**options)
    header = Header("", unique_key="key", once_token="token", first_seen=1.0, defers=2)
    kept = {name: getattr(header, name) for name in ("unique_key", "once_token", "first_seen", "defers")}
    for more in ({}, kept):
        job = make_job(huey, Task(ADD, (value,)), **more)
        settlement = end(huey, job, Succeeded(value))
        assert job.ended_at > 0
        assert type(settlement).__name__ == "Finish"
        assert settlement == conclude(core_of(huey), job, Succeeded(value)).settlement


def test_ends_that_are_not_plain_go_the_long_way() -> None:
    huey = make_huey()
    plain = make_job(huey, Task(ADD))
    assert end(huey, plain, Failed(ValueError("no"))) is None
    assert end(huey, plain, Cancelled()) is None
    assert end(huey, plain, Succeeded(lambda: None)) is None  # it cannot be stored, so it has failed
    assert end(huey, make_job(huey, Task(ADD, attempt=1)), Succeeded(1)) is None
    assert end(huey, make_job(huey, Task(ADD).then(Task(ADD))), Succeeded(1)) is None
    assert end(huey, make_job(huey, Task(ADD), latch="l", latch_index=0), Succeeded(1)) is None
    assert end(huey, make_job(huey, Task(TICK)), Succeeded(1)) is None


def test_end_that_is_logged_goes_the_long_way(caplog: pytest.LogCaptureFixture) -> None:
    huey = make_huey()
    with caplog.at_level(logging.DEBUG, run_logger.name):
        assert end(huey, make_job(huey, Task(ADD)), Succeeded(1)) is None
    assert finish_plainly(core_of(huey), make_job(huey, Task(ADD)), Succeeded(1), logging.INFO) is not None
