"""What is remembered of an id that is over, and what a wait makes of one of which nothing is known."""

from __future__ import annotations

import asyncio
import time
from typing import Final, get_args

import pytest

from hueyio.storage.contract import Session
from hueyio.storage.records import Bury, Defer, Ended, EndKind, Entry, Finish, Found, Over, Receipt, Requeue
from hueyio.testing.storage.conformance.basis import Basis, Connect
from hueyio.testing.storage.conformance.names import HOSTILE
from hueyio.testing.storage.conformance.worker import Worker, eventually, make_entries, make_entry, soon, start_waiting
from hueyio.testing.storage.recipe import Recipe

__all__ = ["Ending"]

KINDS: Final[tuple[EndKind, ...]] = get_args(EndKind)

LOOKALIKES: Final = [
    *HOSTILE, "1", "11", "111", "a:failed", "f:a", "failed", "done:a", "a\td", "\ta", "a\t", "\\", "\\\\", "a\\", "\\t",
    "\na\n", "a\nda", "\x00", "a\x00", "\x00a", "\x1f", "d", "da", "ad", "z" * 20_000, "z" * 20_001,
]  # fmt: skip
"""Ids that could be taken for parts of others, or for what a storage writes around them."""


async def kinds_of(session: Session, *ids: str) -> list[EndKind | None]:
    """Ask which way ids ended, in both ways that there are, and expect the same."""
    kinds = (await session.ended(ids)).kinds
    for found, kind in zip(await session.locate(ids), kinds, strict=True):
        if found.state in ("ended", "unknown", "stored", "dead"):
            assert (found.state == "unknown") == (kind is None and found.data is None)
            assert found.kind == kind
    return kinds


