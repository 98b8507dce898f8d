"""The wire contract: what goes in comes out, also between versions."""

from __future__ import annotations

import pickle
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hueyio import SerializationError, Serializer, TaskArgumentError
from hueyio.messages.message import Message, read_task, write_task
from hueyio.tasks.task import Task

SERIALIZER = Serializer()
FIELDS = tuple(Task.__slots__)


def as_dict(task: Task) -> dict[str, Any]:
    return {name: as_dict(value) if isinstance(value := getattr(task, name), Task) else value for name in FIELDS}


def test_task_survives_the_wire_with_all_its_fields() -> None:
    moment = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    task = Task(
        "app.add",
        (1, "two"),
        {"three": [3]},
        eta=moment,
        expires=30.0,
        expires_resolved=moment + timedelta(30),
        priority=7,
        attempt=2,
        retries=3,
        retry_delay=1.5,
        retry_backoff=2.0,
        timeout=9.0,
    )
    task.then(Task("app.next", (4,))).error(Task("app.alert"))
    assert as_dict(read_task(write_task(task, SERIALIZER), SERIALIZER)) == as_dict(task)


@given(
    st.builds(
        Task,
        st.text(min_size=1),
        st.tuples(st.integers(), st.text()),
        st.dictionaries(st.text(), st.none() | st.binary()),
        retries=st.integers(0, 100),
        retry_delay=st.floats(0, 1e6),
        timeout=st.none() | st.floats(0.1, 1e6),
        priority=st.none() | st.integers(-(2**53), 2**53),
    )
)
def test_any_task_survives_the_wire(task: Task) -> None:
    assert as_dict(read_task(write_task(task, SERIALIZER), SERIALIZER)) == as_dict(task)


def test_absolute_expires_stays_absolute() -> None:
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    task = read_task(write_task(Task("a", expires=moment), SERIALIZER), SERIALIZER)
    assert task.resolve_expires(0.0) == moment


def test_message_of_an_older_producer_gets_defaults() -> None:
    task = read_task(pickle.dumps((1, "id", "name")), SERIALIZER)
    assert as_dict(task) == as_dict(Task("name", id="id"))


def test_message_of_a_newer_producer_is_read_without_what_is_new() -> None:
    fields = pickle.loads(write_task(Task("name", id="id", on_error=Task("e")), SERIALIZER))
    task = read_task(pickle.dumps((*Message(*fields), "new", "newer")), SERIALIZER)
    assert task.name == "name"
    assert task.on_error is not None
    grown = Message(*fields)._replace(chord=("latch", 1, "name", "new"))  # type: ignore[arg-type]
    assert read_task(pickle.dumps(tuple(grown)), SERIALIZER).chord == ("latch", 1, "name")


@pytest.mark.parametrize(
    "data",
    [b"", b"garbage", pickle.dumps(7), pickle.dumps((1, 2)), pickle.dumps((2, "id", "name")), pickle.dumps((1, 2, 3))],
)
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(SerializationError):
        read_task(data, SERIALIZER)


@pytest.mark.parametrize(
    ("task", "named"),
    [
        (Task("app.add", (1, threading.Lock())), "app.add: argument 2"),
        (Task("app.add", (), {"lock": threading.Lock()}), "app.add: argument 'lock'"),
        (Task("app.add").then(Task("app.next", (threading.Lock(),))), "app.next: argument 1"),
        (Task("app.add").error(Task("app.alert", (threading.Lock(),))), "app.alert: argument 1"),
    ],
)
def test_argument_that_cannot_be_serialised_is_named(task: Task, named: str) -> None:
    with pytest.raises(TaskArgumentError, match=named):
        write_task(task, SERIALIZER)


def test_small_call_makes_a_small_message() -> None:
    assert len(write_task(Task("app.add", (1, 2)), SERIALIZER)) < 120
