"""Tasks that may have killed their consumers: nobody else may suffer from them."""

from __future__ import annotations

import pytest

from hueyio.storage.contract import Session
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.worker import Worker, die, make_entries, make_entry, make_suspects

__all__ = ["Suspects"]


class Suspects(Basis):
    """An entry that has a single delivery left after a reclaim runs alone."""

    async def test_suspect_comes_first_and_alone(self, session: Session) -> None:
        await make_suspects(session, "bad")
        await session.enqueue(make_entries(3))
        assert (await session.counts()).suspects == 1
        assert (await session.locate(["bad"]))[0].state == "queued"
        assert [entry.header.id for entry in await session.scan_tasks("queued")] == ["bad", "t0", "t1", "t2"]
        worker = await Worker.register(session)
        (delivery,) = await worker.claim()
        assert delivery.receipt == (worker.owner, "bad", 2)
        assert await worker.claim() == []
        await worker.finish(delivery)
        assert await worker.claim_ids() == ["t0", "t1", "t2"]
        assert (await session.counts()).suspects == 0

    async def test_suspect_is_not_given_to_an_owner_that_holds_anything(self, session: Session) -> None:
        busy = await Worker.register(session)
        delivery = await busy.take_one("own")
        await make_suspects(session, "bad")
        await session.enqueue([make_entry("t")])
        assert await busy.claim_ids() == ["t"]
        assert await busy.claim_ids() == []
        idle = await Worker.register(session)
        assert await idle.claim_ids() == ["bad"]
        await busy.finish(delivery)

    async def test_each_owner_gets_one_suspect(self, session: Session) -> None:
        await make_suspects(session, "bad", "worse")
        one, two, three = [await Worker.register(session) for _ in range(3)]
        assert sorted(await one.claim_ids() + await two.claim_ids()) == ["bad", "worse"]
        await session.enqueue([make_entry("t")])
        assert await one.claim_ids() + await two.claim_ids() == []
        assert await three.claim_ids() == ["t"]

    async def test_suspect_waits_for_room_in_its_lane(self, session: Session) -> None:
        await make_suspects(session, "bad", lane="thread")
        worker = await Worker.register(session)
        await session.enqueue([make_entry("t")])
        assert await worker.claim_ids(thread=0) == ["t"]
        (delivery,) = await session.held(worker.owner)
        await worker.finish(delivery)
        assert await worker.claim_ids() == ["bad"]

    @pytest.mark.parametrize("how", ["release", "deregister"])
    async def test_suspect_that_is_given_back_stays_one(self, session: Session, how: str) -> None:
        await make_suspects(session, "bad")
        worker = await Worker.register(session)
        (delivery,) = await worker.claim()
        await (worker.release(delivery) if how == "release" else session.deregister(worker.owner))
        assert (await session.counts()).suspects == 1
        await session.enqueue([make_entry("t")])
        assert await (await Worker.register(session)).claim_ids() == ["bad"]

    async def test_counted_releases_make_a_suspect_and_then_use_it_up(self, session: Session) -> None:
        worker = await Worker.register(session)
        await worker.release(await worker.take_one("bad"), counted=True)
        assert (await session.counts()).suspects == 0
        await worker.release(await worker.claim_one(), counted=True)
        assert (await session.counts()).suspects == 1
        await session.enqueue([make_entry("t")])
        (alone,) = await worker.claim()
        assert alone.receipt == (worker.owner, "bad", 2)
        await worker.release(alone, counted=True)
        assert (await session.counts()).suspects == 0
        first, second = await worker.claim()
        assert (first.receipt.id, first.receipt.deliveries, second.receipt.id) == ("bad", 3, "t")

    async def test_suspect_that_ends_its_run_is_none_any_more(self, session: Session) -> None:
        await make_suspects(session, "bad")
        worker = await Worker.register(session)
        await worker.retry(await worker.claim_one(), make_entry("bad"))
        assert (await session.counts()).suspects == 0
        await session.enqueue([make_entry("t")])
        assert sorted(await worker.claim_ids()) == ["bad", "t"]

    async def test_entry_with_a_single_delivery_from_the_start_is_no_suspect(self, session: Session) -> None:
        await session.enqueue(make_entries(2, max_deliveries=1))
        worker = await Worker.register(session)
        (first,) = await worker.claim(loop=1)
        assert await worker.claim_ids(loop=1) == ["t1"]
        await worker.release(first)
        assert (await session.counts()).suspects == 0
        assert await worker.claim_ids() == ["t0"]
        await die(worker)
        assert (await session.counts()).suspects == 0
        other = await Worker.register(session)
        deliveries = await other.claim()
        assert sorted(it.receipt.id for it in deliveries) == ["t0", "t1"]
        assert [it.receipt.deliveries for it in deliveries] == [1, 1]

    async def test_entry_whose_deliveries_are_used_up_comes_for_its_burial(self, session: Session) -> None:
        await make_suspects(session, "bad")
        await session.enqueue(make_entries(2))
        worker = await Worker.register(session)
        assert await worker.claim_ids() == ["bad"]
        await die(worker)
        other = await Worker.register(session)
        first, *rest = await other.claim()
        assert first.receipt == (other.owner, "bad", 3)
        assert [it.receipt.id for it in rest] == ["t0", "t1"]

    async def test_poison_is_found_among_fifty_bystanders(self, session: Session) -> None:
        bystanders = make_entries(50)
        await session.enqueue([*bystanders[:25], make_entry("poison"), *bystanders[25:]])
        survivors: list[str] = []
        for _ in range(60):
            worker = await Worker.register(session)
            while deliveries := await worker.claim(loop=16):
                if any(it.receipt.id == "poison" for it in deliveries):
                    break
                assert all(it.receipt.deliveries < 3 for it in deliveries)
                await worker.finish(*deliveries)
                survivors += [it.receipt.id for it in deliveries]
            else:
                break
            ((poison, *_),) = [[it for it in deliveries if it.receipt.id == "poison"]]
            if poison.receipt.deliveries == 3:
                await worker.bury(poison)
                await session.deregister(worker.owner)
            else:
                await die(worker)
        assert sorted(survivors) == sorted(entry.header.id for entry in bystanders)
        assert [letter.header.id for letter in await session.dead()] == ["poison"]
