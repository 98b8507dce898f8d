"""Pipelines whose later stages stand in the storage."""

from __future__ import annotations

import time
from typing import Any, Final

import pytest

from hueyio.storage.contract import Session
from hueyio.storage.records import (
    Answer,
    Clearable,
    Delivery,
    Entry,
    Finish,
    Lane,
    Latch,
    Release,
    Requeue,
    Stage,
)
from hueyio.storage.stages import split
from hueyio.testing.storage.conformance.basis import Basis, Connect
from hueyio.testing.storage.conformance.latches import make_members, mark
from hueyio.testing.storage.conformance.names import HOSTILE
from hueyio.testing.storage.conformance.worker import Worker, die, make_entry, soon, start_waiting

__all__ = ["Pipelines"]

MANY: Final = 1200
"""More stages than one command of a script can take."""


def make_pipeline(*ids: str, **header: Any) -> Entry:
    """Make the first stage with all others; the message of each is its id."""
    head, *later = ids
    entry = make_entry(head, expects=(later[0],), **header)
    return entry._replace(stages=tuple(Stage(id, id.encode()) for id in later))


def make_next(*ids: str, **header: Any) -> Entry:
    """Make the entry of a stage whose turn it is; its message is new, ``ids`` are its own and that of the next."""
    return make_entry(ids[0], b"turn of " + ids[0].encode(), expects=ids[1:], **header)


async def states_of(session: Session, *ids: str) -> list[str]:
    """Say where ids are."""
    return [found.state for found in await session.locate(ids)]


async def parts_of(session: Session, id: str) -> list[tuple[str, bytes]]:
    """Say of what the message consists that the storage shows."""
    (found,) = await session.locate([id])
    assert found.data is not None
    return [(stage.id, stage.data) for stage in split(found.data) or [Stage(id, found.data)]]


async def settle_and_claim_one(worker: Worker, *settlements: Finish) -> tuple[list[Answer], Delivery]:
    """Settle, and claim with that, or where the storage says so, behind it."""
    worker.number += 1
    room: dict[Lane, int] = {"loop": 1, "thread": 1}
    answers, deliveries = await worker.session.settle_and_claim(settlements, worker.owner, worker.number, None, room)
    (delivery,) = await worker.session.claim(room, worker.owner) if deliveries is None else deliveries
    return answers, delivery


