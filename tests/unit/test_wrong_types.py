"""Every public call with values of wrong types: what it raises speaks of public things, and is raised on purpose.

A value that is taken is no fault here: tests of each option say what must be refused. A fault is an exception whose
text has a private name, and one that a line of hueyio's did not raise but was broken by.
"""

from __future__ import annotations

import asyncio
import inspect
import linecache
import re
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import pytest

import hueyio
from hueyio import (
    BaseStorage,
    BlackHoleHuey,
    ConsumerOptions,
    FileHuey,
    Huey,
    Inspector,
    JSONSerializer,
    MemoryHuey,
    RateLimit,
    RedisHuey,
    Semaphore,
    Serializer,
    SignedSerializer,
    SqliteHuey,
    Task,
    TaskLock,
    chord,
    crontab,
    group,
)

SOURCE = str(Path(hueyio.__file__).parent)
PRIVATE = re.compile(r"(?<![\w'\"`=/<])(?<!\.\.\.)_[a-z]\w*|<locals>|\bCore\b|\bTaskSpec\b|\bReader\b|\bProducer\b")
"""Names that only hueyio's own code has; not those in the repr of a value that was given, and no "..._by_id"."""


def plain(x: Any = None) -> Any:
    return x


async def coroutine_function() -> None: ...


class Thing:
    """Something that hueyio has never heard of."""

    def __repr__(self) -> str:
        return "a thing"


class Failure(NamedTuple):
    call: str
    error: str


class Fuzz:
    """One Huey, what can be called of it, and what calls of it have shown."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.huey: Any = MemoryHuey("wrong")
        self.add: Any = self.huey.task(name="add")(plain)
        self.calls = 0
        self.failures: list[Failure] = []

    async def begin(self) -> None:
        self.result = await self.add(1)
        self.group = await self.add.map([1, 2])
        self.right = self.make_right()
        self.wrong = [
            *(None, "text", "", 5, -1, 1.5, float("nan"), 10**30, True, b"bytes", [1], (), {"a": 1}, {1}),
            *(Thing(), Thing, plain, coroutine_function, "\ud800", timedelta(days=-1), datetime(2024, 1, 1)),
            *(self.add, self.add.s(1), self.result, self.group, self.huey, crontab("0"), self.add.sync),
        ]

    def make_right(self) -> dict[str, Any]:
        """Return arguments that are right, by the names of parameters; one is wrong at a time."""
        texts = ("name", "key", "lock_name", "task_id", "id", "secret", "filename", "path", "line", "cause", "text")
        return {
            **dict.fromkeys(texts, "text"),
            **dict.fromkeys(("func", "hook", "receiver", "middleware", "function"), plain),
            **dict.fromkeys(("size", "limit", "per", "delay", "minute", "burst"), 1),
            **dict.fromkeys(("validate_datetime", "times"), crontab("0")),
            **dict.fromkeys(("timestamp", "eta", "moment"), datetime(2024, 1, 1)),
            **{name: [self.add.s(1)] for name in ("tasks", "it")},
            "args": (1,),
            "kwargs": {},
            "data": b"data",
            "value": 1,
            "callback": self.add,
            "obj": asyncio.Lock,
            "task": self.add.s(1),
            "huey": self.huey,
            "fraction": 0.5,
            "settings": {},
            "state": "ready",
            "ids": ["a"],
            "storage": self.huey.storage,
        }

    async def try_all(self, name: str, called: Callable[..., Any], skipped: frozenset[str] = frozenset()) -> None:
        """Call it once for each parameter and wrong value, the others being right."""
        needed = dict(_required(called))
        for parameter, positional in _parameters(called):
            if parameter in skipped:
                continue
            for value in self.wrong:
                given = {it: self.right.get(it) for it, required in needed.items() if required}
                if "timeout" in needed:
                    given["timeout"] = 0.001
                args = [value] if positional else []
                kwargs = given if positional else {**given, parameter: value}
                await self.try_one(f"{name}({parameter}=", called, args, kwargs, value)

    async def try_one(
        self, name: str, called: Callable[..., Any], args: list[Any], kwargs: dict[str, Any], value: Any
    ) -> None:
        self.calls += 1
        try:
            async with asyncio.timeout(0.2):
                given = called(*args, **kwargs)
                if given is not value:  # some hand back what they get
                    await _finish(given)
        except Exception as error:  # whatever is raised is what this is about
            fault = self.judge(error)
            if fault:
                self.failures.append(Failure(f"{name}{value!r:.60})", f"{fault}: {type(error).__name__}: {error}"))

    def judge(self, error: BaseException) -> str | None:
        """Say what is wrong about an exception."""
        found = PRIVATE.search(str(error))
        if found is not None:
            return f"private name {found[0]!r}"
        frame, line = _last_line(error.__traceback__)
        if frame == __file__ or line.startswith("raise "):
            return None
        return f"broken at {frame.removeprefix(SOURCE)}: {line}"


def _parameters(called: Callable[..., Any]) -> Iterator[tuple[str, bool]]:
    for parameter in inspect.signature(called).parameters.values():
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            yield parameter.name, False
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
            yield parameter.name, True


def _required(called: Callable[..., Any]) -> Iterator[tuple[str, bool]]:
    for parameter in inspect.signature(called).parameters.values():
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            yield parameter.name, parameter.default is parameter.empty


async def _finish(value: Any) -> None:
    """Do what a caller would do with what a call gave."""
    if inspect.isawaitable(value):
        value = await value
    if type(value).__name__.endswith("Decorator") or inspect.isfunction(value):
        value(fresh)
    if isinstance(value, AsyncIterator):
        async for _ in value:
            break


def _last_line(trace: TracebackType | None) -> tuple[str, str]:
    assert trace is not None
    while trace.tb_next is not None:
        trace = trace.tb_next
    file = trace.tb_frame.f_code.co_filename
    return file, linecache.getline(file, trace.tb_lineno).strip()


ENDLESS = {"as_completed", "updates", "from_url"}
INSIDE = {
    "begin_run",
    "belong",
    "cancel_run",
    "count_anew",
    "inherit",
    "enter",
    "leave",
    "within",
    "func",
    "call_local",
}
"""What hueyio calls of these itself, or calls of the user's own function."""
"""What waits for a task that nobody runs, or for a server."""


