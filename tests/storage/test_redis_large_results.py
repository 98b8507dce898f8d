"""A result that the server cuts the connection for: it alone fails, and says why."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest
from tests.conftest import EACH_SERVER, SERVERS
from tests.support.servers import Server

from hueyio import RedisHuey, TaskException


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
