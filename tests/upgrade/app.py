"""The app whose queues an earlier hueyio filled: its tasks, and its Huey on each storage.

Whatever changes here (a name, an id, an option) no longer fits what ``filled`` holds; see ``fill.py``.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from hueyio import (
    SKIPPED,
    Error,
    FileHuey,
    Huey,
    JSONSerializer,
    PriorityRedisHuey,
    RateLimitExceeded,
    RedisHuey,
    SignedSerializer,
    SqliteHuey,
    Task,
    TaskRevoked,
    TaskTimeout,
    WorkerLost,
    crontab,
)

__all__ = ["DAYS", "FUTURE", "JSON_VALUES", "PAST", "PICKLED_VALUES", "QUEUES", "App", "Point", "make_objects"]

PAST: Final = datetime(2001, 1, 1, tzinfo=UTC)
FUTURE: Final = datetime(2100, 1, 1, tzinfo=UTC)
DAYS: Final = 86400.0

_SETTINGS: Final[dict[str, Any]] = {"store_none": True, "result_ttl": None}


def _signed() -> SignedSerializer:
    return SignedSerializer("a secret", compression=True)


QUEUES: Final[dict[str, Callable[[str], Huey]]] = {
    "sqlite-pickle": lambda at: SqliteHuey("pickle", filename=at, **_SETTINGS),
    "sqlite-json": lambda at: SqliteHuey("json", filename=at, serializer=JSONSerializer(), **_SETTINGS),
    "sqlite-signed": lambda at: SqliteHuey("signed", filename=at, serializer=_signed(), **_SETTINGS),
    "file-pickle": lambda at: FileHuey("pickle", at, **_SETTINGS),
    "file-json": lambda at: FileHuey("json", at, serializer=JSONSerializer(), **_SETTINGS),
    "file-snapshot": lambda at: FileHuey("snapshot", at, storage_kwargs={"journal_mb": 0}, **_SETTINGS),
    "redis-list": lambda at: RedisHuey("list", url=at, **_SETTINGS),
    "redis-priority": lambda at: PriorityRedisHuey("priority", url=at, **_SETTINGS),
    "redis-json": lambda at: RedisHuey("json", url=at, serializer=JSONSerializer(), **_SETTINGS),
}
"""Each queue of the fixtures; the first word says in which of them it is, the argument where that is."""


@dataclass(frozen=True)
class Point:
    """A class of the user's own, as an argument."""

    x: int
    y: int


JSON_VALUES: Final[tuple[Any, ...]] = (1, 2.5, "täxt", None, True, [1, [2]], {"k": [1]})
PICKLED_VALUES: Final[tuple[Any, ...]] = (*JSON_VALUES, b"bytes", {1, 2}, (3, (4,)), FUTURE, Point(1, 2))


def make_objects() -> list[Any]:
    """Make hueyio's own objects, as a user may have pickled them."""
    metadata = {"error": "no", "retries": 0, "traceback": "", "task_id": "x"}
    return [
        SKIPPED,
        Error(metadata, "failed", ValueError("no")),
        TaskRevoked(metadata),
        WorkerLost(metadata),
        RateLimitExceeded("calls", 1.5, False),
        crontab(minute="5", hour="3", tz="Europe/Paris"),
        Task("echo", (1, 2), {"k": 3}, id="pickled", eta=FUTURE, retries=2),
    ]


def pooled(text: str) -> str:
    """Run in a process."""
    return text