def fresh(task: Any = None) -> Any:
    return task


@pytest.fixture
async def fuzz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fuzz]:
    monkeypatch.chdir(tmp_path)
    made = Fuzz(tmp_path)
    await made.begin()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield made
    await made.huey.close()


def methods_of(thing: Any) -> list[tuple[str, Callable[..., Any]]]:
    found = [
        (name, getattr(thing, name)) for name in dir(thing) if not name.startswith("_") and name not in ENDLESS | INSIDE
    ]
    return [(name, it) for name, it in found if inspect.ismethod(it) or inspect.isfunction(it)]


async def test_wrong_types_are_answered_in_public_words(fuzz: Fuzz) -> None:
    huey, add = fuzz.huey, fuzz.add
    things: dict[str, Any] = {
        "huey": huey,
        "add": add,
        "add.options()": add.options(),
        "add.s()": add.s(1),
        "result": fuzz.result,
        "results": fuzz.group,
        "by_name": huey.by_name("shop.send"),
        "schedules": huey.schedules(),
        "lock": huey.lock_task("one"),
        "semaphore": huey.limit("pool", 2),
        "rate_limit": huey.rate_limit("rate", 2, 1),
        "crontab": crontab("0"),
        "group": group([add.s(1)]),
        "chord": chord([add.s(1)], add),
        "serializer": Serializer(),
        "json": JSONSerializer(),
        "signed": SignedSerializer("secret"),
        "inspector": Inspector(huey.storage),
        "storage": BaseStorage(huey.storage),
    }
    for name, thing in things.items():
        for method, called in methods_of(thing):
            await fuzz.try_all(f"{name}.{method}", called)
        if callable(thing) and not isinstance(thing, Huey):
            await fuzz.try_all(name, thing)
    shared = frozenset(inspect.signature(Huey).parameters)
    for preset in (MemoryHuey, SqliteHuey, FileHuey, RedisHuey, BlackHoleHuey):
        await fuzz.try_all(preset.__name__, preset, shared)
    limits, serializers, canvas = (TaskLock, Semaphore, RateLimit), (Serializer, SignedSerializer), (group, chord)
    for cls in (Huey, ConsumerOptions, Task, crontab, Inspector, BaseStorage, *limits, *serializers, *canvas):
        await fuzz.try_all(cls.__name__, cls)
    shown = "\n".join(f"{it.call}: {it.error}" for it in fuzz.failures)
    assert not fuzz.failures, f"{len(fuzz.failures)} of {fuzz.calls} calls\n{shown}"
    assert fuzz.calls > 5000
