"""Headers of a call: what can be one, and what becomes of them in the tasks that follow."""

from __future__ import annotations

import pickle
from types import MappingProxyType
from typing import Any

import pytest

from hueyio import (
    CancelExecution,
    JSONSerializer,
    MemoryHuey,
    RetryTask,
    SerializationError,
    Serializer,
    SignedSerializer,
    Snooze,
    TaskArgumentError,
)
from hueyio.core import Rules
from hueyio.execution import outcome as ways
from hueyio.execution.policy import decide
from hueyio.messages.message import Message, read_task, write_task
from hueyio.tasks.headers import check_stages
from hueyio.tasks.task import Task

TRACE = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
MOST = {f"key {number}": "é" for number in range(32)}
SERIALIZERS = [Serializer(), Serializer(compression=True), JSONSerializer(), SignedSerializer("secret")]
NOW = 1e9


@pytest.mark.parametrize("serializer", SERIALIZERS, ids=lambda it: type(it).__name__)
@pytest.mark.parametrize("headers", [TRACE, MOST, {"": ""}], ids=["one", "most", "empty texts"])
def test_headers_survive_the_wire(serializer: Serializer, headers: dict[str, str]) -> None:
    task = Task("app.add", (1,), headers=headers).then(Task("app.next", headers={"own": "1"}))
    read = read_task(write_task(task, serializer), serializer)
    assert read.headers == headers
    assert read.on_complete is not None
    assert read.on_complete.headers == {"own": "1"}


def test_call_without_headers_has_the_message_that_it_always_had() -> None:
    task = Task("app.add", (1, 2), id="a")
    plain = write_task(task, Serializer())
    assert task.headers == {}  # asked for, so that there is a dict
    assert write_task(task, Serializer()) == plain
    assert pickle.loads(plain) == (1, "a", "app.add", (1, 2))


def test_message_with_headers_is_read_by_a_consumer_that_knows_none() -> None:
    *known, headers = pickle.loads(write_task(Task("app.add", id="a", headers=TRACE), Serializer()))
    assert headers == TRACE
    assert len(known) == Message._fields.index("headers")
    assert read_task(pickle.dumps(tuple(known)), Serializer()).own_headers is None


def test_task_that_was_pickled_without_headers_has_none() -> None:
    task = Task("app.add", id="a")
    nothing, state = task.__getstate__()
    del state["_headers"]
    task.__setstate__((nothing, state))
    assert task.headers == {}


@pytest.mark.parametrize("headers", [5, "text", [["a", "b"]], {1: "a"}, {"a": 1}, {"a": None}, {"a": ["b"]}])
def test_message_whose_headers_are_none_is_refused(headers: Any) -> None:
    fields = Message(1, "a", "app.add")._replace(headers=headers)
    with pytest.raises(SerializationError, match="its headers must not be"):
        read_task(pickle.dumps(tuple(fields)), Serializer())


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ("text", "headers must be a dict of texts, not 'text'"),
        ([("a", "b")], "headers must be a dict of texts"),
        ({1: "a"}, "the key of a header must be a text, not 1"),
        ({"good": "a", "bad": 1}, "header 'bad' must be a text, not 1"),
        ({"bad": None}, "header 'bad' must be a text, not None"),
        ({"bad": b"bytes"}, "header 'bad' must be a text, not b'bytes'"),
        ({"bad": "\ud800"}, "header 'bad' is no valid Unicode text"),
        ({**MOST, "one more": ""}, "at most 32 headers can be given, not 33"),
        ({"short": "a", "long": "é" * 2048}, "headers take 4096 bytes at most, not 4106; the longest is 'long'"),
    ],
)
def test_headers_that_cannot_be_are_refused_at_the_call(headers: Any, reason: str) -> None:
    huey = MemoryHuey()

    @huey.task(name="add")
    async def add(*numbers: int) -> None: ...

    with pytest.raises(TaskArgumentError, match=reason):
        add.options(headers=headers)().close()
    with pytest.raises(TaskArgumentError, match=reason):
        add.options(headers=headers).s()
    with pytest.raises(TaskArgumentError, match=reason):
        add.schedule((1,), delay=5, headers=headers).close()
    task = add.s()
    task.headers = headers
    with pytest.raises(TaskArgumentError, match=reason):
        huey.serialize_task(task)


