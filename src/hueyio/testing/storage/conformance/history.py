"""The history: an entry for each batch that ended tasks, and what is known of attempts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hueyio.storage.contract import Session
from hueyio.storage.records import (
    MOST_ATTEMPTS,
    Answer,
    Cursor,
    Delivery,
    Finish,
    HistoryBatch,
    HistoryEntry,
    Receipt,
    Release,
    Settlement,
)
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.ending import LOOKALIKES
from hueyio.testing.storage.conformance.worker import Worker, eventually, make_entries, make_entry
from hueyio.testing.storage.recipe import Recipe

__all__ = ["PastRuns"]


class PastRuns(Basis):
    """``history``, ``find_ended`` and ``attempts``, and what ``settle`` writes there."""

    async def test_batch_that_ends_tasks_is_one_entry(self, worker: Worker) -> None:
        session = worker.session
        before = await session.time()
        await _end(worker, await worker.take(*make_entries(2)), b"first\n\x00\xff")
        await _end(worker, await worker.take(make_entry("a")), b"second")
        page = await session.history(10)
        assert [it[1:] for it in page.items] == [(("a",), b"second"), (("t0", "t1"), b"first\n\x00\xff")]
        assert page.next is None
        after = await session.time()
        assert all(before - 1 <= it.place[0] <= after + 1 for it in page.items)
        assert await session.find_ended("t1") == page.items[1]
        assert await session.find_ended("t") is None

    async def test_batch_without_history_leaves_none(self, worker: Worker) -> None:
        await worker.finish(await worker.take_one("a"))
        assert (await worker.session.history(10)).items == []
        assert await worker.session.find_ended("a") is None
        assert await worker.session.attempts(["a"]) == [()]
        assert await worker.session.attempts([]) == []

    async def test_any_text_is_an_id(self, worker: Worker) -> None:
        session = worker.session
        ids = list(dict.fromkeys(LOOKALIKES))
        deliveries = await worker.take(*map(make_entry, ids))
        attempts = [(place, str(place).encode()) for place in range(len(ids))]
        await _end(worker, deliveries, b"\na\n\n", attempts)
        (entry,) = (await session.history(1)).items
        assert entry.ids == tuple(ids)
        assert [await session.find_ended(id) for id in ids] == [entry] * len(ids)
        assert await session.attempts(ids) == [(data,) for _, data in attempts]
        assert await session.find_ended("no such id") is None

    async def test_latest_end_of_an_id_is_found(self, worker: Worker) -> None:
        for data in (b"1", b"2"):
            await _end(worker, [await worker.take_one("a")], data)
        found = await worker.session.find_ended("a")
        assert found is not None
        assert found.data == b"2"

    @pytest.mark.parametrize("header", [{}, {"unique_key": "u"}], ids=["plain", "bound"])
    async def test_repeat_writes_nothing_more(self, worker: Worker, header: dict[str, str]) -> None:
        session = worker.session
        (delivery,) = await worker.take(make_entry("a", None, **header))
        await _end(worker, [delivery], b"1", [(0, b"failed")])
        again = await session.settle(
            [Finish(delivery.receipt)], worker.owner, worker.number, HistoryBatch(("a",), (0,), b"1", ((0, b"x"),))
        )
        assert again == ["accepted"]
        assert len((await session.history(10)).items) == 1
        assert await session.attempts(["a"]) == [(b"failed",)]

    async def test_refused_settlements_are_not_remembered(self, worker: Worker) -> None:
        one, two, three, four = await worker.take(*make_entries(4))
        ends: list[Settlement] = [
            Finish(one.receipt),
            Finish(two.receipt._replace(deliveries=1)),
            Release(four.receipt),
            Finish(three.receipt, take=("revocations", "gone")),
            Finish(Receipt("other", "t0", 0)),
        ]
        batch = HistoryBatch(
            ("t0", "t1", "t2"), (0, 1, 3), b"data", tuple((place, b"%d" % place) for place in range(5))
        )
        answers = await _settle(worker, ends, batch)
        assert answers == ["accepted", "stale", "accepted", "untaken", "stale"]
        (entry,) = (await worker.session.history(10)).items
        assert entry[1:] == (("t0", None, None), b"data")
        assert [await worker.session.find_ended(id) for id in ("t0", "t1", "t2")] == [entry, None, None]
        assert await worker.session.attempts(["t0", "t1", "t2", "t3"]) == [(b"0",), (), (), (b"2",)]

    async def test_batch_of_which_nothing_is_accepted_leaves_none(self, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        batch = HistoryBatch(("a",), (0,), b"data", ((0, b"attempt"),))
        assert await _settle(worker, [Finish(delivery.receipt._replace(deliveries=1))], batch) == ["stale"]
        assert await worker.session.settle([Finish(delivery.receipt)], "nobody", 1, batch) == ["stale"]
        assert (await worker.session.history(10)).items == []
        assert await worker.session.attempts(["a"]) == [()]

    async def test_attempts_of_a_task_that_lives_on_are_the_last_ones(self, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        for number in range(MOST_ATTEMPTS + 2):
            again = Finish(delivery.receipt, follow_ups=(make_entry("a"),))
            await _settle(worker, [again], HistoryBatch(attempts=((0, b"%d" % number),)))
            delivery = await worker.claim_one()
        await _settle(worker, [Release(delivery.receipt)], HistoryBatch(attempts=((0, b"cut"),)))
        kept = [b"%d" % number for number in range(MOST_ATTEMPTS + 2)] + [b"cut"]
        assert await worker.session.attempts(["b", "a"]) == [(), tuple(kept[-MOST_ATTEMPTS:])]
        assert (await worker.session.history(10)).items == []

    async def test_pages_show_every_entry_once_while_more_are_written(self, worker: Worker) -> None:
        for number in range(7):
            await _end(worker, await worker.take(*make_entries(1 + number % 2, f"{number}-")), b"%d" % number)
        shown: list[bytes] = []
        start: Cursor | None = None
        while True:
            page = await worker.session.history(3, start)
            assert sum(len(it.ids) for it in page.items) <= 4
            shown += [it.data for it in page.items]
            start = page.next
            if start is None:
                break
            await _end(worker, [await worker.take_one("later")], b"later")
        assert shown == [b"%d" % number for number in (6, 5, 4, 3, 2, 1, 0)]

    async def test_history_is_bounded_by_count(self, recipe: Recipe) -> None:
        session = await recipe.build(keep_history=5).connect()
        worker = await Worker.register(session)
        for number in range(12):
            await _end(worker, await worker.take(*make_entries(2, f"{number}-")), b"", [(0, b"one"), (1, b"two")])
        entries = (await session.history(100)).items
        assert [it.ids[0] for it in entries] == ["11-0", "10-0", "9-0"]
        assert await session.find_ended("8-0") is None
        kept = await session.attempts([f"{number}-{index}" for number in range(12) for index in range(2)])
        assert kept == [()] * 19 + [(b"two",), (b"one",), (b"two",), (b"one",), (b"two",)]
        await session.close()

    async def test_page_goes_on_where_its_entry_is_gone(self, recipe: Recipe) -> None:
        session = await recipe.build(keep_history=2).connect()
        worker = await Worker.register(session)
        for id in ("a", "b"):
            await _end(worker, [await worker.take_one(id)], b"")
        page = await session.history(1)
        for id in ("c", "d", "e"):
            await _end(worker, [await worker.take_one(id)], b"")
        assert await _ids(session) == ["e", "d"]
        assert (await session.history(10, page.next)).items == []
        await session.close()

    async def test_history_is_bounded_by_age(self, recipe: Recipe) -> None:
        session = await recipe.build(history_ttl=0.05).connect()
        worker = await Worker.register(session)
        await _end(worker, [await worker.take_one("a")], b"", [(0, b"attempt")])

        async def is_gone() -> bool:
            await session.promote(0.0, 0)
            return not await _ids(session) and await session.attempts(["a"]) == [()]

        await eventually(is_gone)
        await session.close()

    @pytest.mark.parametrize("bound", ["keep_history", "history_ttl"])
    async def test_zero_switches_it_off(self, recipe: Recipe, bound: str) -> None:
        storage = recipe.build(**{bound: 0})
        session = await storage.connect()
        assert not storage.capabilities.keeps_history
        worker = await Worker.register(session)
        await _end(worker, [await worker.take_one("a")], b"data", [(0, b"attempt")])
        assert await _ids(session) == []
        assert await session.attempts(["a"]) == [()]
        await session.close()

    async def test_clear_forgets_all(self, worker: Worker) -> None:
        await _end(worker, [await worker.take_one("a")], b"1", [(0, b"attempt")])
        await worker.session.clear(["history"])
        assert await _ids(worker.session) == []
        assert await worker.session.attempts(["a"]) == [()]
        assert await worker.session.find_ended("a") is None
        await _end(worker, [await worker.take_one("b")], b"2")
        assert await _ids(worker.session) == ["b"]


async def _settle(worker: Worker, settlements: Sequence[Settlement], history: HistoryBatch) -> list[Answer]:
    worker.number += 1
    return await worker.session.settle(settlements, worker.owner, worker.number, history)


async def _end(
    worker: Worker, deliveries: Sequence[Delivery], data: bytes, attempts: Sequence[tuple[int, bytes]] = ()
) -> None:
    """Finish runs, and have them remembered."""
    ids = tuple(it.receipt.id for it in deliveries)
    history = HistoryBatch(ids, tuple(range(len(ids))), data, tuple(attempts))
    answers = await _settle(worker, [Finish(it.receipt) for it in deliveries], history)
    assert answers == ["accepted"] * len(ids)


async def _ids(session: Session) -> list[str | None]:
    entries: list[HistoryEntry] = (await session.history(100)).items
    return [id for entry in entries for id in entry.ids]
