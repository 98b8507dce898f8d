"""Dependencies of tasks: made anew for each attempt, each once, and closed after it, in every lane."""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, assert_type

import pytest

from hueyio import ConfigurationError, Huey, MemoryHuey, RetryTask, TaskArgumentError, TaskException, current_task
from hueyio.contrib.depends import Depends, inject
from hueyio.testing import HueyQueue
from tests.contrib import depending_app

Log = list[str]


class Parts:
    """Functions of each kind that give a value, and what was done in them."""

    def __init__(self) -> None:
        self.log: Log = []
        self.threads: dict[str, threading.Thread] = {}

        def plain() -> str:
            self._note("plain")
            return "plain"

        async def coroutine(plain: str = Depends(plain)) -> str:
            self._note("coroutine")
            return f"coroutine of {plain}"

        def generator(plain: str = Depends(plain)) -> Iterator[str]:
            yield from self._opened("generator", f"generator of {plain}")

        async def async_generator(one: str = Depends(generator), two: str = Depends(coroutine)) -> AsyncIterator[str]:
            for value in self._opened("async generator", f"async generator of {one} and {two}"):
                yield value

        self.plain, self.coroutine, self.generator, self.async_generator = plain, coroutine, generator, async_generator

    def _note(self, name: str) -> None:
        self.log.append(f"{name} for attempt {current_task().attempt}")
        self.threads[name] = threading.current_thread()

    def _opened(self, name: str, value: str) -> Iterator[str]:
        self._note(name)
        try:
            yield value
        finally:
            self.log.append(f"{name} closed")


MADE = ["plain", "generator", "coroutine", "async generator"]
CLOSED = ["async generator closed", "generator closed"]


def made_for(attempt: int) -> Log:
    return [f"{name} for attempt {attempt}" for name in MADE]


@pytest.fixture
def parts() -> Parts:
    return Parts()


@pytest.fixture
def huey() -> MemoryHuey:
    return MemoryHuey("shop")


def declare(huey: Huey, parts: Parts, run_in: Any, **options: Any) -> Any:
    """Declare the same task for a lane; its body fails when it is told to."""

    def body(n: int, text: str, plain: str, error: BaseException | None) -> str:
        parts.log.append("body")
        parts.threads["body"] = threading.current_thread()
        if error is not None:
            raise error
        return f"{n} with {text}; {plain}"

    if run_in == "coroutine":

        @huey.task(name="work", **options)  # type: ignore[untyped-decorator]  # as options are
        @inject
        async def work(
            n: int,
            error: BaseException | None = None,
            text: str = Depends(parts.async_generator),
            *,
            plain: str = Depends(parts.plain),
        ) -> str:
            return body(n, text, plain, error)

        return work

    @huey.task(name="work", run_in=run_in, **options)  # type: ignore[untyped-decorator]
    @inject
    def work_sync(
        n: int,
        error: BaseException | None = None,
        text: str = Depends(parts.async_generator),
        *,
        plain: str = Depends(parts.plain),
    ) -> str:
        return body(n, text, plain, error)

    return work_sync


@pytest.mark.parametrize("run_in", ["coroutine", "thread"])
async def test_each_dependency_is_made_once_for_an_attempt_and_closed_after_it(
    huey: MemoryHuey, parts: Parts, run_in: str
) -> None:
    work = declare(huey, parts, run_in, retries=1)
    async with huey, huey.create_consumer(threads=1):
        value = await (await work(1))
        assert value == "1 with async generator of generator of plain and coroutine of plain; plain"
        assert parts.log == [*made_for(0), "body", *CLOSED]
        parts.log.clear()
        with pytest.raises(TaskException):
            await (await work(1, ValueError("broken")))
    assert parts.log == [*made_for(0), "body", *CLOSED, *made_for(1), "body", *CLOSED]
    here, there = threading.current_thread(), parts.threads["body"]
    assert [name for name, thread in parts.threads.items() if thread is not there and thread is not here] == []
    assert (there is here) == (run_in == "coroutine")
    assert parts.threads["async generator"] is here
    assert parts.threads["generator"] is there


