"""The server goes away and comes back, with what it had written."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from hueyio import StorageUnavailable
from tests.conftest import EACH_SERVER, SERVERS
from tests.support.servers import Server
from tests.workers.process import Bench


@pytest.fixture(params=EACH_SERVER)
def durable_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(SERVERS[request.param], "--appendonly", "yes", "--appendfsync", "always")
    server.start()
    yield server
    server.dispose()


@pytest.fixture
def huey_source(durable_server: Server) -> str:
    return f"hueyio.RedisHuey({uuid.uuid4().hex!r}, url={durable_server.url!r})"


async def test_worker_goes_on_when_the_server_is_back(workers: Bench, app: Any, durable_server: Server) -> None:
    worker = workers.start("--lease", "3", "-w", "10")
    async with app.huey:
        idle = await app.add(1, 2)
        assert await idle == 3
        results = list(await app.sleep.map([(0.2, n) for n in range(40)]))
        waiting = asyncio.gather(*results)
        await workers.reached("start", 5)
        durable_server.kill()
        with pytest.raises(StorageUnavailable, match=str(durable_server.port)):
            await app.add(1, 2)
        await asyncio.to_thread(worker.wait_line, "trying again until it works")
        durable_server.start()
        # The worker resumes unaided; a wait that the outage broke is made again.
        try:
            values = await waiting
        except StorageUnavailable:
            values = await asyncio.gather(*(app.huey.result_of(result.id) for result in results))
        assert [value for value in values if value is not None] == [
            number for number, value in enumerate(values) if value is not None
        ]
        assert await (await app.add(3, 4)) == 7
        assert {run.id for run in workers.runs("end")} == {result.id for result in results}
        counts = await app.huey.counts()
        assert (counts.running, sum(counts.queued.values()), counts.dead) == (0, 0, 0)
    assert worker.stop() == 0
