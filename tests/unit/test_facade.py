"""The blocking classes against those that they wait for: method by method, option by option, in each way to give it."""

from __future__ import annotations

import ast
import inspect
import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, NamedTuple

import pytest

from hueyio import BaseStorage, ChordResult, Inspector, MemoryHuey, Result, ResultGroup, Task, chord
from hueyio.handles.sync_result import SyncChordResult, SyncResult, SyncResultGroup
from hueyio.loops.portal import block_on, iterate
from tests.support.facade import TWINS, Twin, members_of, write_all


def test_files_are_what_the_facade_writes() -> None:
    changed = [path.name for path, text in write_all().items() if path.read_text() != text]
    assert changed == [], "run `python -m tests.support.facade`"


def class_of(place: str) -> type:
    path, _, name = place.partition(":")
    kind: type = getattr(import_module("hueyio." + path.removesuffix(".py").replace("/", ".")), name)
    return kind


def public_names(twin: Twin) -> dict[str, type]:
    """Return all names of methods and properties that a blocking class must have, with the class that has them too."""
    named = {it.name: class_of(source) for source in twin.sources for it, _ in members_of(source)}
    return {name: kind for name, kind in named.items() if name not in twin.without}


def parameters(method: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    return [(it.name, it.kind, it.default) for it in inspect.signature(method).parameters.values()]


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.blocking)
def test_every_method_has_a_blocking_form_of_the_same_signature(twin: Twin) -> None:
    ours, names = class_of(twin.blocking), public_names(twin)
    assert names
    for name, theirs in names.items():
        assert hasattr(ours, name), f"{ours.__name__} lacks {name}"
        theirs_too = inspect.getattr_static(theirs, name)
        if isinstance(theirs_too, property):
            assert isinstance(getattr(ours, name), property)
            assert (getattr(ours, name).fset is None) == (theirs_too.fset is None), name
        else:
            assert parameters(getattr(ours, name)) == parameters(getattr(theirs, name)), name
            assert not inspect.iscoroutinefunction(getattr(ours, name))


# --- what they do


class Given(NamedTuple):
    """A Huey in one state, and what its methods are called with."""

    huey: MemoryHuey
    theirs: Any
    ours: Any
    values: dict[str, Any]


def make(twin: Twin, method: str) -> Given:
    """Make the two forms of one object. What reads results finds them all there."""
    name = twin.sources[0].partition(":")[2]
    is_over = name in ("Result", "ResultGroup", "ChordResult") or method == "result"
    huey = MemoryHuey("facade", immediate=is_over)

    @huey.task
    def add(a: int = 1, b: int = 2) -> int:
        return a + b

    @huey.task
    def total(values: list[int]) -> int:
        return sum(values)

    result = add.sync(1, 2)
    connection = sqlite3.connect(":memory:")
    values = {
        **VALUES,
        "task": result.aio,
        "tasks": [add.s(1, 2), add.s(3, 4)],
        "task_id": result.id,
        "id": result.id,
        "ids": [result.id],
        "connection": connection,
    }
    connection.close()
    huey.sync.put("key", 1)
    huey.sync.schedules().add("nightly", add, "0 3 * * *", (1, 2))
    limit = huey.limit("limit", 2)
    theirs: Any
    match name:
        case "Huey":
            theirs = huey
        case "TaskWrapper":
            theirs = add
        case "BoundOptions":
            theirs = add.options(delay=60)
        case "Result":
            theirs = result.aio
        case "ResultGroup":
            theirs = add.sync.map([(1, 2), (3, 4)]).aio
        case "ChordResult":
            theirs = huey.sync.enqueue(chord([add.s(1, 2), add.s(3, 4)], total)).aio
        case "Schedules":
            theirs = huey.schedules()
        case "Semaphore":
            theirs = limit
        case "RateLimit":
            theirs = huey.rate_limit("rate", 5, per=60)
        case "BaseStorage":
            theirs = BaseStorage(huey.storage)
        case "Inspector":
            theirs = Inspector(huey.storage)
        case other:
            raise AssertionError(other)
    ours = class_of(twin.blocking)(theirs)
    return Given(huey, theirs, ours, values | {"_add": add, "_task": add.s(5, 6, delay=60)})


NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)

VALUES: dict[str, Any] = {
    "revoke_until": NOON,
    "revoke_once": True,
    "timestamp": NOON,
    "peek": False,
    "name": "nightly",
    "names": ("limit",),
    "lock_name": "limit",
    "key": "key",
    "keys": ["key"],
    "data": b"value",
    "value": b"value",
    "ttl": 60.0,
    "limit": 5,
    "since": NOON.replace(year=2026),
    "until": NOON,
    "kind": "failed",
    "text": "broken",
    "actor": "tester",
    "state": "ready",
    "most": 5,
    "ts": NOON,
    "priority": 1.0,
    "times": "*/5 * * * *",
    "args": (1, 2),
    "kwargs": {},
    "headers": {"a": "b"},
    "catch_up": True,
    "it": [(1, 2), (3, 4)],
    "eta": NOON,
    "delay": 60,
    "expires": 90,
    "timeout": 3.0,
    "blocking": True,
    "preserve": True,
    "preserve_pipeline": False,
    "revoke_on_timeout": True,
    "backoff": 1.5,
    "max_delay": 0.5,
    "amount": 2,
    "is_result": True,
    "id": "an-id",
    "retries": 2,
    "retry_delay": 5,
    "unique": "skip",
    "unique_key": "one",
    "deadline": 90,
    "retry_backoff": 2.0,
    "retry_max_delay": 60,
    "retry_jitter": 0.5,
}
"""What is given for an option of this name; for any other its default."""


