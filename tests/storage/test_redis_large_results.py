"""A result that the server cuts the connection for: it alone fails, and says why."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator

import pytest
from tests.conftest import EACH_SERVER, SERVERS
from tests.support.patience import until
from tests.support.servers import Server

from hueyio import RedisHuey, ResultGroup, TaskException


@pytest.fixture(params=EACH_SERVER)
def small_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Run a server that takes commands of up to 2 MB."""
    server = Server(SERVERS[request.param], "--client-query-buffer-limit", "2mb")
    server.start()
    try:
        yield server
    finally:
        server.dispose()


async def test_result_that_breaks_the_connection_fails_alone(
    small_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    huey = RedisHuey("large", url=small_server.url)

    @huey.task(retries=5)
    async def produce(size: int) -> bytes:
        return b"x" * size

    began = time.monotonic()
    async with huey, huey.create_consumer():
        small = await produce.map([(1,)] * 50)
        large = await produce(5_000_000)
        more = await produce.map([(1,)] * 50)
        with pytest.raises(TaskException, match="the outcome cannot be stored"):
            await large
        assert await small == await more == [b"x"] * 50
        assert await (await produce(2)) == b"xx"
    print(f"over after {time.monotonic() - began:.1f} s")
    warnings = [it for it in caplog.records if it.levelno >= logging.WARNING]
    assert len(warnings) < 15, [it.message for it in warnings]


async def test_large_result_comes_whole_whatever_reads_it_and_when(server: Server) -> None:
    """Scripts leave it out, and it is read by itself."""
    huey = RedisHuey("large-reads", url=server.url)

    @huey.task
    async def produce(size: int, wait: bool) -> bytes:
        if wait:
            await begun.wait()
        return b"x" * size

    begun = asyncio.Event()
    async with huey, huey.create_consumer():
        ready = list(await produce.map([(size, False) for size in (10, 70_000, 70_000, 70_000, 1_000_000)]))
        await ready[0].get(blocking=True, preserve=True)
        for it in ready:
            await until(it.is_ready)
            it.reset()
        waiting = asyncio.ensure_future((await produce(500_000, True)).get(blocking=True))
        begun.set()
        assert len(await waiting) == 500_000
        assert await huey.result(ready[1].id) == b"x" * 70_000
        assert await ready[2].get() == b"x" * 70_000
        assert await ready[4].get(preserve=True) == b"x" * 1_000_000
        assert [len(value) async for value in ResultGroup([ready[3]]).as_completed()] == [70_000]
        assert [len(value) for value in await ResultGroup([ready[0], ready[4]])] == [10, 1_000_000]
        assert await huey.result_count() == 0
