"""Receivers of signals: what they hear of each task, and what they can do to a consumer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hueyio import Huey


async def test_receivers_hear_of_each_step(huey: Huey) -> None:
    heard: list[str] = []
    retried = asyncio.Event()

    @huey.signal()
    def listen(name: str, task: Any, *args: Any) -> None:
        heard.append(name)

    @huey.signal("complete")
    async def done(name: str, task: Any) -> None:
        assert await huey.result_of(task.id).status() == "done"
        retried.set()

    @huey.signal("executing")
    def fail_too(name: str, task: Any) -> None:
        raise ValueError("receivers may fail")

    attempts: list[int] = []

    @huey.task(retries=1)
    async def flaky() -> int:
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError
        return 1

    async with huey.create_consumer():
        result = await flaky()
        await retried.wait()
        assert await result == 1
    assert [name for name in heard if name != "enqueued"] == [
        "executing",
        "error",
        "retrying",
        "executing",
        "complete",
    ]
    assert heard.count("enqueued") == 2


async def test_receivers_hear_of_tasks_that_are_not_run(huey: Huey) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    @huey.signal("revoked", "expired", "interrupted")
    async def hear(signal: str, task: Any) -> None:
        await heard.put(signal)

    started = asyncio.Event()

    @huey.task
    async def work() -> None:
        started.set()
        await asyncio.Event().wait()

    revoked = await work()
    await revoked.revoke()
    async with huey.create_consumer(shutdown_timeout=0):
        assert await heard.get() == "revoked"
        await work.options(expires=0)()
        assert await heard.get() == "expired"
        await work()
        await started.wait()
    assert await heard.get() == "interrupted"


@pytest.mark.parametrize("kind", [asyncio.CancelledError, SystemExit, KeyboardInterrupt])
async def test_receiver_that_raises_anything_changes_nothing(huey: Huey, kind: type[BaseException]) -> None:
    @huey.signal("executing")
    def thrower(signal: str, task: Any) -> None:
        raise kind

    @huey.task
    async def work() -> int:
        return 1

    async with huey.create_consumer(workers=1):
        assert await (await work()) == 1
        assert await (await work()) == 1
