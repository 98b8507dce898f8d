"""Runs whose task lives on, or is followed by others."""

from __future__ import annotations

import time
from typing import Any

from hueyio.storage.records import Enqueued, Finish
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.worker import Worker, die, make_entry

__all__ = ["Retrying"]


class Retrying(Basis):
    """``Finish`` with the own id among its follow-ups, and what becomes of expected ids."""

    async def test_retry_lets_the_task_live_on(self, worker: Worker) -> None:
        old = await worker.take_one("a", unique_key="key")
        await worker.retry(old, make_entry("a", b"second attempt", unique_key="key", lane="thread"))
        assert await worker.session.enqueue([make_entry("b", unique_key="key")]) == [Enqueued("taken", "a")]
        assert (await worker.session.locate(["a"]))[0].state == "queued"
        new = await worker.claim_one()
        assert (new.data, new.header.lane, new.receipt.deliveries) == (b"second attempt", "thread", 0)
        await worker.finish(new)
        assert await worker.session.enqueue([make_entry("b", unique_key="key")]) == [Enqueued("added")]

    async def test_retry_brings_deliveries_back_to_zero(self, worker: Worker) -> None:
        await worker.take_one("a")
        await die(worker)
        other = await Worker.register(worker.session)
        delivery = await other.claim_one()
        assert delivery.receipt.deliveries == 1
        await other.retry(delivery, make_entry("a"))
        assert (await other.claim_one()).receipt.deliveries == 0

    async def test_retry_with_an_eta_goes_to_the_schedule(self, worker: Worker) -> None:
        eta = time.time() + 60
        await worker.retry(await worker.take_one("a"), make_entry("a", eta=eta))
        assert (await worker.session.locate(["a"]))[0].state == "scheduled"
        assert (await worker.session.promote(eta, 10))[:2] == (1, None)
        await worker.finish(await worker.claim_one())

    async def test_retry_stores_its_intermediate_error(self, worker: Worker) -> None:
        await worker.retry(await worker.take_one("a"), make_entry("a"), intermediate=b"error", ttl=600.0)
        assert await worker.session.peek("results", ["a"]) == [b"error"]
        (found,) = await worker.session.locate(["a"])
        assert (found.state, found.data) == ("queued", b"a")

    async def test_retry_takes_deletes_and_follows_up_like_any_finish(self, worker: Worker) -> None:
        await worker.session.put("data", {"taken": b"1", "deleted": b"2"})
        delivery = await worker.take_one("a")
        retry = Finish(
            delivery.receipt,
            follow_ups=(make_entry("b"), make_entry("a")),
            take=("data", "taken"),
            deletes=(("data", "deleted"),),
        )
        assert await worker.settle(retry) == ["accepted"]
        assert await worker.session.scan_keys("data") == []
        (again, _) = sorted(await worker.claim())
        assert await worker.settle(retry._replace(receipt=again.receipt)) == ["untaken"]
        assert sorted(it.receipt.id for it in await worker.session.held(worker.owner)) == ["a", "b"]

    async def test_retry_is_not_stopped_by_its_own_once_token(self, worker: Worker) -> None:
        header: dict[str, Any] = {"once_token": "tick", "once_ttl": 60.0}
        await worker.retry(await worker.take_one("a", **header), make_entry("a", **header))
        assert await worker.claim_ids() == ["a"]

    async def test_retry_keeps_the_cancel_flag(self, worker: Worker) -> None:
        canceller = await Worker.register(worker.session)
        delivery = await worker.take_one("a")
        await worker.session.cancel(["a"], canceller.owner)
        await worker.retry(delivery, make_entry("a"))
        assert (await worker.claim_one()).cancelled

    async def test_retry_keeps_what_it_expects(self, worker: Worker) -> None:
        delivery = await worker.take_one("a", expects=("b", "c"))
        await worker.retry(delivery, make_entry("a", expects=("b",)))
        assert [it.state for it in await worker.session.locate(["b", "c"])] == ["expected", "ended"]

    # --- expected ids

    async def test_also_ends_expected_ids_with_the_same_bytes(self, worker: Worker) -> None:
        delivery = await worker.take_one("a", expects=("b", "c"))
        await worker.finish(delivery, result=b"failed", also=("b", "c"), ttl=600.0)
        found = await worker.session.locate(["a", "b", "c"])
        assert [(it.state, it.data) for it in found] == [("stored", b"failed")] * 3
        assert (await worker.session.counts()).expected == 0

    async def test_follow_up_passes_on_what_is_expected(self, worker: Worker) -> None:
        delivery = await worker.take_one("a", expects=("b", "c"))
        await worker.finish(delivery, follow_ups=(make_entry("b", expects=("c",)),))
        assert [it.state for it in await worker.session.locate(["b", "c"])] == ["queued", "expected"]
        await worker.finish(await worker.claim_one(), follow_ups=(make_entry("c"),))
        assert [it.state for it in await worker.session.locate(["b", "c"])] == ["ended", "queued"]

    async def test_nothing_stays_expected_that_no_live_task_named(self, worker: Worker) -> None:
        one, two = await worker.take(make_entry("a", expects=("x", "y")), make_entry("b", expects=("y",)))
        await worker.finish(one)
        assert [it.state for it in await worker.session.locate(["x", "y"])] == ["ended", "expected"]
        await worker.finish(two)
        assert (await worker.session.locate(["y"]))[0].state == "ended"
