"""Tasks on their way into a pool process."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest

from hueyio import SerializationError
from hueyio.execution.pool.crossing import pack_task, unpack_task
from hueyio.tasks.task import Task

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "task",
    [
        Task("app.work", (1, {"a": b"x"}), id="1"),
        Task("app.work", (), {"key": [1]}, id="2", retries=3, attempt=1, retry_delay=0.5, headers={"a": "b"}),
        Task("app.work", (KeyError("x"),), id="3", expires_resolved=MOMENT, on_complete=Task("app.next", id="4")),
        Task("app.collect", ("own",), id="5", values=[1, None, "x"]),  # a chord's callback
    ],
    ids=lambda task: task.id,
)
def test_task_arrives_as_it_was_packed(task: Task) -> None:
    found = unpack_task(pack_task(task))
    for name in set(Task.__slots__) - {"on_complete", "_settings"}:  # the settings are the declaration's
        assert repr(getattr(found, name)) == repr(getattr(task, name))
    assert (found.on_complete and found.on_complete.id) == (task.on_complete and task.on_complete.id)


def test_task_that_an_older_version_packed_is_read() -> None:
    task = Task("app.work", (1,), id="1")
    assert unpack_task(pickle.dumps(task)).args == (1,)


def test_arguments_that_cannot_be_pickled_are_told() -> None:
    with pytest.raises(SerializationError, match=r"task app\.work: its arguments cannot be pickled for a process"):
        pack_task(Task("app.work", (lambda: None,), id="1"))