class App:
    """The tasks, declared on one Huey. ``ran`` counts the bodies by what they were told."""

    def __init__(self, huey: Huey) -> None:
        self.huey = huey
        self.ran: Counter[str] = Counter()
        self.ticked = asyncio.Event()
        self.deaths = 0
        """At so many bodies of ``deadly`` and ``holding`` at once the process is killed; 0: never."""
        self._inside = 0
        self.echo = huey.task(name="echo")(self._echo)
        self.join = huey.task(name="join")(self._join)
        self.threaded = huey.task(name="threaded")(self._threaded)
        self.nothing = huey.task(name="nothing")(self._nothing)
        self.fail = huey.task(name="fail")(self._fail)
        self.slow = huey.task(name="slow")(self._slow)
        self.flaky = huey.task(name="flaky", context=True)(self._flaky)
        self.collect = huey.task(name="collect")(self._collect)
        self.values = huey.task(name="values")(self._values)
        self.handle = huey.task(name="handle")(self._handle)
        self.ghost = huey.task(name="ghost")(self._ghost)
        self.lost = huey.task(name="lost", max_deliveries=1)(self._deadly)
        self.suspect = huey.task(name="suspect", max_deliveries=2)(self._deadly)
        self.holding = huey.task(name="holding")(self._holding)
        self.once = huey.task(name="once", at_most_once=True)(self._deadly)
        self.banned = huey.task(name="banned")(self._banned)
        self.banned_once = huey.task(name="banned_once")(self._banned)
        self.only = huey.task(name="only", unique="skip")(self._only)
        self.pooled = huey.task(name="pooled", run_in="process")(pooled)
        self.tick = huey.task(name="tick")(self._tick)
        self.window = huey.rate_limit("window", 2, 3400 * DAYS)
        self.bucket = huey.rate_limit("bucket", 1, 3650 * DAYS, burst=2)
        self.lock = huey.lock_task("held")
        self.places = huey.limit("places", 2, ttl=3650 * DAYS)

    async def _echo(self, *args: Any, **kwargs: Any) -> list[Any]:
        self.ran[f"echo {args} {kwargs}"] += 1
        return [list(args), kwargs]

    async def _join(self, *parts: str) -> str:
        self.ran["join " + "-".join(parts)] += 1
        return "-".join(parts)

    def _threaded(self, a: int, b: int = 0) -> int:
        self.ran[f"threaded {a} {b}"] += 1
        return a + b

    def _nothing(self) -> None:
        self.ran["nothing"] += 1

    async def _fail(self, text: str) -> None:
        self.ran[f"fail {text}"] += 1
        raise ValueError(text) from KeyError("why")

    async def _slow(self) -> None:
        raise TaskTimeout("too slow")

    async def _flaky(self, task: Task, text: str) -> str:
        self.ran[f"flaky {text} {task.attempt}"] += 1
        if task.attempt == 0:
            raise ValueError(f"not yet {text}")
        return text

    async def _collect(self, label: str, values: list[Any]) -> list[str]:
        self.ran[f"collect {label}"] += 1
        return [f"Error {value.metadata['error']}" if isinstance(value, Error) else repr(value) for value in values]

    async def _values(self, values: list[Any]) -> list[Any]:
        return values

    async def _handle(self, label: str, error: Exception) -> None:
        self.ran[f"handle {label}: {type(error).__name__} {error}"] += 1

    async def _ghost(self, *args: Any) -> list[Any]:
        self.ran[f"ghost {args}"] += 1
        return list(args)

    async def _deadly(self, text: str) -> str:
        self.ran[f"deadly {text}"] += 1
        await self._die_perhaps()
        return text

    async def _holding(self, text: str) -> str:
        async with self.huey.lock_task(f"of {text}"), self.places:
            self.ran[f"holding {text}"] += 1
            await self._die_perhaps()
        return text

    async def _banned(self, text: str) -> str:
        self.ran[f"banned {text}"] += 1
        return text

    async def _only(self, number: int, text: str = "") -> int:
        self.ran[f"only {number}"] += 1
        return number

    async def _tick(self, label: str) -> None:
        self.ran[f"tick {label}"] += 1
        self.ticked.set()

    async def _die_perhaps(self) -> None:
        if not self.deaths:
            return
        self._inside += 1
        if self._inside == self.deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.Event().wait()
