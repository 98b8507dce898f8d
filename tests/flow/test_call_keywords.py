"""A keyword of a call has one owner: the function's own parameter, or else the option of that name."""

from __future__ import annotations

import asyncio
import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any, TypedDict, Unpack

import pytest

from hueyio import ConfigurationError, DeclarationWarning, Huey, MemoryHuey, Task, TaskArgumentError
from hueyio.tasks.declared import CALL_KEYWORDS

VALUES: dict[str, Any] = {name: f"the {name}" for name in CALL_KEYWORDS}


def declare(huey: Huey, source: str, **options: Any) -> tuple[Any, list[str]]:
    """Declare the function ``keep`` of a source; return the task, and what the declaration warned of."""
    names: dict[str, Any] = {"__name__": "shop"}
    exec(source, names)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        task = huey.task(**options)(names["keep"])
    assert {one.category for one in caught} <= {DeclarationWarning}
    assert {one.filename for one in caught} <= {__file__}  # where the user reads it
    return task, [str(one.message) for one in caught]


def run_sync(call: Callable[[], Any]) -> Any:
    return call().get(blocking=True, timeout=30)


@pytest.mark.parametrize("name", sorted(CALL_KEYWORDS))
@pytest.mark.parametrize("kind", ["async def", "def"])
async def test_parameter_named_like_an_option_gets_the_value_in_every_form_of_a_call(kind: str, name: str) -> None:
    huey = MemoryHuey("keywords", immediate=True)
    keep, told = declare(huey, f"{kind} keep(host, *, {name}=5.0):\n    return [host, {name}]\n")
    assert len(told) == 1
    assert name in told[0]
    assert "option" in told[0]
    given, expected = {name: VALUES[name]}, ["h", VALUES[name]]
    assert await (await keep("h", **given)) == expected
    assert await (await keep.options(priority=1)("h", **given)) == expected
    assert await (await keep.schedule(("h",), given, delay=0)) == expected
    assert await (await huey.enqueue(keep.s("h", **given))) == expected
    assert keep.s("a").then(keep, **given).on_complete.kwargs == given
    assert keep.s("a").error(keep, **given).on_error.kwargs == given
    assert await asyncio.to_thread(run_sync, lambda: keep.sync("h", **given)) == expected
    other = sorted(CALL_KEYWORDS - {name, "id", "eta", "delay", "expires"})[0]
    assert getattr(keep.s("h", **given, **{other: 3}), other) == 3  # the others stay options


@pytest.mark.parametrize("name", ["self", "task", "args", "kwargs", "connection", "func", "huey"])
async def test_parameter_may_have_any_name(name: str) -> None:
    huey = MemoryHuey("keywords", immediate=True)
    keep, told = declare(huey, f"async def keep(host, {name}=None):\n    return [host, {name}]\n")
    assert told == []
    given, expected = {name: 7}, ["h", 7]
    assert await (await keep("h", **given)) == expected
    assert await (await keep.options(priority=1)("h", **given)) == expected
    assert await (await huey.enqueue(keep.options().s("h", **given))) == expected
    assert await keep.call_local("h", **given) == expected
    assert keep.s("a").then(keep, **given).on_complete.kwargs == given
    assert await asyncio.to_thread(run_sync, lambda: keep.sync("h", **given)) == expected


async def test_name_that_only_any_keyword_could_take_stays_an_option() -> None:
    huey = MemoryHuey("keywords", immediate=True)
    keep, told = declare(huey, "async def keep(**context):\n    return context\n")
    assert len(told) == 1
    assert "options: delay, eta" in told[0]
    assert await (await keep(id="mine", user=5)) == {"user": 5}
    assert await (await keep.options(id="other")(id="mine", user=5)) == {"id": "mine", "user": 5}
    assert await (await keep.schedule((), {"id": "mine"}, delay=0)) == {"id": "mine"}


class Fields(TypedDict, total=False):
    id: str
    user: int


async def test_declaration_warns_of_any_keyword_only_where_an_option_could_be_meant() -> None:
    huey = MemoryHuey("keywords", immediate=True)

    async def ignore(*_: Any, **__: Any) -> None: ...

    async def keep(**fields: Unpack[Fields]) -> Fields:
        return fields

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        huey.task(ignore)
    with pytest.warns(DeclarationWarning, match="its parameter 'id'") as caught:
        kept = huey.task(keep)
    assert len(caught) == 1
    assert await (await kept(id="mine", user=5)) == {"id": "mine", "user": 5}
    assert kept.s(user=5, priority=2).priority == 2


