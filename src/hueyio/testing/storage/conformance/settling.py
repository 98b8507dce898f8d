"""How runs end."""

from __future__ import annotations

import time

from hueyio.storage.contract import Session
from hueyio.storage.records import Area, Bury, Defer, Enqueued, Finish, Receipt, Release, Settlement
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.worker import Worker, die, eventually, make_entries, make_entry

__all__ = ["Settling"]


class Settling(Basis):
    """``settle``: Finish, Release and Defer, fences, repeats. Bury is among the dead letters."""

    # --- Finish

    async def test_finish_stores_the_result_and_ends_the_task(self, worker: Worker) -> None:
        await worker.finish(await worker.take_one("a"), result=b"")
        (found,) = await worker.session.locate(["a"])
        assert (found.state, found.data) == ("stored", b"")
        assert await worker.session.held(worker.owner) == []
        assert await worker.claim() == []

    async def test_finish_with_none_deletes_what_was_stored(self, worker: Worker) -> None:
        await worker.session.put("results", {"a": b"an error of an earlier attempt"})
        await worker.finish(await worker.take_one("a"))
        assert (await worker.session.locate(["a"]))[0].state == "ended"

    async def test_finish_gives_its_result_a_time_to_live(self, worker: Worker) -> None:
        await worker.finish(await worker.take_one("a"), result=b"short", ttl=0.05)
        await worker.finish(await worker.take_one("b"), result=b"long", ttl=600.0)

        async def is_gone() -> bool:
            return await worker.session.peek("results", ["a"]) == [None]

        await eventually(is_gone)
        assert [found.state for found in await worker.session.locate(["a", "b"])] == ["ended", "stored"]

    async def test_finish_frees_the_unique_key_for_its_own_follow_up(self, worker: Worker) -> None:
        delivery = await worker.take_one("a", unique_key="key")
        await worker.finish(delivery, follow_ups=(make_entry("b", unique_key="key"),))
        assert await worker.claim_ids() == ["b"]
        assert await worker.session.enqueue([make_entry("c", unique_key="key")]) == [Enqueued("taken", "b")]

    async def test_follow_ups_are_enqueued_as_by_enqueue(self, worker: Worker) -> None:
        await worker.session.enqueue([make_entry("alive", b"first", lane="thread")])
        (delivery,) = await worker.take(make_entry("a"))
        eta = time.time() + 60
        follow_ups = (make_entry("b"), make_entry("alive", b"second"), make_entry("c", eta=eta, expects=("d",)))
        await worker.finish(delivery, follow_ups=follow_ups)
        found = await worker.session.locate(["a", "b", "alive", "c", "d"])
        assert [it.state for it in found] == ["ended", "queued", "running", "scheduled", "expected"]
        assert found[2].data == b"first"

    async def test_finish_deletes_keys(self, worker: Worker) -> None:
        await worker.session.put("data", {"one": b"1", "two": b"2"})
        await worker.session.put("locks", {"one": b"1"})
        await worker.finish(await worker.take_one("a"), deletes=(("data", "one"), ("locks", "one"), ("data", "none")))
        assert await worker.session.peek("data", ["one", "two"]) == [None, b"2"]
        assert await worker.session.peek("locks", ["one"]) == [None]

    async def test_take_is_deleted_by_the_finish_that_it_causes(self, worker: Worker) -> None:
        await worker.session.put("revocations", {"a": b"once"})
        delivery = await worker.take_one("a")
        await worker.finish(delivery, take=("revocations", "a"), result=b"revoked")
        assert await worker.session.peek("revocations", ["a"]) == [None]
        assert await worker.session.peek("results", ["a"]) == [b"revoked"]

    async def test_untaken_finish_changes_nothing(self, worker: Worker) -> None:
        await worker.session.put("data", {"key": b"stays"})
        delivery = await worker.take_one("a", unique_key="key")
        finish = Finish(
            delivery.receipt, b"result", take=("revocations", "a"), deletes=(("data", "key"),),
            follow_ups=(make_entry("b"),),
        )  # fmt: skip
        assert await worker.settle(finish) == ["untaken"]
        assert await worker.session.peek("data", ["key"]) == [b"stays"]
        assert await worker.session.held(worker.owner) == [delivery]
        assert (await worker.session.locate(["b"]))[0].state == "unknown"
        await worker.finish(delivery)

    # --- Release and Defer

    async def test_release_counts_nothing(self, worker: Worker) -> None:
        delivery = await worker.take_one("a", unique_key="key")
        await worker.release(delivery)
        assert await worker.session.enqueue([make_entry("b", unique_key="key")]) == [Enqueued("taken", "a")]
        assert await worker.claim_one() == delivery

    async def test_release_leaves_deliveries(self, worker: Worker) -> None:
        await worker.take_one("a")
        await die(worker)
        other = await Worker.register(worker.session)
        await other.release(await other.claim_one())
        assert (await other.claim_one()).receipt.deliveries == 1

    async def test_defer_puts_the_same_bytes_off_under_a_new_header(self, worker: Worker) -> None:
        await worker.take_one("a", data=b"bytes", unique_key="key")
        await die(worker)
        other = await Worker.register(worker.session)
        delivery = await other.claim_one()
        eta = time.time() + 60
        header = delivery.header._replace(eta=eta, defers=1, first_seen=123.5, lane="thread")
        assert await other.settle(Defer(delivery.receipt, header)) == ["accepted"]
        assert (await other.session.locate(["a"]))[0].state == "scheduled"
        assert await other.session.enqueue([make_entry("b", unique_key="key")]) == [Enqueued("taken", "a")]
        assert (await other.session.promote(eta, 10))[:2] == (1, None)
        again = await other.claim_one()
        assert (again.header, again.data, again.receipt.deliveries) == (header, b"bytes", 0)

    async def test_defer_keeps_that_a_body_may_have_begun_and_a_retry_does_not(self, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        await worker.session.start([delivery.receipt], worker.owner)
        await die(worker)
        other = await Worker.register(worker.session)
        delivery = await other.claim_one()
        assert delivery.started
        eta = time.time() + 60
        await other.settle(Defer(delivery.receipt, delivery.header._replace(eta=eta)))
        await other.session.promote(eta, 10)
        delivery = await other.claim_one()
        assert delivery.started
        await other.finish(delivery, follow_ups=(make_entry("a"),))
        assert not (await other.claim_one()).started

    async def test_defer_keeps_the_cancel_flag(self, worker: Worker) -> None:
        canceller = await Worker.register(worker.session)
        delivery = await worker.take_one("a")
        await worker.session.cancel(["a"], canceller.owner)
        eta = time.time() + 60
        await worker.settle(Defer(delivery.receipt, delivery.header._replace(eta=eta)))
        (found,) = await worker.session.locate(["a"])
        assert (found.state, found.cancelled) == ("scheduled", True)
        await worker.session.promote(eta, 10)
        assert (await worker.claim_one()).cancelled

    # --- fences and repeats

    async def test_stale_settlements_change_nothing(self, worker: Worker) -> None:
        session = worker.session
        delivery = await worker.take_one("a", expects=("b",))
        await session.put("data", {"key": b"stays"})
        wrong = delivery.receipt._replace(deliveries=1)
        keys: tuple[tuple[Area, str], ...] = (("data", "key"),)
        settlements: list[Settlement] = [
            Finish(wrong, b"r", also=("b",), deletes=keys, follow_ups=(make_entry("c"),), take=("data", "key")),
            Finish(wrong, follow_ups=(make_entry("a", b"retry"),), intermediate=b"error"),
            Release(wrong),
            Defer(wrong, delivery.header._replace(eta=time.time() + 60)),
            Bury(wrong, "reason", b"r", also=("b",), deletes=keys, follow_ups=(make_entry("d"),)),
            Release(Receipt("another", "a", 0)),
            Release(Receipt(worker.owner, "never existed", 0)),
        ]
        assert await worker.settle(*settlements) == ["stale"] * len(settlements)
        assert await session.held(worker.owner) == [delivery]
        assert await session.peek("data", ["key"]) == [b"stays"]
        assert [it.state for it in await session.locate(["b", "c", "d"])] == ["expected", "unknown", "unknown"]
        assert await session.scan_keys("results") == []
        assert await session.dead() == []

    async def test_answers_are_in_order_and_independent(self, worker: Worker) -> None:
        a, b, c, d = await worker.take(*make_entries(4))
        answers = await worker.settle(
            Finish(a.receipt, b"a"),
            Finish(a.receipt, b"twice"),
            Finish(b.receipt, b"b", take=("data", "none")),
            Release(c.receipt._replace(deliveries=9)),
            Finish(d.receipt, b"d"),
        )
        assert answers == ["accepted", "stale", "untaken", "stale", "accepted"]
        assert sorted(await worker.session.scan_keys("results")) == [("t0", b"a"), ("t3", b"d")]
        assert sorted(it.receipt.id for it in await worker.session.held(worker.owner)) == ["t1", "t2"]

    async def test_settlements_of_a_batch_see_what_those_before_them_did(self, worker: Worker) -> None:
        await worker.session.put("data", {"key": b"once"})
        one, two = await worker.take(*make_entries(2))
        take: tuple[Area, str] = ("data", "key")
        assert await worker.settle(Finish(one.receipt, take=take), Finish(two.receipt, take=take)) == [
            "accepted",
            "untaken",
        ]

    async def test_settling_for_another_owner_is_stale(self, worker: Worker) -> None:
        other = await Worker.register(worker.session)
        delivery = await worker.take_one("a")
        assert await other.settle(Finish(delivery.receipt)) == ["stale"]
        assert await worker.settle(Finish(delivery.receipt._replace(owner=other.owner))) == ["stale"]
        await worker.finish(delivery)

    async def test_owner_without_a_lease_gets_stale_for_all(self, session: Session) -> None:
        receipts = [Receipt("nobody", "a", 0), Receipt("nobody", "b", 0)]
        assert await session.settle([Finish(it) for it in receipts], "nobody", 1) == ["stale", "stale"]

    async def test_repeat_of_the_last_number_repeats_its_answers(self, worker: Worker) -> None:
        session = worker.session
        one, two, three = await worker.take(*make_entries(3))
        batch = [
            Finish(one.receipt, b"1", follow_ups=(make_entry("next"),)),
            Finish(two.receipt, take=("data", "none")),
            Finish(one.receipt),
        ]
        answers = await session.settle(batch, worker.owner, 1)
        assert answers == ["accepted", "untaken", "stale"]
        await session.delete("results", ["t0"])
        await worker.claim()
        assert await session.settle(batch, worker.owner, 1) == answers
        assert await session.peek("results", ["t0"]) == [None]
        assert sorted(it.receipt.id for it in await session.held(worker.owner)) == ["next", "t1", "t2"]
        assert await session.settle([Finish(two.receipt), Finish(three.receipt)], worker.owner, 2) == ["accepted"] * 2

    async def test_settling_nothing_answers_nothing(self, worker: Worker) -> None:
        assert await worker.settle() == []
        await worker.finish(await worker.take_one("a"))