class Pipelines(Basis):
    """``Entry.stages``: each waits until it becomes a task, or until the one before it ends without it."""

    async def test_delivery_brings_the_next_stage_alone(self, session: Session, worker: Worker) -> None:
        (delivery,) = await worker.take(make_pipeline("a", "b", "c"))
        assert (delivery.data, delivery.following, delivery.header.expects) == (b"a", b"b", ("b",))
        assert await session.held(worker.owner) == [delivery]
        assert await states_of(session, "a", "b", "c") == ["running", "expected", "expected"]
        assert (await session.counts()).expected == 2

    async def test_stages_take_turns_and_nothing_is_left(self, session: Session, worker: Worker) -> None:
        (first,) = await worker.take(make_pipeline("a", "b", "c"))
        await worker.finish(first, follow_ups=(make_next("b", "c"),))
        second = await worker.claim_one()
        assert (second.data, second.following) == (b"turn of b", b"c")
        assert await states_of(session, "a", "b", "c") == ["ended", "running", "expected"]
        await worker.finish(second, follow_ups=(make_next("c"),))
        third = await worker.claim_one()
        assert (third.data, third.following, third.header.expects) == (b"turn of c", None, ())
        await worker.finish(third)
        assert await states_of(session, "a", "b", "c") == ["ended"] * 3
        assert (await session.counts()).expected == 0

    @pytest.mark.parametrize("ids", ["abc", "abcdefgh"])
    @pytest.mark.parametrize("is_cut", [True, False])
    async def test_claim_may_travel_with_the_settlement_that_brings_the_next_stage(
        self, session: Session, worker: Worker, connect: Connect, ids: str, is_cut: bool
    ) -> None:
        entry = make_pipeline(*ids) if is_cut else make_entry(ids[0], b"a", expects=tuple(ids[1:]))
        (delivery,) = await worker.take(entry)
        waiting = await start_waiting(await connect(), ids[0], ids[-1])
        for at, id in enumerate(ids[1:], 1):
            later = ids[at + 1 : at + 2] if is_cut else ids[at + 1 :]
            end = worker.end(
                delivery,
                result=id.encode() if at % 3 else None,
                ttl=60.0,
                follow_ups=(make_next(id, *later),),
                deletes=(("revocations", f"r:{delivery.receipt.id}"),),
            )
            answers, delivery = await settle_and_claim_one(worker, end)
            assert answers == ["accepted"]
            assert (delivery.receipt.id, delivery.header.expects) == (id, tuple(later))
            assert delivery.following == (later.encode() if is_cut and later else None)
            assert await states_of(session, ids[at - 1], id) == ["stored" if at % 3 else "ended", "running"]
        await worker.finish(delivery, result=b"last", ttl=60.0)
        first, last = await soon(waiting)
        assert (first.data, last.data, last.kind) == (b"b", b"last", "done")
        assert (await session.counts()).expected == 0
        assert await session.claim({"loop": 9}, worker.owner) == []

    async def test_repeat_of_a_settlement_claims_nothing(self, session: Session, worker: Worker) -> None:
        first, second = await worker.take(make_entry("a"), make_entry("b"))
        await session.enqueue([make_entry("c"), make_entry("d")])
        answers, delivery = await settle_and_claim_one(worker, worker.end(first), worker.end(second))
        assert (answers, delivery.receipt.id) == (["accepted"] * 2, "c")
        again = [worker.end(first), worker.end(second)]
        assert await session.settle_and_claim(again, worker.owner, worker.number, None, {"loop": 9}) == (answers, None)
        assert await worker.claim_ids() == ["d"]
        assert await session.settle_and_claim([worker.end(first)], "nobody", 1, None, {"loop": 9}) == (["stale"], None)

    @pytest.mark.parametrize("how", ["finish", "bury", "fail"])
    async def test_all_later_stages_end_with_the_one_that_fails(
        self, session: Session, worker: Worker, connect: Connect, how: str
    ) -> None:
        waiting = await start_waiting(await connect(), "d", unknown="wait")
        (delivery,) = await worker.take(make_pipeline("a", "b", "c", "d"))
        if how == "finish":
            await worker.finish(delivery, result=b"no", ttl=60.0, also=("b",), kind="failed")
        else:
            into: Any = "failed" if how == "fail" else "dead"
            await worker.bury(delivery, result=b"no", ttl=60.0, also=("b",), kind="failed", into=into)
        (over,) = await soon(waiting)
        assert (over.id, over.data, over.kind) == ("d", b"no", "failed")
        assert await session.peek("results", ["a", "b", "c"]) == [b"no"] * 3
        assert (await session.ended(["a", "b", "c", "d"])).kinds == ["failed"] * 4
        assert (await session.counts()).expected == 0

    async def test_later_stages_are_cancelled_when_nobody_enqueues_the_next(
        self, session: Session, worker: Worker, connect: Connect
    ) -> None:
        (delivery,) = await worker.take(make_pipeline("a", "b", "c", "d"))
        waiting = await start_waiting(await connect(), "c")
        await worker.finish(delivery, result=b"value", ttl=60.0)
        (over,) = await soon(waiting)
        assert (over.id, over.data, over.kind) == ("c", None, "cancelled")
        assert (await session.ended(["a", "b", "c", "d"])).kinds == ["done", "cancelled", "cancelled", "cancelled"]
        assert (await session.counts()).expected == 0

    @pytest.mark.parametrize("what", ["queue", "schedule"])
    async def test_clear_ends_all_stages(
        self, session: Session, worker: Worker, connect: Connect, what: Clearable
    ) -> None:
        eta = time.time() + 60 if what == "schedule" else None
        await session.enqueue([make_pipeline("a", "b", "c", "d", eta=eta)])
        waiting = await start_waiting(await connect(), "d")
        await session.clear([what])
        assert [(it.id, it.kind) for it in await soon(waiting)] == [("d", "cancelled")]
        assert await states_of(session, "a", "b", "c", "d") == ["ended"] * 4
        assert (await session.counts()).expected == 0

    async def test_retry_goes_on_with_its_pipeline(self, session: Session, worker: Worker) -> None:
        (delivery,) = await worker.take(make_pipeline("a", "b", "c"))
        await worker.retry(delivery, make_next("a", "b"))
        again = await worker.claim_one()
        assert (again.data, again.following) == (b"turn of a", b"b")
        await worker.settle(Release(again.receipt))
        assert (await worker.claim_one()).following == b"b"
        assert await states_of(session, "b", "c") == ["expected"] * 2

    async def test_task_of_a_dead_owner_goes_on_with_its_pipeline(self, session: Session, worker: Worker) -> None:
        await worker.take(make_pipeline("a", "b", "c"))
        await die(worker)
        other = await Worker.register(session)
        assert (await other.claim_one()).following == b"b"

    async def test_retry_that_brings_its_stages_lets_them_wait(self, session: Session, worker: Worker) -> None:
        delivery = await worker.take_one("a", expects=("b", "c", "d"))
        assert delivery.following is None
        await worker.retry(delivery, make_pipeline("a", "b", "c", "d"))
        assert await states_of(session, "b", "c", "d") == ["expected"] * 3
        again = await worker.claim_one()
        assert again.following == b"b"
        await worker.finish(again, also=("b",), kind="failed")
        assert (await session.ended(["b", "c", "d"])).kinds == ["failed"] * 3

    async def test_pipeline_may_begin_with_a_follow_up(self, session: Session, worker: Worker) -> None:
        delivery = await worker.take_one("a", expects=("b", "c", "d"))
        await worker.finish(delivery, follow_ups=(make_pipeline("b", "c", "d"),))
        assert await states_of(session, "a", "b", "c", "d") == ["ended", "queued", "expected", "expected"]
        assert (await worker.claim_one()).following == b"c"

    async def test_whole_pipeline_is_shown_of_a_live_task(self, session: Session, worker: Worker) -> None:
        parts = [("a", b"a"), ("b", b"b"), ("c", b"c")]
        await session.enqueue([make_pipeline("a", "b", "c", unique_key="key")])
        assert await parts_of(session, "a") == parts
        (entry,) = await session.scan_tasks("queued")
        assert [tuple(it) for it in split(entry.data) or ()] == parts
        await worker.claim_one()
        assert await parts_of(session, "a") == parts
        (described,) = await session.describe(["a"])
        assert described.listed is not None
        assert described.listed.header is not None
        assert described.listed.header.expects == ("b", "c")
        assert described.listed.head == b"a"
        (later,) = await session.describe(["c"])
        assert later.listed is not None
        assert (later.listed.state, later.listed.namers) == ("waiting", ("b",))

    @pytest.mark.parametrize("into", ["dead", "failed"])
    @pytest.mark.parametrize("again", [None, b"again"])
    async def test_letter_has_the_whole_pipeline_and_can_be_requeued(
        self, session: Session, worker: Worker, into: Any, again: bytes | None
    ) -> None:
        (delivery,) = await worker.take(make_pipeline("a", "b", "c"))
        ttl: dict[str, Any] = {"result": b"no", "ttl": 60.0}
        await worker.bury(delivery, also=("b",), into=into, again=again, **ttl)
        (letter,) = (await session.failed(10)).items
        assert letter.header.expects == ("b", "c")
        parts = [("a", again or b"a"), ("b", b"b"), ("c", b"c")]
        assert [tuple(it) for it in split(letter.data) or ()] == parts
        assert await parts_of(session, "a") == parts
        assert await session.requeue([Requeue("a")]) == ["added"]
        assert await states_of(session, "a", "b", "c") == ["queued", "expected", "expected"]
        assert await session.peek("results", ["a", "b", "c"]) == [None] * 3
        requeued = await worker.claim_one()
        assert (requeued.data, requeued.following) == (letter.data, None)
        await worker.finish(requeued, follow_ups=(make_pipeline("b", "c"),))
        assert (await worker.claim_one()).following == b"c"

    async def test_stages_behind_an_id_that_is_alive_never_come(self, session: Session, worker: Worker) -> None:
        await worker.take_one("c")
        (delivery,) = await worker.take(make_pipeline("a", "b", "c", "d"))
        assert await states_of(session, "b", "c", "d") == ["expected", "running", "unknown"]
        await worker.finish(delivery, also=("b",), kind="failed")
        assert await states_of(session, "b", "c", "d") == ["ended", "running", "unknown"]

    async def test_another_task_under_the_id_of_a_stage_has_not_what_follows_it(
        self, session: Session, worker: Worker
    ) -> None:
        await session.enqueue([make_pipeline("a", "b", "c", "d")])
        await session.enqueue([make_entry("b", b"another")])
        first, another = await worker.claim()
        assert (await session.counts()).expected == 0
        assert (another.data, another.following) == (b"another", None)
        await worker.finish(first, follow_ups=(make_next("b", "c"),))
        assert (await states_of(session, "b"))[0] == "running"

    async def test_pipeline_that_is_not_added_leaves_nothing(self, session: Session, worker: Worker) -> None:
        await worker.take_one("holder", unique_key="key")
        await worker.take_one("a")
        refused = [make_pipeline("x", "y", "z", unique_key="key"), make_pipeline("a", "b", "c")]
        assert [it.verdict for it in await session.enqueue(refused)] == ["taken", "alive"]
        assert (await session.counts()).expected == 0

    async def test_callback_of_a_latch_brings_its_pipeline(self, session: Session, worker: Worker) -> None:
        callback = make_pipeline("call", "b", "c", collects=True)
        await session.enqueue(make_members(1), [Latch(1, callback, b"absent")])
        assert await states_of(session, "call", "b", "c") == ["expected"] * 3
        member = await worker.claim_one()
        assert await worker.settle(Finish(member.receipt, latch=mark(member))) == ["fired"]
        fired = await worker.claim_one()
        assert (fired.data, fired.following, fired.header.collects) == (b"call", b"b", True)
        await worker.finish(fired, also=("b",), kind="failed")
        assert (await session.ended(["call", "b", "c"])).kinds == ["failed"] * 3

    async def test_latch_that_is_dropped_ends_the_pipeline_of_its_callback(
        self, session: Session, worker: Worker
    ) -> None:
        callback = make_pipeline("call", "b", "c", collects=True)
        await session.enqueue(make_members(1), [Latch(1, callback, b"absent")])
        await session.clear(["queue"])
        assert await states_of(session, "call", "b", "c") == ["ended"] * 3
        assert (await session.counts()).expected == 0

    async def test_any_ids_and_messages_may_be_stages(self, session: Session, worker: Worker) -> None:
        ids = [f"{text}!" for text in HOSTILE]
        stages = tuple(Stage(id, bytes([at, 0, 58, 255])) for at, id in enumerate(ids))
        await session.enqueue([make_entry("first", b"\x93", expects=(ids[0],))._replace(stages=stages)])
        assert set(await states_of(session, *ids)) == {"expected"}
        assert await parts_of(session, "first") == [("first", b"\x93"), *map(tuple, stages)]
        delivery: Delivery = await worker.claim_one()
        assert delivery.following == stages[0].data
        await worker.bury(delivery, also=(ids[0],), result=b"no")
        assert set(await states_of(session, *ids)) == {"stored"}
        assert (await session.dead())[0].header.expects == tuple(ids)

    async def test_pipeline_may_be_long(self, session: Session, worker: Worker) -> None:
        ids = [f"s{at}" for at in range(MANY)]
        (delivery,) = await worker.take(make_pipeline(*ids))
        assert (await session.counts()).expected == MANY - 1
        await worker.finish(delivery, follow_ups=(make_next(*ids[1:3]),))
        delivery = await worker.claim_one()
        await worker.bury(delivery, also=(ids[2],), into="failed", result=b"no", ttl=60.0)
        assert (await session.failed(1)).items[0].header.expects == tuple(ids[2:])
        assert await session.peek("results", [ids[2], ids[-1]]) == [b"no"] * 2
        assert (await session.counts()).expected == 0