@pytest.mark.parametrize("run_in", ["coroutine", "thread"])
async def test_dependencies_are_made_where_tasks_run_at_once(huey: MemoryHuey, parts: Parts, run_in: str) -> None:
    huey.immediate = True
    work = declare(huey, parts, run_in)
    assert (await (await work(2))).startswith("2 with ")
    assert parts.log == [*made_for(0), "body", *CLOSED]
    result = await asyncio.to_thread(work.sync, 3)
    assert (await asyncio.to_thread(result.get)).startswith("3 with ")


async def test_dependencies_are_made_in_a_pool_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUEYIO_TEST_HUEY", f"hueyio.SqliteHuey('p', filename={str(tmp_path / 'app.db')!r})")
    module = importlib.reload(depending_app)
    async with module.huey, module.huey.create_consumer(pool=1, threads=1):
        assert await (await module.work(3)) == "3 of sync, async"
        assert await (await module.seen()) == ["sync", "async", "body", "async closed", "sync closed"]


class Broken:
    """Dependencies that fail in one way or the other."""

    @staticmethod
    def swallows() -> Iterator[int]:
        with suppress(ValueError):
            yield 1

    @staticmethod
    async def replaces() -> AsyncIterator[int]:
        try:
            yield 1
        except ValueError:
            raise KeyError("another") from None

    @staticmethod
    def ends_badly() -> Iterator[int]:
        yield 1
        raise OSError("no commit")

    @staticmethod
    async def cannot_be_made() -> AsyncIterator[int]:
        raise OSError("no connection")
        yield 1


def task_with(huey: Huey, dependency: Callable[..., Any], parts: Parts, run_in: str, error: Exception | None) -> Any:
    """Declare a task that has a dependency around this one, which sees what becomes of it, and is always closed."""

    def body() -> int:
        parts.log.append("body")
        if error is not None:
            raise error
        return 1

    if run_in == "coroutine":

        @huey.task(name="work")
        @inject
        async def work(outer: str = Depends(parts.generator), it: int = Depends(dependency)) -> int:
            return body()

        return work

    @huey.task(name="work")
    @inject
    def work_sync(outer: str = Depends(parts.generator), it: int = Depends(dependency)) -> int:
        return body()

    return work_sync