class Ending(Basis):
    """Tombstones: every way to end leaves one, nothing else does, and they are bounded."""

    async def test_nothing_is_known_of_an_id_that_never_was(self, session: Session) -> None:
        assert await session.ended(["a", "b"]) == Ended([None, None], None)
        assert await session.locate(["a"]) == [Found("a", "unknown")]
        assert await session.ended([]) == Ended([], None)

    @pytest.mark.parametrize("kind", KINDS)
    async def test_end_is_remembered_when_nothing_else_is_left(self, worker: Worker, kind: EndKind) -> None:
        session = worker.session
        plain, other = await worker.take(make_entry("plain"), make_entry("other", expects=("later",)))
        await worker.finish(plain, kind=kind)
        await worker.finish(other, kind=kind, deletes=(("data", "key"),), also=("later",))
        assert await kinds_of(session, "plain", "other", "later") == [kind] * 3
        assert await session.locate(["plain"]) == [Found("plain", "ended", kind=kind)]
        assert await soon(session.await_outcomes(["plain"])) == [Over("plain", None, kind=kind)]
        assert (await session.ended(["plain"])).since is None

    @pytest.mark.parametrize("kind", KINDS)
    async def test_end_is_told_with_its_kind(self, worker: Worker, connect: Connect, kind: EndKind) -> None:
        entries = [make_entry("none"), make_entry("value"), make_entry("big"), make_entry("other", expects=("later",))]
        none, value, big, other = await worker.take(*entries)
        ids = ["none", "value", "big", "other", "later"]
        waits = [await start_waiting(it, *ids) for it in (worker.session, await connect())]
        large = b"x" * 300_000
        await worker.finish(none, kind=kind)
        await worker.finish(value, result=b"value", kind=kind)
        await worker.finish(big, result=large, kind=kind)
        await worker.finish(other, also=("later",), kind=kind)
        for overs in await soon(asyncio.gather(*waits)):
            data = [None, b"value", large, None, None]
            assert [(it.id, it.data, it.kind) for it in overs] == [*zip(ids, data, [kind] * 5, strict=True)]

    async def test_end_of_a_whole_batch_is_remembered(self, worker: Worker) -> None:
        deliveries = await worker.take(*make_entries(60))
        ends = [Finish(it.receipt, kind=KINDS[at % len(KINDS)]) for at, it in enumerate(deliveries)]
        assert await worker.settle(*ends) == ["accepted"] * 60
        ids = [it.receipt.id for it in deliveries]
        assert await kinds_of(worker.session, *ids) == [end.kind for end in ends]

    async def test_task_is_done_when_its_value_was_read(self, worker: Worker) -> None:
        session = worker.session
        await worker.finish(await worker.take_one(), result=b"value")
        assert await session.locate(["a"]) == [Found("a", "stored", b"value", kind="done")]
        assert await session.pop("results", "a") == b"value"
        assert await session.locate(["a"]) == [Found("a", "ended", kind="done")]
        assert await soon(session.await_outcomes(["a"])) == [Over("a", None, kind="done")]

    async def test_task_is_failed_when_its_error_has_expired(self, worker: Worker) -> None:
        await worker.finish(await worker.take_one(), result=b"error", ttl=0.05, kind="failed")

        async def is_gone() -> bool:
            return await worker.session.peek("results", ["a"]) == [None]

        await eventually(is_gone)
        assert await kinds_of(worker.session, "a") == ["failed"]

    async def test_value_that_was_put_by_hand_is_no_end(self, session: Session) -> None:
        await session.put("results", {"a": b"value"})
        assert await session.locate(["a"]) == [Found("a", "stored", b"value")]
        assert await kinds_of(session, "a") == [None]

    @pytest.mark.parametrize("kind", KINDS)
    async def test_burial_is_remembered_when_the_letter_is_gone(self, worker: Worker, kind: EndKind) -> None:
        delivery = await worker.take_one(expects=("b",))
        await worker.bury(delivery, kind=kind, also=("b",))
        assert (await worker.session.locate(["a"]))[0][1:] == ("dead", b"a", False, kind)
        assert await worker.session.purge() == 1
        assert await kinds_of(worker.session, "a", "b") == [kind, kind]

    async def test_burial_is_a_failure_unless_it_says_otherwise(self, worker: Worker) -> None:
        await worker.settle(Bury((await worker.take_one()).receipt, "because"))
        assert await kinds_of(worker.session, "a") == ["failed"]

    async def test_what_nobody_expects_any_more_is_cancelled(self, worker: Worker) -> None:
        await worker.finish(await worker.take_one(expects=("b", "c")), follow_ups=(make_entry("b"),))
        assert await kinds_of(worker.session, "a", "b", "c") == ["done", None, "cancelled"]

    @pytest.mark.parametrize("what", ["queue", "schedule"])
    async def test_what_is_cleared_is_cancelled(self, session: Session, what: str) -> None:
        eta = None if what == "queue" else time.time() + 60
        await session.enqueue([make_entry("a", eta=eta, expects=("b",)), make_entry("c", eta=eta, lane="thread")])
        await session.enqueue([make_entry("d", eta=time.time() + 60 if what == "queue" else None, expects=("e", "b"))])
        await session.clear([what])  # type: ignore[list-item]
        assert await kinds_of(session, *"abcde") == ["cancelled", None, "cancelled", None, None]
        assert [it.state for it in await session.locate(["b", "e"])] == ["expected", "expected"]

    async def test_run_that_goes_on_leaves_no_tombstone(self, worker: Worker) -> None:
        retried, deferred, released, running = await worker.take(*make_entries(4))
        eta = time.time() + 60
        await worker.retry(retried, make_entry("t0", eta=eta), intermediate=b"error")
        await worker.settle(Defer(deferred.receipt, deferred.header._replace(eta=eta)))
        await worker.release(released)
        assert await worker.settle(Finish(Receipt("another", running.receipt.id, 0))) == ["stale"]
        assert await worker.settle(Finish(running.receipt, take=("revocations", "none"))) == ["untaken"]
        assert await kinds_of(worker.session, "t0", "t1", "t2", "t3") == [None] * 4

    async def test_repeated_settlement_changes_nothing(self, worker: Worker) -> None:
        delivery = await worker.take_one()
        await worker.finish(delivery, kind="failed")
        again = [Finish(delivery.receipt, kind="done")]
        assert await worker.session.settle(again, worker.owner, worker.number) == ["accepted"]
        assert await worker.session.settle(again, worker.owner, worker.number + 1) == ["stale"]
        assert await kinds_of(worker.session, "a") == ["failed"]

    # --- an id that lives again

    @pytest.mark.parametrize("first", ["done", "failed", "expired"])
    @pytest.mark.parametrize("second", ["done", "failed", "expired"])
    async def test_later_end_replaces_the_earlier_one(self, worker: Worker, first: EndKind, second: EndKind) -> None:
        await worker.finish(await worker.take_one(), kind=first)
        await worker.finish(await worker.take_one("b"), kind=first)
        await worker.finish(await worker.take_one(), kind=second)
        assert await kinds_of(worker.session, "a", "b") == [second, first]

    async def test_what_is_alive_again_is_waited_for(self, worker: Worker) -> None:
        session = worker.session
        await worker.finish(await worker.take_one(), kind="failed")
        await worker.finish(await worker.take_one("b"), kind="expired")
        delivery = await worker.take_one("a", expects=("b",))
        assert [it.state for it in await session.locate(["a", "b"])] == ["running", "expected"]
        waiting = await start_waiting(session, "a", "b")
        assert not waiting.done()
        await worker.finish(delivery, also=("b",))
        assert await soon(waiting) == [Over("a", None, kind="done"), Over("b", None, kind="done")]

    async def test_requeue_takes_the_tombstones_back(self, worker: Worker) -> None:
        session = worker.session
        await worker.bury(await worker.take_one(expects=("b",)), also=("b",), kind="lost")
        assert await session.requeue([Requeue("a")]) == ["added"]
        assert (await session.ended(["a", "b"])).kinds == [None, None]
        assert [it.state for it in await session.locate(["a", "b"])] == ["queued", "expected"]
        await worker.finish(await worker.claim_one(), also=("b",))
        assert await kinds_of(session, "a", "b") == ["done", "done"]

    async def test_letter_that_stays_keeps_its_tombstone(self, worker: Worker) -> None:
        session = worker.session
        await worker.bury(await worker.take_one(unique_key="key"), kind="lost")
        await session.enqueue([make_entry("holder", unique_key="key")])
        assert await session.requeue([Requeue("a"), Requeue("none")]) == ["taken", "missing"]
        assert await kinds_of(session, "a") == ["lost"]

    # --- any text is an id

    async def test_no_id_is_taken_for_another(self, worker: Worker) -> None:
        session = worker.session
        ids = list(dict.fromkeys(LOOKALIKES))
        ended: dict[str, EndKind] = {id: KINDS[at % len(KINDS)] for at, id in enumerate(ids[::2])}
        for some in (list(ended)[:9], list(ended)[9:]):
            deliveries = await worker.take(*[Entry(make_entry(id).header, b"") for id in some])
            await worker.settle(*[Finish(it.receipt, kind=ended[it.receipt.id]) for it in deliveries])
        assert await kinds_of(session, *ids) == [ended.get(id) for id in ids]

    # --- bounds

    async def test_oldest_are_forgotten_when_there_are_too_many(self, recipe: Recipe) -> None:
        session = await recipe.build(keep_ended=100).connect()
        try:
            worker = await Worker.register(session)
            began = time.time()
            await worker.finish(*await worker.take(*make_entries(10, "first")))
            assert (await session.ended(["first0"])).since is None
            for batch in range(40):
                await worker.finish(*await worker.take(*make_entries(10, f"b{batch}-")), kind=KINDS[batch % 2])
            ids = [f"b{batch}-{at}" for batch in range(40) for at in range(10)]
            kinds = await kinds_of(session, *ids)
            assert 50 <= sum(kind is not None for kind in kinds) <= 110
            assert None not in kinds[-50:]
            assert await kinds_of(session, "first0", "first9") == [None, None]
            since = (await session.ended([])).since
            assert since is not None
            assert began - 1 <= since <= time.time() + 1
        finally:
            await session.close()

    async def test_nothing_is_remembered_when_nothing_is_kept(self, recipe: Recipe) -> None:
        session = await recipe.build(keep_ended=0).connect()
        try:
            worker = await Worker.register(session)
            one, two = await worker.take(make_entry("a"), make_entry("b", expects=("c",)))
            waiting = await start_waiting(session, "a", "b", "c")
            await worker.finish(one, kind="expired")
            await worker.finish(two, kind="failed", also=("c",))
            told = await soon(waiting)
            assert told == [Over("a", None, kind="expired"), *[Over(id, None, kind="failed") for id in "bc"]]
            assert await kinds_of(session, "a", "b", "c") == [None] * 3
            since = (await session.ended([])).since
            assert since is not None
            assert abs(since - time.time()) < 60
        finally:
            await session.close()

    # --- waits for what is not known

    async def test_patient_wait_ends_when_the_task_was_enqueued_later(self, worker: Worker, connect: Connect) -> None:
        patient = asyncio.create_task((await connect()).await_outcomes(["a"], "wait"))
        own = asyncio.create_task(worker.session.await_outcomes(["a"], "wait"))
        await start_waiting(worker.session, "another")
        delivery = await worker.take_one()
        assert not patient.done()
        assert not own.done()
        await worker.finish(delivery, kind="expired")
        for it in (patient, own):
            assert [over[::3] for over in await soon(it)] == [("a", "expired")]

    async def test_patient_wait_ends_at_once_when_the_end_is_known(self, worker: Worker) -> None:
        session = worker.session
        one, two = await worker.take(make_entry("a"), make_entry("b"))
        await worker.finish(one)
        await worker.finish(two, result=b"value", kind="failed")
        overs = await soon(session.await_outcomes(["a", "b"], "wait"))
        assert overs == [Over("a", None, kind="done"), Over("b", b"value", kind="failed")]

    async def test_patient_and_impatient_waits_share_an_id(self, worker: Worker) -> None:
        session = worker.session
        patient = asyncio.create_task(session.await_outcomes(["a"], "wait"))
        one, two = await soon(asyncio.gather(session.await_outcomes(["a"]), session.await_outcomes(["a", "b"])))
        assert (one, two) == ([Over("a", None)], [Over("a", None), Over("b", None)])
        late = asyncio.create_task(session.await_outcomes(["a"], "wait"))
        assert await soon(session.await_outcomes(["a"])) == [Over("a", None)]
        delivery = await worker.take_one()
        assert not patient.done()
        assert not late.done()
        assert not (await start_waiting(session, "a")).done()
        await worker.finish(delivery)
        assert await soon(patient) == await soon(late) == [Over("a", None, kind="done")]

    async def test_patient_wait_that_is_cancelled_leaves_nothing_behind(self, worker: Worker, connect: Connect) -> None:
        other = await connect()
        gone = asyncio.create_task(other.await_outcomes(["a"], "wait"))
        await soon(other.await_outcomes(["nobody has this id"]))
        gone.cancel()
        await asyncio.wait([gone])
        await soon(other.await_outcomes(["nobody has this id"]))
        stays = asyncio.create_task(worker.session.await_outcomes(["a"], "wait"))
        delivery = await worker.take_one()
        await worker.finish(delivery, result=b"value")
        assert await soon(stays) == [Over("a", b"value", shared=False, kind="done")]
