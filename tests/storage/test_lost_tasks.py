"""Waiters for tasks that a server forgets: each ends, by the value or by TaskLost, and none by None.

``HUEYIO_TEST_WAITERS`` says how many wait.
"""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Iterator
from typing import Any, Final

import pytest
import redis
from tests.conftest import EACH_SERVER, SERVERS
from tests.support.servers import Server

from hueyio import Huey, RedisHuey, Result, TaskLost

WAITERS: Final = int(os.environ.get("HUEYIO_TEST_WAITERS", "30"))
PATIENCE: Final = 30.0
"""Seconds after which every wait must have ended."""


@pytest.fixture(params=EACH_SERVER)
def own_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Run a server that nobody else uses; it keeps nothing on disk."""
    server = Server(SERVERS[request.param])
    server.start()
    yield server
    server.dispose()


def forget(server: Server, how: str) -> None:
    """Have a server forget everything."""
    if how == "restart":
        server.kill()
        server.start()
    else:
        with redis.Redis.from_url(server.url) as client:
            client.flushall()


async def wait(huey: Huey, result: Result[int], number: int, begun: asyncio.Semaphore) -> Any:
    """Wait in one of three ways; return the value or the error.

    Who has the id alone must have seen the task: of one that was never heard of, it may yet be enqueued.
    """
    handle: Any = huey.result_of(result.id) if number % 3 == 2 else result
    if number % 3 == 2:
        await handle.status()
    begun.release()
    try:
        return await (handle.get(blocking=True, timeout=300) if number % 3 else handle)
    except TaskLost as error:
        return error


@pytest.mark.parametrize("how", ["restart", "flush"])
async def test_every_wait_ends_by_a_value_or_by_task_lost_when_a_server_forgets(own_server: Server, how: str) -> None:
    name = uuid.uuid4().hex
    huey, runner = RedisHuey(name, url=own_server.url), RedisHuey(name, url=own_server.url)
    gate = asyncio.Event()

    async def work(number: int) -> int:
        if number >= WAITERS // 3:
            await gate.wait()
        return number + 1000

    call = huey.task(name="work")(work)
    runner.task(name="work")(work)
    async with huey, runner, runner.create_consumer(workers=20):
        results = await call.map(range(WAITERS))
        begun = asyncio.Semaphore(0)
        waits = [asyncio.create_task(wait(huey, result, number, begun)) for number, result in enumerate(results)]
        for _ in waits:
            await begun.acquire()
        await asyncio.wait(waits[: WAITERS // 3])
        forget(own_server, how)
        began = time.monotonic()
        gate.set()
        endings = await asyncio.wait_for(asyncio.gather(*waits), 4 * PATIENCE)
        seconds = time.monotonic() - began
        assert endings[: WAITERS // 3] == [number + 1000 for number in range(WAITERS // 3)]
        assert {type(ending) for ending in endings[WAITERS // 3 :]} == {TaskLost}
        assert seconds < PATIENCE
        assert await results[-1].status() == "unknown"
        print(f"{how}: {WAITERS} waits ended within {seconds:.1f} s")
