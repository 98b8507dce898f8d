"""Callers that are cancelled while their call is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import Any

from hueyio.storage.records import Finish
from hueyio.testing.storage.conformance.basis import Basis, Connect
from hueyio.testing.storage.conformance.worker import PATIENCE, Worker, make_entries, make_entry, start_waiting

__all__ = ["Interrupting"]

TIMES = 150


class Interrupting(Basis):
    """A write happens wholly or not at all, whatever becomes of its caller; a wait loses nothing."""

    async def test_cancelled_enqueue_adds_all_or_nothing(self, worker: Worker) -> None:
        chance = Random(1)
        for index in range(TIMES):
            pair = [make_entry(f"{index}a", expects=(f"{index}x",)), make_entry(f"{index}b", lane="thread")]
            acknowledged = await _interrupt(worker.session.enqueue(pair), chance)
            first, second, third = [
                it.state for it in await worker.session.locate([f"{index}a", f"{index}b", f"{index}x"])
            ]
            assert (first, second, third) in {("queued", "queued", "expected"), ("unknown",) * 3}
            assert not acknowledged or first == "queued"
        pairs = [make_entry(f"{index}{letter}") for index in range(TIMES) for letter in "ab"]
        await worker.session.enqueue(pairs)
        claimed = await worker.claim_ids(loop=3 * TIMES, thread=3 * TIMES)
        assert sorted(claimed) == sorted(entry.header.id for entry in pairs)

    async def test_cancelled_claim_loses_nothing(self, worker: Worker) -> None:
        chance = Random(2)
        entries = make_entries(TIMES)
        await worker.session.enqueue(entries)
        finished: list[str] = []
        for _ in range(TIMES // 2):
            await _interrupt(worker.session.claim({"loop": 3}, worker.owner), chance)
            finished += await _finish_held(worker)
        async with asyncio.timeout(PATIENCE):
            while len(finished) < TIMES:
                await worker.claim(loop=10)
                finished += await _finish_held(worker)
        assert sorted(finished) == sorted(entry.header.id for entry in entries)

    async def test_cancelled_settle_is_repeated_safely(self, worker: Worker) -> None:
        chance = Random(3)
        await worker.session.enqueue(make_entries(2 * TIMES))
        for index in range(TIMES):
            one, two = await worker.claim(loop=2, thread=0)
            batch = [
                Finish(one.receipt, one.data, follow_ups=(make_entry(f"next{index}", lane="thread"),)),
                Finish(two.receipt, two.data),
            ]
            worker.number += 1
            await _interrupt(worker.session.settle(batch, worker.owner, worker.number), chance)
            assert await worker.session.settle(batch, worker.owner, worker.number) == ["accepted", "accepted"]
        counts = await worker.session.counts()
        assert (counts.results, counts.running, counts.queued["thread"]) == (2 * TIMES, 0, TIMES)

    async def test_cancelled_waits_are_told_or_never_were(self, worker: Worker, connect: Connect) -> None:
        chance = Random(4)
        client = await connect()
        for index in range(TIMES):
            delivery = await worker.take_one(f"t{index}")
            stays = await start_waiting(client, f"t{index}")
            await asyncio.gather(
                _interrupt(client.await_outcomes([f"t{index}"]), chance),
                worker.finish(delivery, result=b"result"),
            )
            async with asyncio.timeout(PATIENCE):
                assert (await stays)[0].data == b"result"


async def _interrupt(operation: Coroutine[Any, Any, Any], chance: Random) -> bool:
    """Cancel an operation at a random point of its way; say whether it had answered before."""
    running = asyncio.create_task(operation)
    match chance.randrange(3):
        case 0:
            for _ in range(chance.randrange(6)):
                await asyncio.sleep(0)
        case 1:
            await asyncio.sleep(chance.random() * 0.0005)
        case _:
            await asyncio.sleep(chance.random() * 0.002)
    running.cancel()
    await asyncio.wait([running])
    return not running.cancelled() and running.exception() is None


async def _finish_held(worker: Worker) -> list[str]:
    deliveries = await worker.session.held(worker.owner)
    await worker.finish(*deliveries)
    return [it.receipt.id for it in deliveries]