def value_for(given: Given, owner: str, method: str, name: str, default: Any) -> Any:
    if name == "task" and owner == "Schedules":
        return given.values["_add"]
    if name == "task" and method.endswith("_all"):
        return given.values["_add"]
    if name == "task" and method in ("enqueue", "enqueue_in", "add_schedule", "execute"):
        return given.values["_task"]
    if name == "name" and method in ("tasks", "failed", "requeue", "history", "statistics"):
        return "app.*" if method != "statistics" else "app.add"
    if name == "after":
        return None
    if name == "since" and method == "statistics":
        return 60.0
    if name == "id" and owner == "TaskWrapper":
        return "an-id"
    return given.values.get(name, default)


class Call(NamedTuple):
    """How a method is called: names of what is given by position and by keyword."""

    by_position: tuple[str, ...]
    by_keyword: tuple[str, ...]


def calls_of(method: Callable[..., Any]) -> Iterator[Call]:
    """Find the ways to call a method: the least, and each option beside it, by keyword and by position."""
    shown = [it for it in inspect.signature(method).parameters.values() if it.name != "self"]
    required = [it for it in shown if it.default is it.empty and it.kind not in (it.VAR_POSITIONAL, it.VAR_KEYWORD)]
    yield Call(tuple(it.name for it in required), ())
    named = tuple(it.name for it in required if it.kind is it.POSITIONAL_OR_KEYWORD)
    if named:
        yield Call(tuple(it.name for it in required if it.name not in named), named)
    positional = [it for it in shown if it.kind in (it.POSITIONAL_ONLY, it.POSITIONAL_OR_KEYWORD)]
    for it in shown:
        if it.kind in (it.VAR_POSITIONAL, it.VAR_KEYWORD) or it in required:
            continue
        yield Call(tuple(one.name for one in required), (it.name,))
        if it in positional:
            yield Call(tuple(one.name for one in positional[: positional.index(it) + 1]), ())


def outcome(given: Given, owner: str, method: str, call: Call, defaults: dict[str, Any], is_blocking: bool) -> Any:
    """Call one form; return what came of it, without what is another one each time."""
    last = (call.by_position + call.by_keyword)[-1:]

    def value(name: str) -> Any:
        is_filler = name in call.by_position and name not in last and defaults[name] is not inspect.Parameter.empty
        return defaults[name] if is_filler else value_for(given, owner, method, name, defaults[name])

    args = [value(name) for name in call.by_position]
    kwargs = {name: value(name) for name in call.by_keyword}
    if method == "schedule" and not {"eta", "delay"} & {*call.by_position, *call.by_keyword}:
        kwargs["delay"] = 60
    function = getattr(given.ours if is_blocking else given.theirs, method)
    try:
        answer = function(*args, **kwargs)
        if inspect.isawaitable(answer):
            answer = block_on(answer)  # type: ignore[arg-type]
        elif hasattr(answer, "__anext__"):
            answer = iterate(answer)
        return plain(answer)
    except Exception as error:
        return f"{type(error).__name__}: {plain(str(error))}"
    finally:
        given.huey.sync.close()


def plain(value: Any) -> Any:
    match value:
        case SyncResult() | SyncResultGroup() | SyncChordResult():
            return type(value).__name__.removeprefix("Sync")
        case Result() | ResultGroup() | ChordResult():
            return type(value).__name__
        case Iterator() | list() | tuple() if not hasattr(value, "_fields"):
            return [plain(it) for it in value]
        case dict():
            return sorted(plain(it) for it in value.values())
        case Task():
            return value.path
        case str():
            return re.sub(r"[0-9a-f-]{32,36}|0x[0-9a-f]+|\d+\.\d+", "~", value).replace("Sync", "")
        case int() | float() | None:
            return value
        case _:
            return type(value).__name__.removeprefix("Sync")


def waiting_methods(twin: Twin) -> list[str]:
    """Name those that give something to wait for."""
    found = []
    for source in twin.sources:
        for it, _ in members_of(source):
            returned = "" if it.returns is None else ast.unparse(it.returns)
            if isinstance(it, ast.AsyncFunctionDef) or returned.startswith("Coroutine["):
                found.append(it.name)
    return [name for name in dict.fromkeys(found) if name not in twin.without]


COMPARED = [twin for twin in TWINS if "Consumer" not in twin.blocking]  # two consumers of one Huey are not the same


def test_both_forms_do_the_same_with_each_option_by_position_and_by_keyword() -> None:
    compared, raised, differing = 0, 0, []
    for twin in COMPARED:
        owner, kind = twin.sources[0].partition(":")[2], class_of(twin.blocking)
        for method in waiting_methods(twin):
            function = getattr(kind, method)
            defaults = {it.name: it.default for it in inspect.signature(function).parameters.values()}
            for call in calls_of(function):
                theirs, ours = (outcome(make(twin, method), owner, method, call, defaults, it) for it in (False, True))
                compared += 1
                raised += isinstance(theirs, str) and re.match(r"\w+(Error|Exception): ", theirs) is not None
                if theirs != ours:
                    differing.append((kind.__name__, method, call, theirs, ours))
    print(f"{compared} calls, {raised} raise, {len(differing)} differ")
    assert differing == []
    assert compared > 250
    assert raised < compared / 4