@pytest.mark.parametrize("run_in", ["coroutine", "thread"])
@pytest.mark.parametrize(
    ("dependency", "error", "expected"),
    [
        (Broken.swallows, ValueError("broken"), "ValueError('broken')"),
        (Broken.replaces, ValueError("broken"), "ValueError('broken')"),
        (Broken.ends_badly, None, "OSError('no commit')"),
        (Broken.cannot_be_made, None, "OSError('no connection')"),
    ],
)
async def test_error_of_the_body_stands_and_else_that_of_the_dependency(
    huey: MemoryHuey,
    parts: Parts,
    run_in: str,
    dependency: Any,
    error: Any,
    expected: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = task_with(huey, dependency, parts, run_in, error)
    with HueyQueue(huey) as queue:
        await work()
        (ran,) = await queue.drain()
    assert (ran.state, repr(ran.error)) == ("failed", expected)
    assert parts.log[-1] == "generator closed"
    assert ("body" in parts.log) == (dependency is not Broken.cannot_be_made)
    logged = [it for it in caplog.records if it.name == "hueyio.contrib.depends.inject"]
    assert len(logged) == (dependency is Broken.replaces)
    assert all(it.levelno == logging.ERROR and it.exc_info for it in logged)


async def test_what_a_body_asks_for_is_heeded_and_seen_by_dependencies(huey: MemoryHuey) -> None:
    seen: list[str] = []

    def watch() -> Iterator[int]:
        try:
            yield 1
        except BaseException as error:
            seen.append(type(error).__name__)
            raise

    @huey.task()
    @inject
    async def again(watched: int = Depends(watch)) -> int:
        if not seen:
            raise RetryTask(delay=0)
        return len(seen)

    @huey.task(timeout=0.05)
    @inject
    async def endless(watched: int = Depends(watch)) -> None:
        await asyncio.Event().wait()

    async with huey, huey.create_consumer():
        assert await (await again()) == 1
        with pytest.raises(TaskException, match="TaskTimeout"):
            await (await endless())
    assert seen == ["RetryTask", "CancelledError"]


def number() -> int:
    return 42


async def test_callers_leave_dependencies_out_and_direct_calls_may_give_them(huey: MemoryHuey, parts: Parts) -> None:
    @huey.task
    @inject
    async def add(
        n: int, m: int = 1, text: str = Depends(parts.async_generator), other: int = Depends(number)
    ) -> tuple[int, str, int]:
        return n + m, text, other

    with pytest.raises(TaskArgumentError, match="text"):
        await add(1, text="given")
    with pytest.raises(TaskArgumentError, match="too many"):
        await add(1, 2, "given")
    assert await add.call_local(1, text="given") == (2, "given", 42)
    assert parts.log == []
    assert list(inspect.signature(add.func).parameters) == ["n", "m"]
    assert assert_type(await add.call_local(1, text="", other=2), tuple[int, str, int]) == (2, "", 2)


def test_types_are_those_of_the_values(parts: Parts) -> None:
    async def coroutine() -> int:
        return 1

    def generator() -> Iterator[float]:
        yield 1.5

    async def async_generator() -> AsyncIterator[bytes]:
        yield b""

    assert_type(Depends(number), int)
    assert_type(Depends(coroutine), int)
    assert_type(Depends(generator), float)
    assert_type(Depends(async_generator), bytes)
    assert_type(Depends(Parts), Parts)


def needs_more(url: str) -> str:
    return url


@contextmanager
def decorated() -> Iterator[int]:
    yield 1


@functools.cache
def cached() -> object:
    return object()


async def test_decorated_function_that_is_no_generator_is_a_dependency(huey: MemoryHuey) -> None:
    huey.immediate = True

    @huey.task()
    @inject
    def same(one: object = Depends(cached)) -> bool:
        return one is cached()

    assert await (await same())


def test_what_cannot_be_filled_is_refused_where_it_is_declared() -> None:
    def first(db: int = Depends(number), n: int = 1) -> None: ...

    def before_slash(db: int = Depends(number), /) -> None: ...

    def no_default(text: str = Depends(needs_more)) -> None: ...

    def manager(it: Any = Depends(decorated)) -> None: ...

    def none(n: int) -> None: ...

    functions: list[tuple[Any, str]] = [
        (first, r"first: db has Depends\(...\); put it behind n"),
        (before_slash, "before_slash: db is filled by its name, so it cannot stand before /"),
        (no_default, "dependency needs_more: missing a required argument: 'url', and nothing gives it"),
        (manager, "dependency decorated: a generator function is one as it is, without @contextmanager"),
        (none, r"@inject: no parameter of .*none has Depends\(...\) of hueyio.contrib.depends as its default"),
    ]
    for function, message in functions:
        with pytest.raises(ConfigurationError, match=message):
            inject(function)
    with pytest.raises(ConfigurationError, match="Depends takes the function that gives the value, not 3"):
        Depends(3)  # type: ignore[call-overload]


async def test_forgotten_inject_is_named_where_the_value_is_used(huey: MemoryHuey) -> None:
    def words() -> list[str]:
        return ["a"]

    @huey.task()
    async def forgotten(words: list[str] = Depends(words)) -> None:
        words.append("b")

    with HueyQueue(huey) as queue:
        await forgotten()
        (ran,) = await queue.drain()
    assert "nothing has filled it; put @inject below @huey.task" in str(ran.error)
