"""Latches: chords that wait for their members."""

from __future__ import annotations

from typing import Any

from hueyio.storage.contract import Session
from hueyio.storage.records import Delivery, Entry, Latch, LatchMark, Over
from hueyio.testing.storage.conformance.basis import Basis, Connect
from hueyio.testing.storage.conformance.worker import Worker, die, make_entry, soon, start_waiting

__all__ = ["Latches"]


def make_latch(size: int, id: str = "call", absent: bytes = b"absent", **header: Any) -> Latch:
    """Make a latch and its callback."""
    return Latch(size, make_entry(id, collects=True, **header), absent)


def make_members(size: int, latch: str = "call", prefix: str = "m", **header: Any) -> list[Entry]:
    """Make the members of a latch: ``m0``, ``m1`` and so on."""
    return [make_entry(f"{prefix}{at}", latch=latch, latch_index=at, **header) for at in range(size)]


def mark(delivery: Delivery, value: bytes | None = None) -> LatchMark:
    """Make a member's result; its value is its id in capitals unless told otherwise."""
    header = delivery.header
    assert header.latch is not None
    assert header.latch_index is not None
    return LatchMark(header.latch, header.latch_index, header.id.upper().encode() if value is None else value)


class Latches(Basis):
    """``enqueue(latches=)``, member results by Finish and Bury, ``collect``, and that nothing stays."""

    async def test_callback_is_enqueued_by_the_last_result(self, session: Session, worker: Worker) -> None:
        await session.enqueue(make_members(3), [make_latch(3, priority=2.0)])
        members = await worker.claim()
        assert [it.header.latch_index for it in members] == [0, 1, 2]
        assert await worker.settle(worker.end(members[2], latch=mark(members[2]))) == ["accepted"]
        assert await worker.settle(worker.end(members[0], latch=mark(members[0]))) == ["accepted"]
        assert await worker.claim() == []
        assert await session.collect(["call", "other"]) == [(b"M0", None, b"M2"), None]
        assert await worker.settle(worker.end(members[1], latch=mark(members[1]))) == ["fired"]
        callback = await worker.claim_one()
        assert (callback.header, callback.data) == (make_latch(3, priority=2.0).callback.header, b"call")
        assert await session.collect(["call"]) == [(b"M0", b"M1", b"M2")]

    async def test_callback_is_enqueued_by_one_batch(self, session: Session, worker: Worker) -> None:
        await session.enqueue(make_members(3), [make_latch(3)])
        members = await worker.claim()
        answers = await worker.settle(*(worker.end(it, latch=mark(it), result=b"r", ttl=9.0) for it in members))
        assert answers == ["accepted", "accepted", "fired"]
        assert await worker.claim_ids() == ["call"]
        assert await session.peek("results", ["m0", "m2"]) == [b"r", b"r"]

    async def test_nothing_is_left_when_the_callback_is_over(self, session: Session, worker: Worker) -> None:
        await session.enqueue(make_members(2), [make_latch(2, expects=("tail",))])
        assert (await session.counts()).latches == 1
        for member in await worker.claim():
            await worker.settle(worker.end(member, latch=mark(member)))
        callback = await worker.claim_one()
        assert (await session.counts()).latches == 1
        await worker.finish(callback)
        assert await session.collect(["call"]) == [None]
        counts = await session.counts()
        assert (counts.latches, counts.expected, counts.running, sum(counts.queued.values())) == (0, 0, 0, 0)

    async def test_latch_stays_through_a_retry_of_the_callback(self, session: Session, worker: Worker) -> None:
        await session.enqueue([], [make_latch(0)])
        callback = await worker.claim_one()
        await worker.retry(callback, Entry(callback.header, b"again"))
        assert await session.collect(["call"]) == [()]
        await worker.finish(await worker.claim_one())
        assert await session.collect(["call"]) == [None]

    async def test_empty_latch_fires_at_once(self, session: Session, worker: Worker) -> None:
        await session.enqueue([make_entry("other")], [make_latch(0)])
        assert await worker.claim_ids() == ["other", "call"]
        assert await session.collect(["call"]) == [()]

    async def test_second_result_for_a_position_counts_nothing(self, session: Session, worker: Worker) -> None:
        await session.enqueue(make_members(2), [make_latch(2)])
        first, second = await worker.claim()
        await worker.settle(worker.end(first, latch=mark(first)))
        assert await worker.settle(worker.end(second, latch=mark(first, b"forged"))) == ["accepted"]
        assert await session.collect(["call"]) == [(b"M0", None)]

    async def test_result_for_a_position_that_is_not_there_is_ignored(self, session: Session, worker: Worker) -> None:
        await session.enqueue(make_members(3), [make_latch(2)])
        first, second, beyond = await worker.claim()
        for member in (first, beyond):
            assert await worker.settle(worker.end(member, latch=mark(member))) == ["accepted"]
        assert await session.collect(["call"]) == [(b"M0", None)]
        assert await worker.settle(worker.end(second, latch=mark(second))) == ["fired"]
        await worker.finish(await worker.claim_one())
        assert (await session.counts()).latches == 0

    async def test_stale_settlement_leaves_no_result(self, session: Session, worker: Worker) -> None:
        await session.enqueue(make_members(1), [make_latch(1)])
        member = await worker.claim_one()
        await die(worker)
        other = await Worker.register(session)
        again = await other.claim_one()
        assert await worker.settle(worker.end(member, latch=mark(member, b"late"))) == ["stale"]
        assert await session.collect(["call"]) == [(None,)]
        assert await other.settle(other.end(again, latch=mark(again, b"good"))) == ["fired"]
        assert await session.collect(["call"]) == [(b"good",)]

    async def test_repeat_of_a_batch_fires_nothing_again(self, session: Session, worker: Worker) -> None:
        await session.enqueue(make_members(1), [make_latch(1)])
        member = await worker.claim_one()
        end = worker.end(member, latch=mark(member))
        assert await worker.settle(end) == ["fired"]
        assert await session.settle([end], worker.owner, worker.number) == ["fired"]
        assert await worker.claim_ids() == ["call"]

    async def test_buried_member_leaves_a_result(self, session: Session, worker: Worker) -> None:
        await session.enqueue(make_members(1), [make_latch(1)])
        member = await worker.claim_one()
        await worker.bury(member, latch=mark(member, b"dead"), answer="fired")
        assert await worker.claim_ids() == ["call"]
        assert await session.collect(["call"]) == [(b"dead",)]

    async def test_result_without_a_latch_is_ignored(self, session: Session, worker: Worker) -> None:
        delivery = await worker.take_one("a", latch="gone", latch_index=0)
        await worker.finish(delivery, latch=LatchMark("gone", 0, b""))
        assert await session.collect(["gone"]) == [None]
        assert (await session.counts()).latches == 0

    async def test_repeat_of_the_enqueue_changes_nothing(self, session: Session, worker: Worker) -> None:
        chord = (make_members(2), [make_latch(2)])
        await session.enqueue(*chord)
        member, other = await worker.claim()
        await worker.settle(worker.end(member, latch=mark(member)))
        answers = await session.enqueue(*chord)
        assert [it.verdict for it in answers] == ["added", "alive"]
        assert await session.collect(["call"]) == [(b"M0", None)]
        assert await worker.settle(worker.end(other, latch=mark(other))) == ["fired"]
        again, callback = await worker.claim()
        assert await worker.settle(worker.end(again, latch=mark(again, b"late"))) == ["accepted"]
        assert await session.collect([callback.header.id]) == [(b"M0", b"M1")]

    async def test_member_that_cannot_be_added_counts_as_absent(self, session: Session, worker: Worker) -> None:
        holder = await worker.take_one("m1", unique_key="u")
        entries = make_members(2)
        entries.append(make_entry("m2", latch="call", latch_index=2, unique_key="u"))
        answers = await session.enqueue(entries, [make_latch(3)])
        assert [it.verdict for it in answers] == ["added", "alive", "taken"]
        assert await session.collect(["call"]) == [(None, b"absent", b"absent")]
        member = await worker.claim_one()
        assert await worker.settle(worker.end(member, latch=mark(member))) == ["fired"]
        await worker.finish(holder)

    async def test_callback_whose_unique_key_is_taken_is_given_up(self, session: Session, worker: Worker) -> None:
        await worker.take_one("holder", unique_key="u")
        inner = make_latch(0, "inner", latch="outer", latch_index=0, unique_key="u")
        await session.enqueue([], [make_latch(1, "outer", absent=b"none"), inner])
        assert (await session.locate(["inner"]))[0].state == "ended"
        assert await worker.claim_ids() == ["outer"]
        assert await session.collect(["inner", "outer"]) == [None, (b"none",)]

    async def test_nested_latch_gets_its_result_from_its_callback(self, session: Session, worker: Worker) -> None:
        inner = make_latch(1, "inner", latch="outer", latch_index=0)
        await session.enqueue(make_members(1, "inner"), [make_latch(1, "outer"), inner])
        member = await worker.claim_one()
        assert await worker.settle(worker.end(member, latch=mark(member))) == ["fired"]
        callback = await worker.claim_one()
        assert await worker.settle(worker.end(callback, latch=mark(callback))) == ["fired"]
        assert await worker.claim_ids() == ["outer"]
        assert await session.collect(["inner", "outer"]) == [None, (b"INNER",)]

    async def test_callback_and_its_stages_are_expected(self, session: Session, worker: Worker) -> None:
        await session.enqueue(make_members(1), [make_latch(1, expects=("tail",))])
        assert [it.state for it in await session.locate(["call", "tail"])] == ["expected", "expected"]
        waiting = await start_waiting(session, "call", "tail")
        member = await worker.claim_one()
        await worker.settle(worker.end(member, latch=mark(member)))
        callback = await worker.claim_one()
        assert [it.state for it in await session.locate(["call", "tail"])] == ["running", "expected"]
        await worker.finish(callback, result=b"r")
        assert await soon(waiting) == [Over("call", b"r", kind="done"), Over("tail", None, kind="cancelled")]

    async def test_cleared_member_takes_the_latch_with_it(self, session: Session) -> None:
        inner = make_latch(2, "inner", latch="outer", latch_index=0, expects=("tail",))
        await session.enqueue(make_members(2, "inner"), [inner, make_latch(1, "outer")])
        waiting = await start_waiting(session, "outer", "inner", "tail")
        await session.clear(["queue"])
        assert await soon(waiting) == [Over(id, None, kind="cancelled") for id in ("outer", "inner", "tail")]
        assert (await session.counts()).latches == 0

    async def test_cleared_callback_takes_the_latch_with_it(self, session: Session) -> None:
        await session.enqueue([], [make_latch(0, eta=4e9)])
        await session.clear(["queue"])
        assert await session.collect(["call"]) == [()]
        await session.clear(["schedule"])
        assert await session.collect(["call"]) == [None]

    async def test_clear_takes_the_latch_of_a_callback_in_another_lane(self, session: Session, worker: Worker) -> None:
        inner = make_latch(0, "inner", lane="loop", latch="call", latch_index=0)
        await session.enqueue([], [make_latch(3), inner])
        await session.enqueue([make_entry("call", lane="process")])  # somebody else's, under the same id
        await session.clear(["queue"])
        assert await session.collect(["call", "inner"]) == [None, None]
        assert (await session.counts()).latches == 0

    async def test_clear_leaves_the_latches_of_others(self, session: Session, worker: Worker) -> None:
        await session.enqueue(make_members(1), [make_latch(1)])
        member = await worker.claim_one()
        await session.enqueue([make_entry("other")])
        await session.clear(["queue"])
        assert (await session.locate(["call"]))[0].state == "expected"
        assert await worker.settle(worker.end(member, latch=mark(member))) == ["fired"]

    async def test_one_callback_when_members_end_in_many_sessions(self, connect: Connect) -> None:
        size = 40
        sessions = [await connect() for _ in range(4)]
        workers = [await Worker.register(it) for it in sessions]
        await sessions[0].enqueue(make_members(size), [make_latch(size)])
        fired = 0
        for at in range(size):
            worker = workers[at % 4]
            (member,) = await worker.claim(loop=1)
            fired += await worker.settle(worker.end(member, latch=mark(member))) == ["fired"]
        assert fired == 1
        assert await workers[1].claim_ids() == ["call"]

    async def test_large_latch_works(self, session: Session, worker: Worker) -> None:
        size = 2500
        await session.enqueue(make_members(size), [make_latch(size)])
        members = await worker.claim(loop=size)
        answers = await worker.settle(*(worker.end(it, latch=mark(it)) for it in members))
        assert answers == ["accepted"] * (size - 1) + ["fired"]
        (results,) = await session.collect(["call"])
        assert results == tuple(f"M{at}".encode() for at in range(size))
        await worker.finish(await worker.claim_one())
        assert (await session.counts()).latches == 0
