"""What others ask of an owner: cancellations, revocations."""

from __future__ import annotations

import asyncio
import time

import pytest

from hueyio.storage.contract import Session
from hueyio.storage.records import Finish, Notices
from hueyio.testing.storage.conformance.basis import Basis, Connect
from hueyio.testing.storage.conformance.worker import Worker, die, make_entry, soon

__all__ = ["Noticing"]


class Noticing(Basis):
    """``cancel`` and ``notices``."""

    async def test_cancel_hands_over_what_nobody_holds(self, worker: Worker) -> None:
        session = worker.session
        await session.enqueue([make_entry("a"), make_entry("b", eta=time.time() + 60), make_entry("c", lane="thread")])
        taken = await session.cancel(["b", "a", "none"], worker.owner)
        assert sorted((it.receipt, it.cancelled) for it in taken) == [
            ((worker.owner, "a", 0), True),
            ((worker.owner, "b", 0), True),
        ]
        assert await worker.claim_ids() == ["c"]
        assert [it[1:4] for it in await session.locate(["a", "b"])] == [
            ("running", b"a", True),
            ("running", b"b", True),
        ]
        await worker.finish(*taken, result=b"cancelled")
        assert await session.peek("results", ["a", "b"]) == [b"cancelled"] * 2
        assert (await session.promote(time.time() + 90, 10))[:2] == (0, None)

    async def test_cancel_of_a_running_task_notifies_its_owner(self, worker: Worker, connect: Connect) -> None:
        canceller = await Worker.register(await connect())
        delivery = await worker.take_one("a")
        seen = await worker.session.notices(worker.owner, None)
        assert seen.cancelled == frozenset()
        asking = await _ask(worker, seen)
        assert await canceller.session.cancel(["a"], canceller.owner) == []
        seen = await soon(asking)
        assert seen.cancelled == {"a"}
        (found,) = await worker.session.locate(["a"])
        assert (found.state, found.cancelled) == ("running", True)
        assert await worker.session.held(worker.owner) == [delivery._replace(cancelled=True)]
        await worker.finish(delivery, result=b"cancelled")
        assert (await soon(worker.session.notices(worker.owner, seen))).cancelled == frozenset()

    async def test_notices_are_a_level(self, worker: Worker) -> None:
        canceller = await Worker.register(worker.session)
        await worker.take_one("a")
        await worker.session.cancel(["a"], canceller.owner)
        for _ in range(2):
            assert (await soon(worker.session.notices(worker.owner, None))).cancelled == {"a"}
        old = Notices(frozenset({"something else"}), 0, False)
        assert (await soon(worker.session.notices(worker.owner, old))).cancelled == {"a"}

    async def test_notices_tell_also_when_flagged_tasks_come_and_go(self, worker: Worker) -> None:
        await worker.session.enqueue([make_entry("a")])
        canceller = await Worker.register(worker.session)
        (delivery,) = await worker.session.cancel(["a"], canceller.owner)
        seen = await worker.session.notices(worker.owner, None)
        assert seen.cancelled == frozenset()
        await canceller.release(delivery)
        asking = await _ask(worker, seen)
        delivery = await worker.claim_one()
        seen = await soon(asking)
        assert seen.cancelled == {"a"}
        asking = await _ask(worker, seen)
        await worker.finish(delivery)
        assert (await soon(asking)).cancelled == frozenset()

    async def test_notices_are_the_owners_own(self, worker: Worker) -> None:
        other = await Worker.register(worker.session)
        await worker.take_one("a")
        await other.take_one("b")
        await worker.session.cancel(["a", "b"], (await Worker.register(worker.session)).owner)
        assert (await soon(worker.session.notices(worker.owner, None))).cancelled == {"a"}
        assert (await soon(worker.session.notices(other.owner, None))).cancelled == {"b"}

    @pytest.mark.parametrize("write", ["put", "put_if_absent"])
    async def test_written_revocation_is_noticed(self, worker: Worker, connect: Connect, write: str) -> None:
        seen = await worker.session.notices(worker.owner, None)
        asking = await _ask(worker, seen)
        other = await connect()
        if write == "put":
            await other.put("revocations", {"key": b"1"})
        else:
            await other.put_if_absent("revocations", "key", b"1")
        after = await soon(asking)
        assert after.revocations != seen.revocations
        await other.put("revocations", {"key": b"1"})
        assert (await soon(worker.session.notices(worker.owner, after))).revocations != after.revocations

    async def test_write_of_a_schedule_notifies_all_owners(self, worker: Worker, connect: Connect) -> None:
        seen = await worker.session.notices(worker.owner, None)
        asking = await _ask(worker, seen)
        await (await connect()).put("schedules", {"key": b"1"})
        assert (await soon(asking)).revocations != seen.revocations

    async def test_keys_of_other_areas_are_not_noticed(self, worker: Worker) -> None:
        seen = await worker.session.notices(worker.owner, None)
        await worker.session.put("data", {"key": b"1"})
        assert await worker.session.notices(worker.owner, None) == seen
        assert not seen.paused

    async def test_cancelled_wait_for_notices_loses_none(self, worker: Worker) -> None:
        seen = await worker.session.notices(worker.owner, None)
        for _ in range(5):
            asking = await _ask(worker, seen)
            asking.cancel()
            await asyncio.wait([asking])
        await worker.session.put("revocations", {"key": b"1"})
        assert (await soon(worker.session.notices(worker.owner, seen))).revocations != seen.revocations

    async def test_flag_comes_with_the_next_delivery(self, worker: Worker) -> None:
        other = await Worker.register(worker.session)
        await worker.take_one("a")
        await worker.session.cancel(["a"], other.owner)
        await die(worker)
        delivery = await other.claim_one()
        assert delivery.cancelled
        await other.finish(delivery)
        assert not (await other.take_one("a")).cancelled

    async def test_flagged_task_of_a_canceller_that_died_is_delivered_flagged(self, worker: Worker) -> None:
        canceller = await Worker.register(worker.session)
        await worker.session.enqueue([make_entry("a", eta=time.time() + 60)])
        await worker.session.cancel(["a"], canceller.owner)
        await die(canceller)
        delivery = await worker.claim_one()
        assert (delivery.cancelled, delivery.receipt.deliveries) == (True, 1)

    async def test_cancel_frees_the_unique_key_for_its_replacement(self, worker: Worker) -> None:
        await worker.session.enqueue([make_entry("old", unique_key="key")])
        (old,) = await worker.session.cancel(["old"], worker.owner)
        await worker.finish(old, result=b"cancelled", follow_ups=(make_entry("new", unique_key="key"),))
        assert await worker.claim_ids() == ["new"]

    async def test_cancel_of_what_is_not_alive_does_nothing(self, worker: Worker) -> None:
        session = worker.session
        await worker.finish(await worker.take_one("over"), result=b"result")
        await worker.take_one("a", expects=("b",))
        assert await session.cancel(["over", "b", "none"], worker.owner) == []
        assert await session.cancel([], worker.owner) == []
        found = await session.locate(["over", "b", "none"])
        assert [(it.state, it.cancelled) for it in found] == [
            ("stored", False),
            ("expected", False),
            ("unknown", False),
        ]

    async def test_nothing_is_handed_over_as_unrevoked_while_anything_is_revoked(self, worker: Worker) -> None:
        session = worker.session
        await session.put("revocations", {"r:other": b"revoked"})
        await session.enqueue([make_entry("a"), make_entry("b", lane="thread"), make_entry("c")])
        taken = await session.cancel(["c"], worker.owner) + await worker.claim()
        assert [it.unrevoked for it in taken + await session.held(worker.owner)] == [False] * 6

    async def test_cancel_twice_hands_over_once(self, session: Session) -> None:
        one, two = await Worker.register(session), await Worker.register(session)
        await session.enqueue([make_entry("a")])
        (delivery,) = await session.cancel(["a", "a"], one.owner)
        assert await session.cancel(["a"], two.owner) == []
        assert await two.settle(Finish(delivery.receipt)) == ["stale"]
        await one.finish(delivery)


async def _ask(worker: Worker, seen: Notices) -> asyncio.Task[Notices]:
    """Ask for the next notices in a task of its own that has begun."""
    asking = asyncio.create_task(worker.session.notices(worker.owner, seen))
    await asyncio.sleep(0)
    return asking
