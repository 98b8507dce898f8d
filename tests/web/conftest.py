"""A queue in which there is something of everything, on each storage."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import pytest

from hueyio import Huey, Task, chord, crontab
from hueyio.consumer.introduction import introduce
from hueyio.consumer.options import ConsumerOptions
from hueyio.core import core_of
from hueyio.storage.contract import Session
from hueyio.storage.records import Bury, Counted
from tests.conftest import EACH_STORAGE, ServerOf
from tests.flow.conftest import maker

MAIL, PACK = f"{__name__}.mail", f"{__name__}.pack"
_OF_PACK: Final = {"done": 5, "failed": 1, "retried": 2, "w10": 5, "ws": 700, "r20": 5, "rs": 5000}

COUNTED: Final = Counted(_OF_PACK, {PACK: 6}, {f"{MAIL}\nValueError: N": 1}, {PACK: _OF_PACK})


class Shop:
    """A Huey with tasks, and what brings them into each state without a consumer."""

    def __init__(self, huey: Huey) -> None:
        self.huey = huey
        self.core = core_of(huey)
        self.mail: Any = huey.task(name="mail", retries=2, retry_delay=60)(self._mail)
        self.pack: Any = huey.task(name="pack")(self._pack)
        self.ship: Any = huey.task(name="ship")(self._fail)
        huey.periodic_task(crontab("0"), name="sweep")(self.pass_by)

    @property
    def base(self) -> str:
        """The address of the queue."""
        return f"/{self.huey.name}"

    async def session(self) -> Session:
        """Return the session of the storage."""
        return await self.core.session()

    async def run(self, count: int = 1) -> None:
        """Take tasks and run them."""
        for _ in range(count):
            task = await self.huey.dequeue()
            assert task is not None
            await self.huey.execute(task)

    async def fail(self, count: int = 1, reason: str = "KeyError('tea')", name: str = MAIL) -> list[str]:
        """Let calls fail for good, and all else that is ready in their lane; return their ids."""
        calls: list[Task] = [self.mail.s("you") for _ in range(count)]
        await self.huey.enqueue_many(calls)
        session = await self.session()
        await session.register("undertaker", b"{}")
        number = 0
        while taken := await session.claim({"loop": 500}, "undertaker"):
            number += 1
            burials = [Bury(it.receipt, reason, b"error", kind="failed", into="failed", name=name) for it in taken]
            await session.settle(burials, "undertaker", number)
        await session.deregister("undertaker")
        return [it.id for it in calls]

    async def register(self, owner: str, **told: Any) -> bytes:
        """Let there be a worker, as far as the storage knows; return what it says of itself."""
        slots = {"loop": 2, "thread": 2, "process": 2}
        about = introduce(self.core, ConsumerOptions())
        said = {"host": "web-1", "pid": 7, "started": 1.0, "lease": 15.0, "slots": slots, "used": {"loop": 1}, **about}
        info = json.dumps({**said, **told}).encode()
        await (await self.session()).register(owner, info)
        return info

    async def fill(self) -> str:
        """Put something of everything into the queue; return the id of a task that runs."""
        session = await self.session()
        await self.fail(3, "ValueError: no such <b>address</b> 17")
        await self.ship()
        await self.run()
        await self.mail("retried")
        await self.run()
        await self.huey.enqueue(chord([self.pack.s(1), self.pack.s(2)], self.pack.s()))
        await self.run()
        await self.pack.options(delay=600)("later")
        await self.register("me")
        (taken,) = await session.claim({"loop": 1}, "me")
        id = taken.receipt.id
        info = await self.register("me", longest=[[id, PACK, 1.0]], block=[PACK, 2.1, time.time()], blocks=1)
        await session.acquire("lock:report", id, 1, 60.0, "me")
        await session.publish("me", 1, info, COUNTED)
        await self.huey.schedules().add("tea", self.pack, "0 16 * * *", args=(2,))
        await self.pack("waits")
        await self.huey.revoke_all(self.mail)
        return id

    async def _mail(self, to: str) -> str:
        raise ValueError(f"no address of {to}")

    async def _pack(self, *what: Any) -> str:
        return f"packed {what}"

    async def _fail(self) -> None:
        raise RuntimeError("the carrier is closed")

    async def pass_by(self) -> None:
        """Do nothing."""


@pytest.fixture(params=["memory", *EACH_STORAGE])
async def shop(request: pytest.FixtureRequest, tmp_path: Path, server_of: ServerOf) -> AsyncIterator[Shop]:
    make: Callable[..., Huey] = maker(request.param, tmp_path, server_of)
    huey = make()
    yield Shop(huey)
    await huey.close()
