"""Workers on hosts whose clocks are an hour apart: they agree on the server's."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from tests.support.servers import Server
from tests.workers.process import Bench, bench
from tests.workers.test_ticks import fired

HOUR: Final = 3600
TICKS: Final = 4


@pytest.fixture
def workers(server: Server) -> Iterator[Bench]:
    source = f"hueyio.RedisHuey({uuid.uuid4().hex!r}, url={server.url!r})"
    with bench({"HUEYIO_TEST_HUEY": source, "HUEYIO_TEST_TICKS": "1"}) as made:
        yield made


async def test_workers_whose_clocks_differ_run_nothing_early_expire_nothing_and_fire_each_tick_once(
    workers: Bench, app: Any
) -> None:
    environment = workers.environment
    fleet = []
    for ahead in (HOUR, -HOUR, 0):
        workers.environment = {**environment, "HUEYIO_TEST_CLOCK_AHEAD": str(ahead)}
        fleet.append(workers.start("-v"))
    workers.environment = environment

    def moment(seconds: float) -> datetime:
        return datetime.fromtimestamp(time.time() + seconds, UTC)

    async with app.huey:
        early = [await app.add.schedule((1, at), eta=moment(HOUR / 2)) for at in range(20)]
        due = [await app.add.schedule((1, at), eta=moment(-HOUR / 2)) for at in range(20)]
        valid = [await app.add.options(expires=moment(HOUR / 2))(1, at) for at in range(20)]
        soon = [await app.add.schedule((1, at), delay=0.1, expires=HOUR / 2) for at in range(20)]
        for results in (due, valid, soon):
            assert [await it for it in results] == [1 + at for at in range(20)]
        first = min(fired(fleet), default=int(time.time()))
        await workers.wait_for(lambda: max(fired(fleet), default=0) >= first + TICKS)
        ticks = fired(fleet)
        assert {await it.status() for it in early} == {"scheduled"}
    assert [tick for tick, ids in ticks.items() if len(ids) > 1] == []
    assert set(range(first, first + TICKS)) <= set(ticks)
    assert abs(max(ticks) - time.time()) < 30
    assert [worker.stop() for worker in fleet] == [0, 0, 0]
