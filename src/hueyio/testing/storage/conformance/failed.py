"""Failed tasks: kept, listed, bounded, run again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from hueyio.storage.contract import Session
from hueyio.storage.records import (
    ALL_LETTERS,
    LETTERS_LOOKED_AT,
    Bury,
    DeadLetter,
    Delivery,
    EndKind,
    Enqueued,
    Header,
    Over,
    Page,
    Receipt,
    Requeue,
    Wanted,
)
from hueyio.testing.storage.conformance.basis import Basis, Connect
from hueyio.testing.storage.conformance.latches import make_latch, make_members, mark
from hueyio.testing.storage.conformance.worker import Worker, make_entries, make_entry, soon, start_waiting
from hueyio.testing.storage.recipe import Recipe

__all__ = ["Failed"]


class Failed(Basis):
    """``Bury`` into the failed tasks, ``failed``, and ``requeue`` from there."""

    async def test_failed_task_is_kept_with_all_that_is_known_of_it(self, worker: Worker) -> None:
        delivery = await worker.take_one("a", data=b"\x00\xff", lane="thread", priority=0.0, expects=("b",))
        await _fail(worker, delivery, reason="ValueError('“no”: 1')", name="app.täsk", also=("b",))
        (letter,) = (await worker.session.failed(10)).items
        assert letter == DeadLetter(
            delivery.header, b"\x00\xff", "ValueError('“no”: 1')", letter.buried_at, "failed", "app.täsk"
        )
        (found,) = await worker.session.locate(["a"])
        assert (found.state, found.data, found.kind) == ("dead", b"\x00\xff", "failed")
        counts = await worker.session.counts()
        assert (counts.failed, counts.dead, counts.running) == (1, 0, 0)

    async def test_plain_failures_and_good_ends_are_one_batch(self, worker: Worker) -> None:
        session = worker.session
        deliveries = await worker.take(*make_entries(6))
        ends = [
            _failure(it) if index % 2 else worker.end(it, result=b"fine", ttl=600.0)
            for index, it in enumerate(deliveries)
        ]
        assert await worker.settle(*ends) == ["accepted"] * 6
        assert await _ids(session) == ["t5", "t3", "t1"]
        assert await session.peek("results", ["t0", "t1"]) == [b"fine", b"error"]
        assert (await session.ended(["t0", "t1"])).kinds == ["done", "failed"]
        assert (await session.counts()).running == 0

    async def test_plain_failure_deletes_its_revocation(self, worker: Worker) -> None:
        session = worker.session
        await session.put("revocations", {"r:a": b"1", "r:b": b"1"})
        first, second = await worker.take(make_entry("a"), make_entry("b"))
        await worker.settle(
            worker.end(first, result=b"x", ttl=600.0, deletes=(("revocations", "r:a"),)),
            _failure(second, deletes=(("revocations", "r:b"),)),
        )
        assert await session.scan_keys("revocations") == []
        assert await _ids(session) == ["b"]

    @pytest.mark.parametrize("result", [None, b"error"])
    @pytest.mark.parametrize("ttl", [None, 600.0])
    async def test_failure_stores_its_error_or_none(
        self, worker: Worker, result: bytes | None, ttl: float | None
    ) -> None:
        await worker.session.put("results", {"a": b"old"})
        await _fail(worker, await worker.take_one("a"), result=result, ttl=ttl)
        assert await worker.session.peek("results", ["a"]) == [result]
        assert await _ids(worker.session) == ["a"]

    async def test_waiter_of_a_failed_task_is_told(self, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        waiting = await start_waiting(worker.session, "a")
        await _fail(worker, delivery)
        assert await soon(waiting) == [Over("a", b"error", kind="failed")]

    async def test_repeat_and_stale_settlement_keep_nothing_more(self, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        failure = _failure(delivery)
        assert await worker.settle(failure) == ["accepted"]
        assert await worker.session.settle([failure], worker.owner, worker.number) == ["accepted"]
        assert await worker.settle(failure) == ["stale"]
        assert await worker.settle(_failure(delivery._replace(receipt=Receipt("other", "a", 0)))) == ["stale"]
        assert await _ids(worker.session) == ["a"]

    async def test_letter_has_the_message_that_runs_again(self, worker: Worker) -> None:
        await _fail(worker, await worker.take_one("a", data=b"last"), again=b"first")
        assert (await worker.session.failed(1)).items[0].data == b"first"
        assert await _requeue(worker, "a") == ["added"]
        assert (await worker.claim_one()).data == b"first"

    @pytest.mark.parametrize("also", [(), ("b",)], ids=["plain", "bound"])
    async def test_message_that_runs_again_may_be_empty(self, worker: Worker, also: tuple[str, ...]) -> None:
        await _fail(worker, await worker.take_one("a", data=b"last"), again=b"", also=also)
        assert (await worker.session.failed(1)).items[0].data == b""

    async def test_failed_tasks_are_purged_by_their_ids_as_they_were_seen(self, worker: Worker) -> None:
        session = worker.session
        for id in ("a", "b", "c"):
            await _fail(worker, await worker.take_one(id))
        times = {it.header.id: it.buried_at for it in (await session.failed(10)).items}
        assert await session.purge(["c", "b", "none", "b"], "failed", times["c"]) == 1
        assert await _ids(session) == ["c", "a"]
        assert await session.purge(["a"], "failed") == 1
        assert (await session.counts()).failed == 1
        await worker.bury(await worker.take_one("d"))
        (letter,) = await session.dead()
        assert await session.purge(["d"], "dead", letter.buried_at) == 0
        assert await session.purge(None, "failed") == 1
        assert await _ids(session) == ["d"]
        assert await session.purge(["d"], "dead", letter.buried_at + 1) == 1
        assert ((await session.counts()).failed, (await session.counts()).dead) == (0, 0)

    @pytest.mark.parametrize("kind", ["failed", "expired", "cancelled"])
    async def test_failed_tasks_are_no_dead_letters(self, worker: Worker, kind: EndKind) -> None:
        await _fail(worker, await worker.take_one("a"), kind=kind)
        await worker.bury(await worker.take_one("b"), kind="lost", name="app.b")
        assert [it.header.id for it in await worker.session.dead()] == ["b"]
        letters = (await worker.session.failed(10)).items
        assert [(it.header.id, it.kind, it.name) for it in letters] == [("b", "lost", "app.b"), ("a", kind, "app.task")]
        assert await worker.session.purge(["a"]) == 0
        assert await worker.session.purge(["b"], "failed") == 0
        assert await worker.session.purge() == 1
        assert await _ids(worker.session) == ["a"]

    async def test_id_has_one_letter_the_latest(self, worker: Worker) -> None:
        await worker.bury(await worker.take_one("a", data=b"1"), kind="lost")
        await _fail(worker, await worker.take_one("a", data=b"2"))
        assert await worker.session.dead() == []
        assert [it.data for it in (await worker.session.failed(10)).items] == [b"2"]
        await worker.bury(await worker.take_one("a", data=b"3"), kind="lost")
        assert [it.data for it in (await worker.session.failed(10)).items] == [b"3"]
        counts = await worker.session.counts()
        assert (counts.dead, counts.failed) == (1, 0)

    # --- lists

    async def test_letters_are_listed_page_by_page(self, worker: Worker) -> None:
        deliveries = await worker.take(*make_entries(7))
        await _fail(worker, *deliveries[:3])
        await worker.bury(deliveries[3], kind="lost")
        await _fail(worker, *deliveries[4:])
        whole = (await worker.session.failed(100)).items
        assert [it.buried_at for it in whole] == sorted([it.buried_at for it in whole], reverse=True)
        assert {it.header.id for it in whole[:3]} == {"t4", "t5", "t6"}
        paged: list[DeadLetter] = []
        page = await worker.session.failed(2)
        while page.items:
            assert len(page.items) <= 2
            paged += page.items
            page = await worker.session.failed(2, page.next) if page.next else Page([])
        assert paged == whole
        assert await worker.session.failed(0) == Page([])

    @pytest.mark.parametrize(
        ("wanted", "ids"),
        [
            (Wanted(), "dcba"),
            (Wanted(kinds=("failed",)), "da"),
            (Wanted(kinds=("expired", "lost")), "cb"),
            (Wanted(kinds=("undeclared",)), ""),
            (Wanted(name="app.one"), "ca"),
            (Wanted(name="app"), ""),
            (Wanted(text="Error"), "a"),
            (Wanted(text="%"), "d"),
            (Wanted(text="[a"), "d"),
            (Wanted(text="error"), ""),
            (Wanted(name="app.one", text="KeyError('x')", kinds=("failed",)), "a"),
        ],
    )
    async def test_letters_are_chosen_by_kind_name_and_text(self, worker: Worker, wanted: Wanted, ids: str) -> None:
        a, b, c, d = await worker.take(*[make_entry(id) for id in "abcd"])
        await _fail(worker, a, reason="KeyError('x')", name="app.one")
        await _fail(worker, b, reason="", name="app.two", kind="expired")
        await worker.bury(c, reason="its consumer died", name="app.one", kind="lost")
        await _fail(worker, d, reason="100 % of [a-z]", name="app.two")
        assert [it.header.id for it in (await worker.session.failed(10, None, wanted)).items] == list(ids)

    async def test_letters_are_chosen_by_time(self, worker: Worker) -> None:
        session = worker.session
        for id in "abc":
            await _fail(worker, await worker.take_one(id))
        c, b, a = (await session.failed(10)).items
        if a.buried_at == b.buried_at or b.buried_at == c.buried_at:
            pytest.skip("the clock did not go on")
        assert await _ids(session, Wanted(since=b.buried_at)) == ["c", "b"]
        assert await _ids(session, Wanted(until=b.buried_at)) == ["a"]
        assert await _ids(session, Wanted(since=b.buried_at, until=c.buried_at)) == ["b"]
        assert await _ids(session, Wanted(since=c.buried_at, until=b.buried_at)) == []

    async def test_a_call_looks_at_a_bounded_number(self, worker: Worker) -> None:
        await _fail(worker, await worker.take_one("rare"), name="app.rare")
        for at in range(0, LETTERS_LOOKED_AT, 100):
            await _fail(worker, *await worker.take(*make_entries(100, f"{at}-")))
        page = await worker.session.failed(10, None, Wanted(name="app.rare"))
        assert page.items == []
        assert page.next is not None
        page = await worker.session.failed(10, page.next, Wanted(name="app.rare"))
        assert [it.header.id for it in page.items] == ["rare"]
        assert page.next is None

    # --- bounds

    async def test_bound_pushes_the_oldest_out(self, recipe: Recipe) -> None:
        session = await recipe.build(keep_failed=3).connect()
        try:
            worker = await Worker.register(session)
            for index in range(5):
                await _fail(worker, await worker.take_one(f"t{index}"))
            assert await _ids(session) == ["t4", "t3", "t2"]
            await _fail(worker, *await worker.take(*make_entries(7, "u")))
            assert (await session.counts()).failed == 3
            assert [it.state for it in await session.locate(["t4"])] == ["stored"]
        finally:
            await session.close()

    @pytest.mark.parametrize("also", [(), ("later",)], ids=["plain", "bound"])
    async def test_size_pushes_the_oldest_out(self, recipe: Recipe, also: tuple[str, ...]) -> None:
        session = await recipe.build(failed_bytes=1000).connect()
        try:
            worker = await Worker.register(session)
            for index in range(3):
                await _fail(worker, await worker.take_one(f"t{index}", data=bytes(400)), also=also)
            assert await _ids(session) == ["t2", "t1"]
            entries = [make_entry(f"u{index}", bytes(300)) for index in range(5)]
            await _fail(worker, *await worker.take(*entries), also=also)
            assert 2 <= (await session.counts()).failed <= 3
            assert await session.requeue([Requeue((await _ids(session))[0])]) == ["added"]
            await worker.finish(await worker.claim_one())
            await _fail(worker, await worker.take_one("small", data=bytes(300)), also=also)
            assert 2 <= (await session.counts()).failed <= 3
            await _fail(worker, await worker.take_one("huge", data=bytes(1001)), also=also)
            assert await _ids(session) == []
            assert [it.state for it in await session.locate(["huge"])] == ["stored"]
        finally:
            await session.close()

    async def test_failed_tasks_push_out_no_dead_letters(self, recipe: Recipe) -> None:
        session = await recipe.build(keep_failed=2, dead_limit=2).connect()
        try:
            worker = await Worker.register(session)
            await worker.bury(*await worker.take(*make_entries(2)), kind="lost")
            await _fail(worker, *await worker.take(*make_entries(5, "u")))
            counts = await session.counts()
            assert (counts.dead, counts.failed, counts.dead_dropped) == (2, 2, 0)
        finally:
            await session.close()

    @pytest.mark.parametrize("bounds", [{"keep_failed": 0}, {"failed_ttl": 0}, {"failed_bytes": 0}])
    async def test_nothing_is_kept_when_switched_off(self, recipe: Recipe, bounds: dict[str, int]) -> None:
        session = await recipe.build(**bounds).connect()
        try:
            worker = await Worker.register(session)
            first, second = await worker.take(make_entry("a", unique_key="key"), make_entry("b"))
            assert await worker.settle(
                _failure(first, follow_ups=(make_entry("handler"),), also=("c",)), _failure(second)
            ) == ["accepted", "accepted"]
            assert await _ids(session) == []
            assert sorted(await session.scan_keys("results")) == [("a", b"error"), ("b", b"error"), ("c", b"error")]
            assert await worker.claim_ids() == ["handler"]
            assert (await session.ended(["a"])).kinds == ["failed"]
            await worker.bury(await worker.take_one("dead"), kind="lost")
            assert await _ids(session) == ["dead"]
        finally:
            await session.close()

    async def test_what_is_too_old_goes(self, recipe: Recipe) -> None:
        session = await recipe.build(failed_ttl=1e-6).connect()
        try:
            worker = await Worker.register(session)
            await _fail(worker, *await worker.take(*make_entries(3)))
            await worker.bury(await worker.take_one("dead"), kind="lost")
            await session.promote(0.0, 10)
            assert await _ids(session) == ["dead"]
            counts = await session.counts()
            assert (counts.failed, counts.dead) == (0, 1)
        finally:
            await session.close()

    async def test_clear_deletes_failed_tasks_alone(self, worker: Worker) -> None:
        await _fail(worker, *await worker.take(*make_entries(3)))
        await worker.bury(await worker.take_one("dead"), kind="lost")
        await worker.session.clear(["failed"])
        assert await _ids(worker.session) == ["dead"]
        assert (await worker.session.counts()).failed == 0

    # --- run again

    async def test_requeued_task_is_as_one_that_never_ended(self, worker: Worker) -> None:
        session = worker.session
        header = {"lane": "thread", "unique_key": "key", "expects": ("b",), "once_token": "tick", "once_ttl": 600.0}
        delivery = await worker.take_one("a", **header)
        await _fail(worker, delivery, also=("b",))
        assert await _requeue(worker, "a") == ["added"]
        assert await _ids(session) == []
        assert [(it.state, it.kind) for it in await session.locate(["a", "b"])] == [
            ("queued", None),
            ("expected", None),
        ]
        assert (await session.ended(["a", "b"])).kinds == [None, None]
        assert await session.peek("results", ["a", "b"]) == [None, None]
        waiting = await start_waiting(session, "a", "b")
        assert await session.enqueue([make_entry("c", unique_key="key")]) == [Enqueued("taken", "a")]
        again = await worker.claim_one()
        assert not waiting.done()
        assert (again.receipt.deliveries, again.started) == (0, False)
        await worker.finish(again, result=b"fine", also=("b",))
        assert [over.data for over in await soon(waiting)] == [b"fine", b"fine"]

    async def test_requeue_answers_for_each_letter(self, worker: Worker) -> None:
        await _fail(worker, *await worker.take(make_entry("a"), make_entry("b", unique_key="key"), make_entry("c")))
        await worker.session.enqueue([make_entry("a", b"new"), make_entry("d", unique_key="key")])
        assert await _requeue(worker, "a", "b", "c", "c", "none") == ["alive", "taken", "added", "missing", "missing"]
        assert sorted(await _ids(worker.session)) == ["a", "b"]
        assert await worker.session.peek("results", ["a", "b", "c"]) == [b"error", b"error", None]

    async def test_one_of_many_adds_a_letter_when_all_requeue_it(self, worker: Worker, connect: Connect) -> None:
        await _fail(worker, *await worker.take(*make_entries(50)))
        sessions = [await connect() for _ in range(4)]
        letters = [Requeue(f"t{index}") for index in range(50)]
        answers = await asyncio.gather(*(it.requeue(letters) for it in sessions))
        for verdicts in zip(*answers, strict=True):
            assert verdicts.count("added") == 1
            assert {it for it in verdicts if it != "added"} <= {"alive", "missing"}
        assert len(await worker.claim(loop=100)) == 50

    async def test_requeue_of_an_earlier_letter_changes_nothing(self, worker: Worker) -> None:
        session = worker.session
        await _fail(worker, await worker.take_one("a"))
        (letter,) = (await session.failed(1)).items
        assert await session.requeue([Requeue("a", letter.buried_at - 1)]) == ["missing"]
        assert await session.requeue([Requeue("a", letter.buried_at)]) == ["added"]
        assert await session.requeue([Requeue("a", letter.buried_at)]) == ["missing"]

    async def test_requeued_task_keeps_its_once_token_which_nobody_asks_for(self, worker: Worker) -> None:
        session = worker.session
        tick: dict[str, Any] = {"once_token": "tick", "once_ttl": 600.0, "once_key": "series"}
        delivery = await worker.take_one("a", **tick)
        await session.enqueue([make_entry("later", lane="thread", **{**tick, "once_token": "later"})])
        for _ in range(2):
            await _fail(worker, delivery)
            assert [it.header.once_token for it in (await session.failed(10)).items] == ["tick"]
            assert await _requeue(worker, "a") == ["added"]
            (delivery,) = await worker.claim(thread=0)
            assert delivery.header == Header("a", **tick)
        assert await session.peek("ticks", ["series"]) == [b"later"]
        assert await session.enqueue([make_entry("b", **tick)]) == [Enqueued("done")]

    async def test_requeue_takes_another_message(self, worker: Worker) -> None:
        await _fail(worker, await worker.take_one("a"), again=b"kept")
        assert await worker.session.requeue([Requeue("a", None, b"given")]) == ["added"]
        assert (await worker.claim_one()).data == b"given"

    async def test_requeued_task_that_fails_again_has_a_new_letter(self, worker: Worker, connect: Connect) -> None:
        for reason in ("first", "second"):
            other = await Worker.register(await connect())
            if reason == "first":
                await other.session.enqueue([make_entry("a")])
            await _fail(other, await other.claim_one(), reason=reason)
            (letter,) = (await worker.session.failed(10)).items
            assert letter.reason == reason
            assert await _requeue(worker, "a") == ["added"]
        assert (await worker.session.counts()).failed == 0

    # --- chords

    async def test_requeued_callback_has_what_its_members_left(self, worker: Worker) -> None:
        session = worker.session
        for into in ("failed", "dead"):
            await session.enqueue(make_members(2), [make_latch(2)])
            for member in await worker.claim():
                await worker.settle(worker.end(member, latch=mark(member)))
            await _fail(worker, await worker.claim_one(), into=into)
            assert await session.collect(["call"]) == [(b"M0", b"M1")]
            assert await _requeue(worker, "call") == ["added"]
            assert await session.collect(["call"]) == [(b"M0", b"M1")]
            await worker.finish(await worker.claim_one())
            assert await session.collect(["call"]) == [None]
            assert (await session.counts()).latches == 0

    @pytest.mark.parametrize("how", ["clear", "purge one", "purge all", "bound", "age", "switched off"])
    async def test_what_members_left_goes_with_the_letter(self, recipe: Recipe, how: str) -> None:
        bounds: dict[str, dict[str, float]] = {
            "bound": {"keep_failed": 1},
            "age": {"failed_ttl": 1e-6},
            "switched off": {"keep_failed": 0},
        }
        session = await recipe.build(**bounds.get(how, {})).connect()
        try:
            worker = await Worker.register(session)
            into = "dead" if how.startswith("purge") else "failed"
            await session.enqueue(make_members(1), [make_latch(1)])
            member = await worker.claim_one()
            await worker.settle(worker.end(member, latch=mark(member)))
            await _fail(worker, await worker.claim_one(), into=into)
            match how:
                case "clear":
                    await session.clear(["failed"])
                case "purge one":
                    assert await session.purge(["call", "call", "none"]) == 1
                case "purge all":
                    assert await session.purge() == 1
                case "age":
                    await session.promote(0.0, 10)
                case "bound":
                    await _fail(worker, await worker.take_one("other"))
            assert await session.collect(["call"]) == [None]
            assert (await session.counts()).latches == 0
        finally:
            await session.close()

    async def test_requeued_member_counts_anew_before_the_chord_fires(self, worker: Worker) -> None:
        session = worker.session
        await session.enqueue(make_members(2), [make_latch(2)])
        first, second = await worker.claim()
        await _fail(worker, first, latch=mark(first, b"error"))
        assert await _requeue(worker, "m0") == ["added"]
        assert await session.collect(["call"]) == [(None, None)]
        assert await worker.settle(worker.end(second, latch=mark(second))) == ["accepted"]
        again = await worker.claim_one()
        assert await worker.settle(worker.end(again, latch=mark(again))) == ["fired"]
        assert await session.collect(["call"]) == [(b"M0", b"M1")]

    async def test_requeued_member_changes_nothing_after_the_chord_fired(self, worker: Worker) -> None:
        session = worker.session
        await session.enqueue(make_members(1), [make_latch(1)])
        member = await worker.claim_one()
        assert await worker.settle(_failure(member, latch=mark(member, b"error"))) == ["fired"]
        assert await _requeue(worker, "m0") == ["late"]
        callback, again = sorted(await worker.claim(), key=lambda it: it.header.id)
        assert await worker.settle(worker.end(again, latch=mark(again))) == ["accepted"]
        assert await session.collect([callback.header.id]) == [(b"error",)]
        await worker.finish(callback)
        assert (await session.counts()).latches == 0

    @pytest.mark.parametrize("end", ["finished", "kept", "cleared"])
    async def test_requeued_member_is_late_when_its_chord_is_over(self, worker: Worker, end: str) -> None:
        session = worker.session
        await session.enqueue(make_members(1), [make_latch(1)])
        member = await worker.claim_one()
        assert await worker.settle(_failure(member, latch=mark(member, b"error"))) == ["fired"]
        callback = await worker.claim_one()
        await (_fail(worker, callback) if end == "kept" else worker.finish(callback))
        if end == "cleared":
            await session.clear(["results"])
        assert await _requeue(worker, "m0", "m0") == ["late", "missing"]
        again = await worker.claim_one()
        assert await worker.settle(worker.end(again, latch=mark(again))) == ["accepted"]
        assert await session.collect(["call"]) == [(b"error",) if end == "kept" else None]

    async def test_chord_begins_anew_under_the_id_of_a_callback_that_is_kept(self, worker: Worker) -> None:
        session = worker.session
        for value in (b"old", b"new"):
            await session.enqueue(make_members(1), [make_latch(1)])
            member = await worker.claim_one()
            assert await _requeue(worker, "call") == ["missing" if value == b"old" else "alive"]
            assert await worker.settle(worker.end(member, latch=mark(member, value))) == ["fired"]
            assert await session.collect(["call"]) == [(value,)]
            await _fail(worker, await worker.claim_one())


def _failure(delivery: Delivery, **more: object) -> Bury:
    given = {"result": b"error", "ttl": 600.0, "into": "failed", "name": "app.task", **more}
    return Bury(delivery.receipt, given.pop("reason", "ValueError('no')"), **given)  # type: ignore[arg-type]


async def _fail(worker: Worker, *deliveries: Delivery, **more: object) -> None:
    assert await worker.settle(*[_failure(it, **more) for it in deliveries]) == ["accepted"] * len(deliveries)


async def _ids(session: Session, wanted: Wanted = ALL_LETTERS) -> Sequence[str]:
    return [it.header.id for it in (await session.failed(1000, None, wanted)).items]


async def _requeue(worker: Worker, *ids: str) -> Sequence[str]:
    return await worker.session.requeue([Requeue(id) for id in ids])
