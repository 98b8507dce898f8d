"""hueyio with one no-op task."""

from __future__ import annotations

import importlib
import itertools
import os
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import hueyio
from hueyio import Huey, TaskWrapper

__all__ = ["ADDRESS", "Noop", "make_huey"]

_Body: TypeAlias = Callable[..., Any]

ADDRESS = "HUEYIO_BENCH_ADDRESS"
"""The variable in which processes of a pool find where the queue is."""


class Noop:
    """A Huey and its task, which returns its argument, or a text of ``size`` characters.

    ``on_run`` hears how many have run in this process, and ``on_stamp`` the moment of a call, if that is its argument.
    """

    def __init__(
        self, kind: str, address: str, options: dict[str, Any], task: Literal["loop", "thread", "process"] = "loop"
    ) -> None:
        self.on_run: Callable[[int], None] = _ignore
        self.on_stamp: Callable[[float], None] = _ignore
        self.huey: Huey
        self.task: TaskWrapper[..., Any]
        if task == "process":
            os.environ[ADDRESS] = address
            app: Any = importlib.import_module("benchmarks.hueyio_pool_app")  # as the processes will
            self.huey, self.task = app.huey, app.noop
        else:
            self.huey = make_huey(kind, address, options)
            self.task = self.huey.task(name="noop")(self._body(task))

    def _body(self, task: str) -> _Body:
        runs = itertools.count(1)

        async def noop(number: float, size: int = 0, payload: str = "") -> float | str:
            if type(number) is float:
                self.on_stamp(number)
            self.on_run(next(runs))
            return "x" * size if size else number

        def noop_in_thread(number: float, size: int = 0, payload: str = "") -> float | str:
            self.on_run(next(runs))
            return "x" * size if size else number

        return noop if task == "loop" else noop_in_thread


def make_huey(kind: str, address: str, options: dict[str, Any]) -> Huey:
    """Make a Huey on a server or on a file; only what it needs is imported, as in an application."""
    if kind == "redis":
        return hueyio.RedisHuey("bench", url=address, **options)
    if kind == "postgres":
        return hueyio.PostgresHuey("bench", address, **options)
    return hueyio.SqliteHuey("bench", filename=address, **options)


def _ignore(value: float) -> None:
    """Hear and do nothing."""
