"""Many at a time: more than any limit on arguments, variables or stack that a storage may have below it."""

from __future__ import annotations

import time

from hueyio.storage.contract import Session
from hueyio.storage.records import Requeue
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.worker import Worker, die, make_entries, make_entry, soon

__all__ = ["Batches"]

MANY = 3000


class Batches(Basis):
    """Every operation that takes many takes thousands."""

    async def test_thousands_of_tasks_go_through_in_single_calls(self, worker: Worker) -> None:
        session = worker.session
        entries = make_entries(MANY)
        ids = [entry.header.id for entry in entries]
        assert {it.verdict for it in await session.enqueue(entries)} == {"added"}
        assert {it.verdict for it in await session.enqueue(entries)} == {"alive"}
        assert [it.id for it in await session.locate(ids)] == ids
        deliveries = await worker.claim(loop=2 * MANY)
        assert [it.receipt.id for it in deliveries] == ids
        assert len(await session.held(worker.owner)) == MANY
        assert await session.start([it.receipt for it in deliveries], worker.owner) == [True] * MANY
        await worker.finish(*deliveries, result=b"result", ttl=600.0)
        assert [it.id for it in await soon(session.await_outcomes(ids))] == ids
        assert (await session.counts()).results == MANY

    async def test_thousands_of_tasks_are_scheduled_and_promoted(self, worker: Worker) -> None:
        now = time.time()
        await worker.session.enqueue([make_entry(f"t{i}", eta=now - MANY + i) for i in range(MANY)])
        assert (await worker.session.promote(now, 2 * MANY)).moved == MANY
        assert await worker.claim_ids(loop=MANY) == [f"t{i}" for i in range(MANY)]

    async def test_thousands_of_tasks_are_given_back(self, worker: Worker) -> None:
        await worker.session.enqueue(make_entries(MANY))
        await worker.release(*await worker.claim(loop=MANY))
        assert len(await worker.claim(loop=MANY)) == MANY
        await worker.session.deregister(worker.owner)
        other = await Worker.register(worker.session)
        assert len(await other.claim(loop=MANY)) == MANY
        assert await die(other) == MANY
        third = await Worker.register(worker.session)
        assert {it.receipt.deliveries for it in await third.claim(loop=MANY)} == {1}

    async def test_thousands_of_tasks_are_cancelled_and_buried(self, worker: Worker) -> None:
        session = worker.session
        entries = make_entries(MANY)
        ids = [entry.header.id for entry in entries]
        await session.enqueue(entries)
        deliveries = await session.cancel(ids, worker.owner)
        assert len(deliveries) == MANY
        assert len((await session.notices(worker.owner, None)).cancelled) == MANY
        await worker.bury(*deliveries)
        assert len(await session.dead()) == MANY
        assert await session.requeue([Requeue(id) for id in ids]) == ["added"] * MANY
        await worker.bury(*await worker.claim(loop=MANY))
        assert await session.purge(ids) == MANY

    async def test_thousands_of_follow_ups_come_from_one_task(self, worker: Worker) -> None:
        expects = tuple(f"x{i}" for i in range(MANY))
        keys = {f"k{i}": b"" for i in range(MANY)}
        await worker.session.put("data", keys)
        delivery = await worker.take_one("a", expects=expects)
        assert (await worker.session.counts()).expected == MANY
        deletes = tuple(("data", key) for key in keys)
        await worker.finish(
            delivery, result=b"failed", also=expects, deletes=deletes, follow_ups=tuple(make_entries(MANY))
        )
        counts = await worker.session.counts()
        assert (counts.expected, counts.results, counts.queued["loop"]) == (0, MANY + 1, MANY)
        assert await worker.session.scan_keys("data") == []

    async def test_thousands_of_keys_are_written_read_and_deleted(self, session: Session) -> None:
        keys = [f"k{i}" for i in range(MANY)]
        await session.put("data", {key: key.encode() for key in keys}, ttl=600.0)
        assert await session.peek("data", keys) == [key.encode() for key in keys]
        assert len(await session.scan_keys("data")) == MANY
        assert await session.delete("data", keys) == MANY

    async def test_megabytes_go_through(self, worker: Worker) -> None:
        data = bytes(range(256)) * 8192
        (delivery,) = await worker.take(make_entry("a", data))
        assert delivery.data == data
        await worker.finish(delivery, result=data)
        assert await worker.session.peek("results", ["a"]) == [data]
