"""Misuse is answered where it happens, by a sentence that names the public thing and the cure."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from hueyio import (
    ConfigurationError,
    DeclarationWarning,
    Huey,
    HueyException,
    MemoryHuey,
    TaskArgumentError,
    chord,
    crontab,
    group,
)


def plain(x: Any = None) -> Any:
    return x


async def generate() -> Any:
    yield 1


class App:
    """A Huey and a task, as ``Any``: what follows is what a type checker would refuse."""

    def __init__(self) -> None:
        self.huey: Any = MemoryHuey("mistakes")
        self.add: Any = self.huey.task(name="add")(plain)


@pytest.fixture
def app() -> App:
    return App()


@pytest.mark.parametrize(
    ("extra", "meant"),
    [
        ({"retires": 3}, "retries="),
        ({"retry_delays": 5}, "retry_delay="),
        ({"retry": True}, "retr"),
        ({"max_retries": 3}, "retries="),
        ({"prio": 1}, "priority="),
        ({"delay": 5}, r"task\.options\(delay="),
        ({"team": "billing"}, None),
        ({"settings": {"retires": 3}}, None),
    ],
)
def test_keyword_that_is_like_an_option_warns_at_the_declaration(extra: dict[str, Any], meant: str | None) -> None:
    huey: Any = MemoryHuey()
    if meant is None:
        huey.task(**extra)(plain)
        return
    with pytest.warns(DeclarationWarning, match=meant) as caught:
        huey.task(**extra)(plain)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("text", ["False", "0", "no", 1, None])
def test_switch_takes_nothing_but_true_and_false(app: App, text: Any) -> None:
    huey = app.huey
    calls: dict[str, Callable[[], Any]] = {
        "immediate": lambda: MemoryHuey(immediate=text),
        "context": lambda: huey.task(context=text),
        "at_most_once": lambda: huey.task(at_most_once=text)(plain),
        "catch_up": lambda: huey.periodic_task(crontab("0"), catch_up=text),
        "as_argument": lambda: huey.context_task(asyncio.Lock, as_argument=text),
        "retry": lambda: huey.lock_task("x", retry=text),
        "retry of": lambda: huey.limit("x", 1, retry=text),
        "retry of 'x'": lambda: huey.rate_limit("x", 1, 1, retry=text),
        "blocking": lambda: asyncio.run(huey.result("x", blocking=text)),
        "preserve": lambda: asyncio.run(huey.result("x", preserve=text)),
        "revoke_on_timeout": lambda: asyncio.run(huey.result("x", revoke_on_timeout=text)),
        "revoke_once": lambda: asyncio.run(huey.revoke_by_id("x", revoke_once=text)),
        "lend_slots": lambda: huey.create_consumer(lend_slots=text),
    }
    for name, call in calls.items():
        with pytest.raises(ConfigurationError, match=f"{name}.* must be True or False"):
            call() if name != "context" else call()(plain)


@pytest.mark.parametrize("value", ["ab", b"ab", {"a": 1}, 5])
def test_text_bytes_and_mappings_are_no_lists_of_things(app: App, value: Any) -> None:
    huey, add = app.huey, app.add
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("args", lambda: add.schedule(args=value, delay=60)),
        ("args", lambda: add.schedule(value, {}, delay=60)),
        ("map takes", lambda: add.map(value)),
        ("enqueue_many takes", lambda: huey.enqueue_many(value)),
        ("group", lambda: group(value)),
        ("chord", lambda: chord(value, add)),
        ("args", lambda: asyncio.run(huey.schedules().add("x", add, crontab("0"), value))),
        ("flush_locks takes the names", lambda: asyncio.run(huey.flush_locks([value]))),
    ]
    for says, call in calls:
        with pytest.raises((HueyException, ValueError, TypeError), match=says):
            call()
    if not isinstance(value, str):
        for method in (huey.purge, huey.requeue):
            with pytest.raises(HueyException, match="takes ids of tasks"):
                asyncio.run(method(value))


def test_decorator_without_its_parentheses_says_so(app: App) -> None:
    huey = app.huey
    for bare in (huey.signal, huey.lock_task, huey.on_startup, huey.on_shutdown, huey.pre_execute, huey.post_execute):
        with pytest.raises(HueyException, match="parentheses"):
            bare(plain)
    with pytest.raises(ConfigurationError, match="parentheses"):
        huey.periodic_task(lambda: None)
    with pytest.raises(ConfigurationError, match="parentheses"):
        huey.periodic_task(app.add)
    with pytest.raises(ConfigurationError, match="keywords"):
        huey.task(3, 5)
    with pytest.raises(ConfigurationError, match="keywords"):
        huey.task(3)


def test_function_that_makes_no_context_manager_is_refused_with_its_decorator(app: App) -> None:
    for function, says in ((generate, "@asynccontextmanager"), (iter_once, "@contextmanager"), (app.add, "makes a")):
        with pytest.raises(ConfigurationError, match=says):
            app.huey.context_task(function)(plain)


def iter_once() -> Any:
    yield 1


async def test_call_in_the_place_of_a_task_is_told_to_be_one(app: App) -> None:
    add = app.add
    takers: list[Callable[[Any], Any]] = [
        add.s(1).then,
        add.s(1).error,
        group([add.s(1)]).then,
        lambda it: chord([add.s(1)], it),
    ]
    for wrong in takers:
        with pytest.raises(HueyException, match=r"add\.s\(1\), not add\(1\)"):
            wrong(add(1))
        for other in (plain, None, "add", 5):
            with pytest.raises(HueyException, match="must be a declared task"):
                wrong(other)


def test_task_that_would_follow_itself_is_refused(app: App) -> None:
    """A pipeline that is a circle has no last stage, and whoever looked for it looked for ever."""
    stage = app.add.s(2)
    head = app.add.s(1).then(stage)
    circles: list[Callable[[], Any]] = [
        lambda: head.then(stage),
        lambda: head.then(head),
        lambda: stage.then(app.add.s(3).then(stage)),
    ]
    for circle in circles:
        with pytest.raises(HueyException, match="cannot follow itself"):
            circle()
    head.error(stage)
    with pytest.raises(HueyException, match="cannot follow itself"):
        head.error(stage)
    assert [task.args for task in head.stages()] == [(1,), (2,)]


async def test_handle_in_the_place_of_a_value_is_told_to_be_awaited(app: App) -> None:
    result = await app.add(1)
    with pytest.raises(TaskArgumentError, match=r"Result .*await it"):
        app.add(result)
    with pytest.raises(TaskArgumentError, match="not the task"):
        app.add(app.add)
    coroutine = plain_async()
    with pytest.raises(TaskArgumentError, match="await it"):
        app.add(coroutine)
    coroutine.close()


async def plain_async() -> None: ...


async def test_blocking_call_on_a_loop_names_both_forms(app: App) -> None:
    with pytest.raises(
        HueyException, match=r"^huey\.count: .*`await huey\.count\(\.\.\.\)`.*`await huey\.aio\.count\(\.\.\.\)`"
    ):
        app.huey.sync.count()


@pytest.mark.parametrize("wrong", ["sqlite", 5, None])
def test_storage_class_is_a_class(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="storage_class"):
        Huey("mistakes", storage_class=wrong)


def test_nothing_warns_of_what_is_meant() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MemoryHuey().task(retries=1, priority=2, settings={"team": "billing"})(plain)
