"""Tasks that cannot be run."""

from __future__ import annotations

import logging
import time

import pytest

from hueyio.storage.contract import Session
from hueyio.storage.records import Bury, Enqueued, Requeue, Requeued
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.worker import Worker, die, make_entries, make_entry
from hueyio.testing.storage.recipe import Recipe

__all__ = ["Dead"]


class Dead(Basis):
    """``Bury`` into the dead letters, ``dead``, ``requeue`` and ``purge``."""

    async def test_burial_keeps_header_bytes_reason_and_time(self, worker: Worker) -> None:
        delivery = await worker.take_one("a", data=b"\x00\xff", lane="thread", unique_key="key", expects=("b",))
        before = time.time()
        await worker.bury(delivery, reason="cannot be “read”")
        (letter,) = await worker.session.dead()
        assert letter[:3] == (delivery.header, b"\x00\xff", "cannot be “read”")
        assert before - 5 < letter.buried_at < time.time() + 5
        (found,) = await worker.session.locate(["a"])
        assert (found.state, found.data) == ("dead", b"\x00\xff")

    async def test_burial_does_otherwise_what_finish_does(self, worker: Worker) -> None:
        session = worker.session
        await session.put("data", {"key": b"1"})
        delivery = await worker.take_one("a", expects=("b",), unique_key="key")
        await worker.bury(
            delivery, result=b"lost", ttl=600.0, also=("b",), deletes=(("data", "key"),),
            follow_ups=(make_entry("handler", unique_key="key"),),
        )  # fmt: skip
        assert sorted(await session.scan_keys("results")) == [("a", b"lost"), ("b", b"lost")]
        assert [it.state for it in await session.locate(["a", "b"])] == ["dead", "stored"]
        assert await session.peek("data", ["key"]) == [None]
        assert await worker.claim_ids() == ["handler"]

    async def test_dead_letters_are_listed_the_latest_first(self, worker: Worker) -> None:
        deliveries = await worker.take(*make_entries(4))
        await worker.bury(deliveries[1], deliveries[0])
        await worker.bury(deliveries[3])
        await worker.bury(deliveries[2])
        assert await _dead_ids(worker.session) == ["t2", "t3", "t0", "t1"]
        assert [letter.header.id for letter in await worker.session.dead(2)] == ["t2", "t3"]
        assert await worker.session.dead(0) == []
        assert (await worker.session.counts()).dead == 4

    async def test_bound_pushes_the_oldest_out_and_says_so(
        self, recipe: Recipe, caplog: pytest.LogCaptureFixture
    ) -> None:
        session = await recipe.build(dead_limit=3).connect()
        try:
            worker = await Worker.register(session)
            with caplog.at_level(logging.WARNING, "hueyio"):
                for index in range(5):
                    await worker.bury(await worker.take_one(f"t{index}"))
            assert await _dead_ids(session) == ["t4", "t3", "t2"]
            counts = await session.counts()
            assert (counts.dead, counts.dead_dropped) == (3, 2)
            assert [it.state for it in await session.locate(["t1", "t2"])] == ["ended", "dead"]
            await worker.bury(*await worker.take(*make_entries(5, "u")))
            assert await _dead_ids(session) == ["u4", "u3", "u2"]
            assert (await session.counts()).dead_dropped == 7
            assert any(record.name.startswith("hueyio") for record in caplog.records)
        finally:
            await session.close()

    async def test_second_burial_of_an_id_replaces_the_first(self, worker: Worker) -> None:
        await worker.bury(await worker.take_one("a", data=b"1"), reason="first")
        await worker.bury(await worker.take_one("b"))
        await worker.bury(await worker.take_one("a", data=b"2"), reason="second")
        letters = await worker.session.dead()
        assert [(it.header.id, it.data, it.reason) for it in letters] == [("a", b"2", "second"), ("b", b"b", "because")]

    async def test_requeue_makes_a_new_task(self, worker: Worker) -> None:
        header = {"lane": "thread", "first_seen": 12.5, "defers": 3, "unique_key": "key", "priority": 1.0}
        await worker.take_one("a", data=b"bytes", **header)
        await die(worker)
        other = await Worker.register(worker.session)
        delivery = await other.claim_one()
        await other.session.start([delivery.receipt], other.owner)
        await other.bury(delivery, result=b"lost")
        assert await _requeue(other, "a", "none", "a") == ["added", "missing", "missing"]
        assert await other.session.dead() == []
        again = await other.claim_one()
        assert again.header == delivery.header._replace(first_seen=None, defers=0).attempted(1)
        assert (again.data, again.receipt.deliveries, again.started) == (b"bytes", 0, False)
        assert await other.session.enqueue([make_entry("b", unique_key="key")]) == [Enqueued("taken", "a")]

    async def test_requeue_puts_a_scheduled_task_into_its_lane(self, worker: Worker) -> None:
        eta = time.time() - 1
        await worker.session.enqueue([make_entry("a", eta=eta)])
        await worker.session.promote(eta, 1)
        await worker.bury(await worker.claim_one())
        assert await _requeue(worker, "a") == ["added"]
        assert await worker.claim_ids() == ["a"]

    async def test_requeue_is_not_stopped_by_the_letters_own_once_token(self, worker: Worker) -> None:
        await worker.bury(await worker.take_one("a", once_token="tick", once_ttl=600.0))
        assert await _requeue(worker, "a") == ["added"]
        assert await worker.claim_ids() == ["a"]

    async def test_requeue_expects_again_what_the_task_expects(self, worker: Worker) -> None:
        await worker.bury(await worker.take_one("a", expects=("b",)), result=b"lost", also=("b",))
        await _requeue(worker, "a")
        assert [it.state for it in await worker.session.locate(["a", "b"])] == ["queued", "expected"]

    async def test_requeue_leaves_what_cannot_live_again(self, worker: Worker) -> None:
        await worker.bury(*await worker.take(make_entry("a"), make_entry("b", unique_key="key")))
        await worker.session.enqueue([make_entry("a", b"new"), make_entry("c", unique_key="key")])
        assert await _requeue(worker, "a", "b") == ["alive", "taken"]
        assert sorted(await _dead_ids(worker.session)) == ["a", "b"]
        assert [it.state for it in await worker.session.locate(["a", "b"])] == ["queued", "dead"]

    async def test_purge_deletes_some_or_all(self, worker: Worker) -> None:
        await worker.bury(*await worker.take(*make_entries(4)))
        assert await worker.session.purge(["t1", "none"]) == 1
        assert await worker.session.purge([]) == 0
        assert await _dead_ids(worker.session) == ["t3", "t2", "t0"]
        assert await worker.session.purge() == 3
        assert await worker.session.dead() == []
        assert (await worker.session.locate(["t0"]))[0].state == "ended"
        assert (await worker.session.counts()).dead_dropped == 0

    async def test_stale_burial_buries_nothing(self, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        await worker.release(delivery)
        assert await worker.settle(Bury(delivery.receipt, "late")) == ["stale"]
        assert await worker.session.dead() == []


async def _requeue(worker: Worker, *ids: str) -> list[Requeued]:
    return await worker.session.requeue([Requeue(id) for id in ids])


async def _dead_ids(session: Session) -> list[str]:
    return [letter.header.id for letter in await session.dead()]
