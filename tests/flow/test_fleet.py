"""Many consumers and producers on one queue, and who can be seen of them."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

from hueyio import Huey
from hueyio.core import core_of
from tests.support.patience import until


async def test_consumers_say_who_they_are_and_what_they_hold(huey: Huey) -> None:
    let_go = asyncio.Event()

    @huey.task()
    async def wait() -> None:
        await let_go.wait()

    assert await huey.consumers() == []
    begun = datetime.now(UTC)
    async with huey.create_consumer(workers=3, threads=2, lease=30):
        results = [await wait() for _ in range(2)]

        async def holds_both() -> bool:
            return [it.running for it in await huey.consumers()] == [2]

        await until(holds_both)
        (found,) = await huey.consumers()
        assert (found.host, found.pid, found.lease) == (socket.gethostname(), os.getpid(), 30)
        assert (found.slots["loop"], found.slots["thread"]) == (3, 2)
        assert abs((found.started - begun).total_seconds()) < 30
        assert 0 <= found.silence < 30
        async with huey.create_consumer():
            assert len({it.id for it in await huey.consumers()}) == 2
        assert [it.id for it in await huey.consumers()] == [found.id]
        let_go.set()
        for result in results:
            await result
    assert await huey.consumers() == []


async def test_owner_that_is_no_consumer_is_not_listed(huey: Huey) -> None:
    session = await core_of(huey).session()
    for number, info in enumerate((b"", b"\xff", b"[]", b'"a"', b"null", b'{"host": 1}', b'{"slots": []}')):
        await session.register(f"owner {number}", info)
    assert await huey.consumers() == []


async def test_heartbeats_end_the_silence(huey: Huey) -> None:
    async with huey.create_consumer(lease=0.3):
        seen: list[float] = []

        async def has_been_silent_and_heard_again() -> bool:
            seen.extend([it.silence for it in await huey.consumers()])
            return any(after < before for before, after in pairwise(seen))

        await until(has_been_silent_and_heard_again)


async def test_many_consumers_run_each_task_once(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    runs: Counter[int] = Counter()

    @huey.task()
    async def note(number: int) -> None:
        runs[number] += 1

    async with huey:
        consumers = [huey.create_consumer(workers=3) for _ in range(8)]
        await asyncio.gather(*(it.start() for it in consumers))
        group = await note.map(range(400))
        await group
        for it in consumers:
            it.stop()
        await asyncio.gather(*(it.wait_stopped() for it in consumers))
        assert runs == Counter(range(400))
        assert await huey.count() == 0


async def test_two_consumers_in_one_loop_share_the_work(huey: Huey) -> None:
    meeting = asyncio.Barrier(2)

    @huey.task
    async def meet() -> int:
        await meeting.wait()
        return 1

    # Each consumer takes one at a time, so that two that meet are on two consumers.
    async with huey.create_consumer(workers=1, prefetch=0), huey.create_consumer(workers=1, prefetch=0):
        await asyncio.sleep(0)
        assert await (await meet.map([()] * 4)) == [1] * 4
