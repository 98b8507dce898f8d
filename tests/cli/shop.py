"""A shop: an app in a folder, on a storage, and commands that are run on it, with the app and without."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import pytest

from hueyio import Huey
from hueyio.cli.main import main
from hueyio.consumer.introduction import introduce
from hueyio.consumer.options import ConsumerOptions
from hueyio.core import core_of
from hueyio.storage.contract import Session

__all__ = ["Done", "Shop"]

T = TypeVar("T")

SOURCE: Final = """
import hueyio

huey = {source}

@huey.task(retries=2)
async def mail(to: str, copies: int = 1) -> str:
    return to * copies

@huey.task
def pack(order: int) -> int:
    return order

@huey.periodic_task(hueyio.crontab("0"))
async def sweep() -> None: ...
"""


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as an object."""
        assert self.out, self.err
        return json.loads(self.out)

    @property
    def rows(self) -> list[list[str]]:
        """What it printed, as the lines and columns of a pipe."""
        return [line.split("\t") for line in self.out.splitlines()]


class Shop:
    """``app`` and ``bare`` are the options that say where it is: the one with the code, the other without."""

    def __init__(self, folder: Path, source: str, bare: tuple[str, ...], capture: pytest.CaptureFixture[str]) -> None:
        (folder / "shop.py").write_text(SOURCE.format(source=source))
        self.folder = folder
        self.app = ("-a", "shop:huey")
        self.bare = bare
        self._capture = capture
        self.module: Any = importlib.import_module("shop")
        self.huey: Huey = self.module.huey

    def run(self, *line: str, where: tuple[str, ...] | None = None) -> Done:
        """Run a command in this process, by default without the app."""
        self._capture.readouterr()
        code = main([*line, *(self.bare if where is None else where)])
        told = self._capture.readouterr()
        return Done(code, told.out, told.err)

    def do(self, act: Callable[[Huey], Awaitable[T]]) -> T:
        """Use the app's Huey in a loop of its own."""

        async def within() -> T:
            async with self.huey:
                return await act(self.huey)

        return asyncio.run(within())

    def on_session(self, act: Callable[[Session], Awaitable[T]]) -> T:
        """Use a session of the storage."""
        return self.do(lambda huey: self._on(act))

    async def _on(self, act: Callable[[Session], Awaitable[T]]) -> T:
        return await act(await core_of(self.huey).session())

    def put(self, *calls: Any) -> list[str]:
        """Enqueue calls; return their ids."""

        async def enqueue(huey: Huey) -> list[str]:
            for call in calls:
                await huey.enqueue(call)
            return [call.id for call in calls]

        return self.do(enqueue)

    def register(self, owner: str, **told: Any) -> None:
        """Let there be a worker, as far as the storage knows; ``told`` replaces what it says of itself."""
        slots = {"loop": 2, "thread": 2, "process": 2}
        about = introduce(core_of(self.huey), ConsumerOptions())
        info = {"host": "web-1", "pid": 7, "started": 1.0, "lease": 15.0, "slots": slots, **about, **told}
        self.on_session(lambda session: session.register(owner, json.dumps(info).encode()))

    def claim(self, owner: str, count: int = 1) -> None:
        """Let this worker take tasks of each lane."""
        self.on_session(lambda session: session.claim({"loop": count, "thread": count, "process": count}, owner))