def test_options_take_any_mapping_and_keep_no_part_of_it() -> None:
    huey = MemoryHuey()

    @huey.task(name="add")
    async def add() -> None: ...

    given = dict(TRACE)
    task = add.options(headers=MappingProxyType(given)).s()
    given["later"] = "x"
    assert task.headers == TRACE
    assert add.options(headers={}).s().own_headers is None
    assert add.options(headers=None).s().own_headers is None


def test_keyword_named_headers_belongs_to_the_function() -> None:
    huey = MemoryHuey()

    @huey.task(name="fetch")
    def fetch(url: str, headers: dict[str, str] | None = None) -> None: ...

    @huey.task(name="collect")
    def collect(**anything: Any) -> None: ...

    assert fetch.s("/", headers={"Accept": "*"}).kwargs == {"headers": {"Accept": "*"}}
    assert collect.s(headers=5).kwargs == {"headers": 5}
    assert collect.s(headers=5).own_headers is None
    both = fetch.options(headers=TRACE).s("/", headers={"Accept": "*"})
    assert (both.headers, both.kwargs) == (TRACE, {"headers": {"Accept": "*"}})


def test_copies_share_no_headers() -> None:
    task = Task("app.add", headers=dict(TRACE))
    task.replaced().headers["more"] = "x"
    task.renewed(None, None, None, True).headers["more"] = "x"
    assert task.headers == TRACE


@pytest.mark.parametrize(
    "outcome",
    [
        ways.Failed(ValueError()),
        ways.TimedOut(TimeoutError()),
        ways.RetryAsked(RetryTask()),
        ways.Snoozed(Snooze(1)),
        ways.CancelAsked(CancelExecution(retry=True)),
    ],
    ids=lambda it: type(it).__name__,
)
def test_whatever_comes_back_keeps_its_headers(outcome: ways.Outcome) -> None:
    task = Task("app.add", retries=1, headers=dict(TRACE))
    again = decide(task, outcome, NOW, Rules()).enqueue[-1]
    assert (again.id, again.headers) == (task.id, TRACE)


def test_stage_and_error_handler_get_the_headers_under_their_own() -> None:
    parent = Task("app.add", headers={"a": "parent", "b": "parent"})
    parent.then(Task("app.next", headers={"b": "own", "c": "own"})).error(Task("app.alert", headers={"a": "own"}))
    (stage,) = decide(parent, ways.Succeeded(1), NOW, Rules()).enqueue
    assert stage.headers == {"a": "parent", "b": "own", "c": "own"}
    (handler,) = decide(parent, ways.Failed(ValueError()), NOW, Rules()).enqueue
    assert handler.headers == {"a": "own", "b": "parent"}
    assert parent.headers == {"a": "parent", "b": "parent"}
    assert parent.on_complete is not None
    assert parent.on_complete.headers == {"b": "own", "c": "own"}


def test_following_task_without_own_headers_gets_a_copy() -> None:
    parent = Task("app.add", headers=dict(TRACE)).then(Task("app.next"))
    (stage,) = decide(parent, ways.Succeeded(1), NOW, Rules()).enqueue
    stage.headers["more"] = "x"
    assert parent.headers == TRACE


def test_pipeline_whose_stages_would_gather_too_many_headers_is_refused() -> None:
    half = dict(list(MOST.items())[:20])
    other = {f"other {number}": "x" for number in range(20)}
    check_stages(Task("app.add", headers=half).then(Task("app.next", headers=half)))
    with pytest.raises(TaskArgumentError, match=r"app\.last: at most 32 headers can be given, not 40"):
        check_stages(Task("app.add", headers=half).then(Task("app.next")).then(Task("app.last", headers=other)))
    handled = Task("app.add").then(Task("app.next", headers=half).error(Task("app.alert", headers=other)))
    with pytest.raises(TaskArgumentError, match=r"app\.alert: at most 32 headers"):
        check_stages(handled)