def with_session(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return function("SESSION", *args, **kwargs)

    return inner


def with_keyword(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def inner(*args: Any, **kwargs: Any) -> Any:
        value = function(*args, session="SESSION", **kwargs)
        return await value if inspect.isawaitable(value) else value

    return inner


class Injecting:
    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function("SESSION", *args, **kwargs)


@pytest.mark.parametrize("decorate", [with_session, with_keyword, Injecting])
@pytest.mark.parametrize("guard", ["none", "above", "below"])
@pytest.mark.parametrize("is_async", [True, False], ids=["async", "def"])
async def test_decorator_that_gives_an_argument_leaves_the_rest_to_the_caller(
    decorate: Callable[..., Any], guard: str, is_async: bool
) -> None:
    if decorate is with_keyword and guard == "below" and not is_async:
        return  # it calls on the loop what the lock lets in from threads only
    huey = MemoryHuey("keywords")

    async def store_async(session: str, x: int, timeout: float = 0) -> list[Any]:
        await asyncio.sleep(0)
        assert guard == "none" or await huey.is_locked("one")
        return [session, x, timeout]

    def store_sync(session: str, x: int, timeout: float = 0) -> list[Any]:
        return [session, x, timeout]

    body: Any = store_async if is_async else store_sync
    if decorate is with_keyword:
        body = _keyword_last(body)
    inside = decorate(huey.lock_task("one")(body) if guard == "below" else body)
    around = huey.lock_task("one")(inside) if guard == "above" else inside
    with pytest.warns(DeclarationWarning, match="'timeout'"):
        store: Any = huey.task(name="store")(around)
    async with huey, huey.create_consumer():
        assert await (await store(1)) == ["SESSION", 1, 0]
        assert await (await store(x=1, timeout=3)) == ["SESSION", 1, 3]
        assert not await huey.is_locked("one")


def _keyword_last(body: Callable[..., Any]) -> Callable[..., Any]:
    """Take the session by keyword, wherever it stands."""
    if inspect.iscoroutinefunction(body):

        async def store_async(x: int, timeout: float = 0, *, session: str) -> Any:
            return await body(session, x, timeout)

        return store_async

    def store_sync(x: int, timeout: float = 0, *, session: str) -> Any:
        return body(session, x, timeout)

    return store_sync


async def test_arguments_are_judged_by_what_is_called() -> None:
    huey = MemoryHuey("keywords", immediate=True)

    def only_x(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def inner(x: int) -> Any:
            return function("SESSION", x)

        return inner

    @huey.task
    @only_x
    def store(session: str, x: int) -> list[Any]:
        return [session, x]

    call: Any = store
    assert await (await call(1)) == ["SESSION", 1]
    assert await (await call(x=2)) == ["SESSION", 2]
    for wrong in ((1, 2), ()):
        with pytest.raises(TaskArgumentError, match=r"\(x: "):
            call(*wrong)


async def test_periodic_task_may_get_its_argument_from_a_decorator() -> None:
    huey = MemoryHuey("keywords", immediate=True)

    @huey.periodic_task(lambda moment: True)
    @with_session
    def clean(session: str) -> str:
        return session

    assert await (await huey.enqueue(clean.s())) is None
    with pytest.raises(ConfigurationError, match="without arguments"):
        huey.periodic_task(lambda moment: True)(lambda x: x)


async def test_context_is_given_to_what_is_called_or_refused() -> None:
    huey = MemoryHuey("keywords", immediate=True)

    def plain(function: Callable[..., Any]) -> Callable[..., Any]:
        return functools.wraps(function)(lambda *args, **kwargs: function(*args, **kwargs))

    async def first(task: Task, x: int) -> list[Any]:
        return [task.id, x]

    def last(session: str, x: int, task: Task | None = None) -> list[Any]:
        assert task is not None
        return [task.id, session, x]

    one: Any = huey.task(context=True)(plain(first))
    two: Any = huey.task(context=True)(with_session(last))
    result = await one(1)
    assert await result == [result.id, 1]
    result = await two(1)
    assert await result == [result.id, "SESSION", 1]
    with pytest.raises(ConfigurationError, match="parameter named task"):
        huey.task(context=True, name="none")(lambda x: x)


class Generating:
    def __call__(self) -> Any:
        yield 1


async def _generate(a: int) -> Any:
    yield a


@pytest.mark.parametrize("function", [functools.partial(_generate, 3), _generate, Generating(), Generating().__call__])
def test_generator_is_refused_however_it_is_called(function: Any) -> None:
    huey = MemoryHuey()
    with pytest.raises(ConfigurationError, match="generator"):
        huey.task(name="generate")(function)
    with pytest.raises(ConfigurationError, match="generator"):
        huey.task(name="generate")(huey.lock_task("one")(function))


def test_partial_needs_a_name_whatever_is_around_it() -> None:
    huey = MemoryHuey()
    part: Any = functools.partial(max, 3)
    for declare_part in (huey.task, huey.context_task(asyncio.Lock), lambda it: huey.task(huey.lock_task("one")(it))):
        with pytest.raises(ConfigurationError, match="name="):
            declare_part(part)


async def test_callables_of_all_kinds_run_inside_of_a_context_manager_and_a_lock() -> None:
    huey = MemoryHuey("keywords", immediate=True)

    class Double:
        def twice(self, number: int) -> int:
            return 2 * number

        async def __call__(self, number: int) -> int:
            await asyncio.sleep(0)
            assert await huey.is_locked("one")
            return 2 * number

    double: Any = huey.task(name="object")(huey.lock_task("one")(Double()))
    method: Any = huey.context_task(asyncio.Lock, name="method")(Double().twice)
    builtin: Any = huey.task(name="builtin")(max)
    cached: Any = huey.task(name="cached")(functools.cache(lambda number: 2 * number))
    assert [await (await task(4)) for task in (double, method, cached)] == [8, 8, 8]
    assert await (await builtin(3, 5)) == 5
    with pytest.raises(TaskArgumentError):
        cached(1, 2)
