"""Who holds what, and for how long."""

from __future__ import annotations

import asyncio
import time

import pytest

from hueyio.exceptions import LeaseLost
from hueyio.storage.contract import Session, Storage
from hueyio.storage.records import Finish, Release
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.worker import Worker, die, eventually, make_entries, make_entry

__all__ = ["Leases"]


class Leases(Basis):
    """``register``, ``deregister``, ``owners``, ``held``, ``start``, ``reclaim`` and the heartbeat."""

    async def test_owner_without_a_lease_gets_nothing(self, session: Session) -> None:
        await session.enqueue([make_entry("a")])
        with pytest.raises(LeaseLost):
            await session.claim({"loop": 1}, "nobody")
        with pytest.raises(LeaseLost):
            await session.held("nobody")
        with pytest.raises(LeaseLost):
            await session.cancel(["a"], "nobody")
        assert (await session.locate(["a"]))[0][1:4] == ("queued", b"a", False)

    async def test_owners_lists_live_leases(self, session: Session) -> None:
        assert await session.owners() == []
        one = await Worker.register(session, "one")
        await session.register("two", b"\x00two")
        await session.enqueue(make_entries(3))
        await one.claim(loop=2)
        found = {it.owner: (it.info, it.held) for it in await session.owners()}
        assert found == {"one": (b"info", 2), "two": (b"\x00two", 0)}
        await session.deregister("one")
        assert [it.owner for it in await session.owners()] == ["two"]

    @pytest.mark.parametrize("sign", ["beat", "register"])
    async def test_owners_says_how_long_ago_the_last_sign_of_life_was(
        self, storage: Storage, worker: Worker, sign: str
    ) -> None:
        async def is_silent() -> bool:
            (owner,) = await worker.session.owners()
            return owner.silence > 0.02

        await eventually(is_silent)
        begun = time.monotonic()
        if sign == "beat":
            await asyncio.to_thread(_beat, storage, worker.owner, 1)
        else:
            await worker.session.register(worker.owner, b"")
        (owner,) = await worker.session.owners()
        assert 0 <= owner.silence <= time.monotonic() - begun + 0.02

    async def test_second_register_only_replaces_the_info(self, storage: Storage, worker: Worker) -> None:
        await worker.take_one("a")
        await asyncio.to_thread(_beat, storage, worker.owner, 2)
        (before,) = await worker.session.owners()
        await worker.session.register(worker.owner, b"new")
        (after,) = await worker.session.owners()
        assert after == before._replace(info=b"new", silence=after.silence)
        (delivery,) = await worker.session.held(worker.owner)
        await worker.finish(delivery)

    async def test_deregister_gives_back_what_is_held_and_counts_nothing(self, worker: Worker) -> None:
        await worker.take_one("a")
        await worker.session.deregister(worker.owner)
        with pytest.raises(LeaseLost):
            await worker.claim()
        again = await Worker.register(worker.session)
        assert (await again.claim_one()).receipt.deliveries == 0

    async def test_deregister_of_nobody_does_nothing(self, session: Session) -> None:
        await session.deregister("nobody")
        assert await session.owners() == []

    async def test_held_lists_all_that_is_under_the_lease(self, worker: Worker) -> None:
        assert await worker.session.held(worker.owner) == []
        one, two = await worker.take(make_entry("a"), make_entry("b", lane="thread"))
        await worker.session.start([two.receipt], worker.owner)
        assert sorted(await worker.session.held(worker.owner)) == [one, two._replace(started=True)]
        await worker.finish(one)
        assert await worker.session.held(worker.owner) == [two._replace(started=True)]

    # --- start

    async def test_start_answers_for_each_receipt(self, worker: Worker) -> None:
        one, two = await worker.take(*make_entries(2))
        await worker.finish(one)
        stale = [one.receipt, two.receipt._replace(deliveries=1), two.receipt._replace(owner="another")]
        assert await worker.session.start([*stale, two.receipt], worker.owner) == [False, False, False, True]
        assert await worker.session.start([two.receipt], worker.owner) == [True]
        assert await worker.session.start([two.receipt], "nobody") == [False]
        assert await worker.session.start([], worker.owner) == []

    async def test_start_mark_stays_with_the_delivery_until_its_run_ends(self, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        await worker.session.start([delivery.receipt], worker.owner)
        await worker.release(delivery)
        delivery = await worker.claim_one()
        assert delivery.started
        await die(worker)
        other = await Worker.register(worker.session)
        delivery = await other.claim_one()
        assert delivery.started
        await other.retry(delivery, make_entry("a"))
        assert not (await other.claim_one()).started

    async def test_start_is_refused_after_a_reclaim(self, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        await die(worker)
        assert await worker.session.start([delivery.receipt], worker.owner) == [False]
        other = await Worker.register(worker.session)
        assert not (await other.claim_one()).started

    # --- heartbeat and reclaim

    async def test_beat_raises_the_owners_counter_from_any_thread(self, storage: Storage, worker: Worker) -> None:
        (before,) = await worker.session.owners()
        assert await asyncio.to_thread(_beat, storage, worker.owner, 3) == [True, True, True]
        (after,) = await worker.session.owners()
        assert after.beat == before.beat + 3

    async def test_beat_says_when_the_owner_has_no_lease(self, storage: Storage, worker: Worker) -> None:
        assert await asyncio.to_thread(_beat, storage, "nobody", 1) == [False]
        await die(worker)
        assert await asyncio.to_thread(_beat, storage, worker.owner, 1) == [False]
        assert await worker.session.owners() == []

    async def test_reclaim_spares_an_owner_whose_heart_beat_since(self, storage: Storage, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        (seen,) = await worker.session.owners()
        await asyncio.to_thread(_beat, storage, worker.owner, 1)
        assert await worker.session.reclaim(worker.owner, seen.beat) is None
        assert await worker.session.reclaim("nobody", seen.beat) is None
        await worker.finish(delivery)

    async def test_reclaim_hands_on_what_was_held_with_one_delivery_more(self, worker: Worker) -> None:
        old = await worker.take(*make_entries(2))
        await worker.session.enqueue([make_entry("later")])
        assert await die(worker) == 2
        other = await Worker.register(worker.session)
        new = {it.receipt.id: it for it in await other.claim()}
        for delivery in old:
            it = new[delivery.receipt.id]
            assert it.receipt == (other.owner, delivery.receipt.id, 1)
            assert (it.header, it.data) == (delivery.header, delivery.data)
        assert new["later"].receipt.deliveries == 0

    async def test_counted_release_hands_on_with_one_delivery_more(self, worker: Worker) -> None:
        old = await worker.take(*make_entries(2))
        await worker.session.enqueue([make_entry("later")])
        await worker.session.start([old[0].receipt], worker.owner)
        await worker.release(old[0], counted=True)
        await worker.release(old[1])
        new = await worker.claim()
        assert sorted((it.receipt.id, it.receipt.deliveries, it.started) for it in new) == [
            ("later", 0, False),
            ("t0", 1, True),
            ("t1", 0, False),
        ]
        assert await worker.settle(Release(old[0].receipt, counted=True)) == ["stale"]

    async def test_reclaim_of_an_owner_that_holds_nothing_ends_its_lease(self, worker: Worker) -> None:
        assert await die(worker) == 0
        with pytest.raises(LeaseLost):
            await worker.claim()
        with pytest.raises(LeaseLost):
            await worker.session.held(worker.owner)

    async def test_settlements_of_an_owner_given_up_are_stale(self, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        await die(worker)
        assert await worker.settle(Finish(delivery.receipt, b"late")) == ["stale"]
        other = await Worker.register(worker.session)
        current = await other.claim_one()
        assert await worker.settle(Finish(delivery.receipt, b"late")) == ["stale"]
        await other.finish(current, result=b"right")
        assert await worker.session.peek("results", ["a"]) == [b"right"]

    async def test_old_receipt_is_refused_when_its_owner_comes_back_to_the_same_task(self, worker: Worker) -> None:
        old = await worker.take_one("a")
        await die(worker)
        await worker.session.register(worker.owner, b"back")
        new = await worker.claim_one()
        assert new.receipt == (worker.owner, "a", 1)
        answers = await worker.settle(Finish(old.receipt, b"old"), Finish(new.receipt, b"new"))
        assert answers == ["stale", "accepted"]
        assert await worker.session.peek("results", ["a"]) == [b"new"]

    async def test_numbers_begin_anew_with_a_new_lease(self, worker: Worker) -> None:
        await worker.finish(await worker.take_one("a"))
        await worker.session.deregister(worker.owner)
        again = await Worker.register(worker.session, worker.owner)
        await again.finish(await again.take_one("b"), result=b"b")
        assert again.number == worker.number == 1
        assert await again.session.peek("results", ["b"]) == [b"b"]


def _beat(storage: Storage, owner: str, times: int) -> list[bool]:
    keeper = storage.lease_keeper(owner)
    try:
        return [keeper.beat() for _ in range(times)]
    finally:
        keeper.close()
