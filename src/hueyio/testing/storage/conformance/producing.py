"""Tasks on their way in."""

from __future__ import annotations

import time
from typing import Any

import pytest

from hueyio.storage.contract import Session
from hueyio.storage.records import Enqueued, Entry, Header
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.worker import Worker, eventually, make_entries, make_entry

__all__ = ["Producing"]

ADDED = Enqueued("added")
ALIVE = Enqueued("alive")
DONE = Enqueued("done")


class Producing(Basis):
    """``enqueue``: idempotent by id, unique keys, once tokens, expected ids."""

    async def test_enqueue_answers_for_each_entry_in_order(self, session: Session) -> None:
        first = await session.enqueue(make_entries(2))
        assert first == [ADDED, ADDED]
        assert await session.enqueue([make_entry("t1"), make_entry("new"), make_entry("t0")]) == [ALIVE, ADDED, ALIVE]

    async def test_enqueue_of_nothing_does_nothing(self, session: Session) -> None:
        assert await session.enqueue([]) == []

    async def test_delivery_has_the_whole_header_and_the_bytes(self, worker: Worker) -> None:
        header = Header(
            id="a",
            lane="process",
            priority=2.5,
            max_deliveries=7,
            unique_key="key",
            once_token="token",
            once_ttl=60.0,
            once_key="series",
            first_seen=1234567890.123456,
            defers=4,
            expects=("b", "c"),
        )
        data = bytes(range(256))
        await worker.session.enqueue([Entry(header, data)])
        delivery = await worker.claim_one()
        assert delivery.receipt == (worker.owner, "a", 0)
        assert delivery.header == header
        assert delivery.data == data
        assert (delivery.started, delivery.cancelled) == (False, False)

    @pytest.mark.parametrize("state", ["queued", "scheduled", "running"])
    async def test_enqueue_leaves_an_id_alone_that_is_alive(self, worker: Worker, state: str) -> None:
        session = worker.session
        await session.enqueue([make_entry("a", b"first", eta=time.time() + 60 if state == "scheduled" else None)])
        if state == "running":
            await worker.claim_one()
        assert await session.enqueue([make_entry("a", b"second", lane="thread")]) == [ALIVE]
        (found,) = await session.locate(["a"])
        assert (found.state, found.data) == (state, b"first")
        assert await worker.claim_ids(loop=0) == []

    async def test_enqueue_adds_an_id_once_that_is_twice_in_a_batch(self, worker: Worker) -> None:
        answers = await worker.session.enqueue([make_entry("a", b"first"), make_entry("a", b"second")])
        assert answers == [ADDED, ALIVE]
        assert (await worker.claim_one()).data == b"first"

    async def test_enqueue_adds_an_id_again_that_is_over(self, worker: Worker) -> None:
        await worker.finish(await worker.take_one("a"), result=b"result")
        assert await worker.session.enqueue([make_entry("a", b"again")]) == [ADDED]
        assert (await worker.claim_one()).data == b"again"

    @pytest.mark.parametrize("distance", [-60.0, 60.0])
    async def test_enqueue_puts_an_entry_with_an_eta_into_the_schedule(self, worker: Worker, distance: float) -> None:
        eta = time.time() + distance
        await worker.session.enqueue([make_entry("a", eta=eta)])
        assert (await worker.session.locate(["a"]))[0].state == "scheduled"
        assert await worker.claim_ids() == []
        (entry,) = await worker.session.scan_tasks("scheduled")
        assert entry.header.eta == eta

    # --- once tokens

    async def test_once_token_lets_one_entry_through(self, worker: Worker) -> None:
        entries = [make_entry(id, once_token="tick", once_ttl=60.0) for id in "abc"]
        assert await worker.session.enqueue(entries[:2]) == [ADDED, DONE]
        assert await worker.session.enqueue(entries[2:]) == [DONE]
        assert await worker.claim_ids() == ["a"]

    async def test_once_key_keeps_the_token_of_the_last_entry_that_was_added(self, worker: Worker) -> None:
        session = worker.session
        for id, token in [("a", "tick 1"), ("b", "tick 2"), ("c", "tick 1"), ("a", "tick 3")]:
            await session.enqueue([make_entry(id, once_token=token, once_ttl=60.0, once_key="series")])
        await session.enqueue([make_entry("d", once_token="tick 9", once_ttl=60.0)])
        assert await session.scan_keys("ticks") == [("series", b"tick 2")]

    async def test_once_token_is_remembered_when_its_task_is_over(self, worker: Worker) -> None:
        await worker.finish(await worker.take_one("a", once_token="tick", once_ttl=60.0))
        again = [make_entry("a", once_token="tick", once_ttl=60.0), make_entry("b", once_token="tick")]
        assert await worker.session.enqueue(again) == [DONE, DONE]

    async def test_once_token_is_forgotten_when_its_time_is_over(self, session: Session) -> None:
        await session.enqueue([make_entry("a", once_token="tick", once_ttl=0.05)])

        async def is_forgotten() -> bool:
            return await session.enqueue([make_entry("b", once_token="tick", once_ttl=60.0)]) == [ADDED]

        await eventually(is_forgotten)
        assert await session.enqueue([make_entry("c", once_token="tick", once_ttl=60.0)]) == [DONE]

    async def test_once_token_of_an_entry_that_was_not_added_is_not_remembered(self, session: Session) -> None:
        await session.enqueue([make_entry("a", unique_key="key")])
        answers = await session.enqueue([
            make_entry("a", once_token="first"),
            make_entry("b", once_token="second", unique_key="key"),
        ])  # fmt: skip
        assert answers == [ALIVE, Enqueued("taken", "a")]
        tokens = [make_entry("c", once_token="first"), make_entry("d", once_token="second")]
        assert await session.enqueue(tokens) == [ADDED, ADDED]

    # --- unique keys

    @pytest.mark.parametrize("state", ["queued", "scheduled", "running"])
    async def test_unique_key_is_held_while_its_task_is_alive(self, worker: Worker, state: str) -> None:
        session = worker.session
        eta = time.time() + 60 if state == "scheduled" else None
        await session.enqueue([make_entry("a", unique_key="key", eta=eta)])
        if state == "running":
            await worker.claim_one()
        answers = await session.enqueue([make_entry("b", unique_key="key"), make_entry("c", unique_key="other")])
        assert answers == [Enqueued("taken", "a"), ADDED]
        assert (await session.locate(["b"]))[0].state == "unknown"

    async def test_unique_key_admits_one_of_a_batch(self, session: Session) -> None:
        entries = make_entries(3, unique_key="key")
        assert await session.enqueue(entries) == [ADDED, Enqueued("taken", "t0"), Enqueued("taken", "t0")]

    @pytest.mark.parametrize("keys", [("q", None, "p"), ("p", "p", None), ("q", "p", "q")])
    async def test_first_entry_of_an_id_counts_whatever_their_keys(
        self, session: Session, keys: tuple[str | None, ...]
    ) -> None:
        assert await session.enqueue([make_entry("a", unique_key=key) for key in keys]) == [ADDED, ALIVE, ALIVE]
        (other,) = await session.enqueue([make_entry("b", unique_key=keys[0])])
        assert other == Enqueued("taken", "a")

    async def test_first_entry_of_a_token_counts_whatever_their_keys(self, session: Session) -> None:
        entries = [make_entry(f"t{key}", unique_key=key, once_token="tick", once_ttl=60.0) for key in "cba"]
        assert await session.enqueue(entries) == [ADDED, DONE, DONE]

    @pytest.mark.parametrize("end", ["finish", "bury", "clear"])
    async def test_unique_key_is_free_when_its_task_is_over(self, worker: Worker, end: str) -> None:
        session = worker.session
        await session.enqueue([make_entry("a", unique_key="key")])
        if end == "clear":
            await session.clear(["queue"])
        elif end == "bury":
            await worker.bury(await worker.claim_one())
        else:
            await worker.finish(await worker.claim_one())
        assert await session.enqueue([make_entry("b", unique_key="key")]) == [ADDED]

    async def test_checks_come_in_the_order_alive_token_key(self, session: Session) -> None:
        header: dict[str, Any] = {"once_token": "tick", "unique_key": "key"}
        assert await session.enqueue([make_entry("a", **header)]) == [ADDED]
        answers = await session.enqueue([make_entry("a", **header), make_entry("b", **header)])
        assert answers == [ALIVE, DONE]

    # --- expected ids

    async def test_expected_ids_are_written_with_the_entry(self, session: Session) -> None:
        await session.enqueue([make_entry("a", expects=("b", "c"))])
        assert [found.state for found in await session.locate(["a", "b", "c"])] == ["queued", "expected", "expected"]
        assert (await session.counts()).expected == 2

    async def test_expected_ids_that_are_alive_stay_what_they_are(self, session: Session) -> None:
        await session.enqueue([make_entry("b")])
        await session.enqueue([make_entry("a", expects=("b",))])
        assert (await session.locate(["b"]))[0].state == "queued"
        assert (await session.counts()).expected == 0

    async def test_expected_ids_of_an_entry_that_was_not_added_are_not_written(self, session: Session) -> None:
        await session.enqueue([make_entry("a", unique_key="key", once_token="tick")])
        await session.enqueue([
            make_entry("a", expects=("x",)),
            make_entry("b", expects=("y",), unique_key="key"),
            make_entry("c", expects=("z",), once_token="tick"),
        ])  # fmt: skip
        assert [found.state for found in await session.locate(["x", "y", "z"])] == ["unknown"] * 3

    async def test_expected_id_becomes_a_task_when_it_is_enqueued(self, session: Session) -> None:
        await session.enqueue([make_entry("a", expects=("b",))])
        assert await session.enqueue([make_entry("b")]) == [ADDED]
        assert (await session.locate(["b"]))[0].state == "queued"
        assert (await session.counts()).expected == 0
