"""Lists of tasks, a part at a time, and what is known of one id."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final, get_args

import pytest

from hueyio.exceptions import HueyException
from hueyio.storage.contract import Session
from hueyio.storage.records import (
    LISTED_AT_ONCE,
    LISTED_BYTES,
    DeadLetter,
    Entry,
    Latch,
    LatchMark,
    Listed,
    ListedState,
    Requeue,
)
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.names import HOSTILE
from hueyio.testing.storage.conformance.worker import Worker, make_entries, make_entry, make_suspects

__all__ = ["ListingTasks"]

STATES: Final[tuple[ListedState, ...]] = get_args(ListedState)


@dataclass
class Reader:
    """Goes through a list, a part at a time."""

    session: Session
    state: ListedState
    after: str | None = None
    is_over: bool = False

    async def read(self, limit: int) -> list[Listed]:
        """Read one part."""
        part = await self.session.page(self.state, limit, self.after)
        assert len(part.items) <= limit
        assert all(it.state == self.state and it.place for it in part.items)
        self.after, self.is_over = part.next, part.next is None
        return part.items

    async def read_rest(self, limit: int) -> list[Listed]:
        """Read all that follows."""
        found: list[Listed] = []
        for _ in range(1000):  # and not for ever
            found += await self.read(limit)
            if self.is_over:
                return found
        raise AssertionError("the list does not end")


async def read_all(session: Session, state: ListedState, limit: int) -> list[str]:
    """List the ids of all tasks of a state."""
    return [it.id for it in await Reader(session, state).read_rest(limit)]


class ListingTasks(Basis):
    """``page``, ``describe``, and counts that are bounded."""

    async def test_lists_are_empty_when_nothing_is_there(self, session: Session) -> None:
        for state in STATES:
            assert await session.page(state, 10) == ([], None)

    async def test_ready_tasks_are_paged_in_the_order_of_claims(self, session: Session) -> None:
        await make_suspects(session, "bad")
        lanes = ("process", "loop", "thread", "loop", "thread")
        await session.enqueue([make_entry(f"{lane}{at}", lane=lane) for at, lane in enumerate(lanes)])
        await session.enqueue([make_entry("loop9", priority=0.0)])
        in_order = [it.header.id for it in await session.scan_tasks("queued")]
        assert in_order[0] == "bad"
        for limit in (1, 2, len(in_order), 100):
            assert await read_all(session, "ready", limit) == in_order
        (bad,) = await Reader(session, "ready").read(1)
        assert (bad.deliveries, bad.head, bad.owner) == (2, b"bad", None)
        assert bad.header == make_entry("bad").header

    async def test_priorities_are_paged_in_their_order(self, session: Session) -> None:
        priorities = (0.0, 5.0, -1.0, 5.0, 0.5, 0.0, 1e6, -1e6, 5.0)
        await session.enqueue([make_entry(f"t{at}", priority=it) for at, it in enumerate(priorities)])
        in_order = [it.header.id for it in await session.scan_tasks("queued")]
        assert await read_all(session, "ready", 2) == in_order

    async def test_scheduled_tasks_are_paged_the_earliest_first(self, session: Session) -> None:
        now = time.time()
        await session.enqueue([make_entry(f"t{at}", eta=now + at % 3 * 100 + 60.5) for at in range(9)])
        for limit in (1, 4, 9):
            found = await Reader(session, "scheduled").read_rest(limit)
            etas = [it.header.eta for it in found if it.header is not None]
            assert etas == sorted(now + at % 3 * 100 + 60.5 for at in range(9))
            assert sorted(it.id for it in found) == [f"t{at}" for at in range(9)]

    async def test_running_tasks_are_paged_with_who_has_them(self, session: Session) -> None:
        one, two = await Worker.register(session), await Worker.register(session)
        await session.enqueue(make_entries(4))
        (begun, *_) = await one.claim(loop=2)
        await two.claim()
        await session.start([begun.receipt], one.owner)
        assert await session.report(begun.receipt, b"half")
        await session.cancel([begun.receipt.id], two.owner)
        found = {it.id: it for it in await Reader(session, "running").read_rest(1)}
        assert sorted(found) == ["t0", "t1", "t2", "t3"]
        assert [found[id].owner for id in sorted(found)] == [one.owner] * 2 + [two.owner] * 2
        it = found["t0"]
        assert (it.started, it.cancelled, it.progress, it.deliveries, it.head) == (True, True, b"half", 0, b"t0")
        assert (found["t3"].started, found["t3"].cancelled, found["t3"].progress) == (False, False, None)

    async def test_waiting_tasks_are_paged_with_what_they_wait_for(self, session: Session) -> None:
        await session.enqueue([make_entry("one", expects=("x", "y")), make_entry("two", expects=("y",))])
        callback = make_entry("call", b"back", lane="thread", collects=True)
        await session.enqueue([make_entry("m", latch="call", latch_index=0)], [Latch(1, callback)])
        for limit in (1, 2, 10):
            found = {it.id: it for it in await Reader(session, "waiting").read_rest(limit)}
            assert sorted(found) == ["call", "x", "y"]
            assert (found["x"].namers, found["y"].namers) == (("one",), ("one", "two"))
            assert (found["x"].header, found["x"].head) == (None, b"")
            call = found["call"]
            assert call.header is not None
            assert (call.header.lane, call.head, call.namers) == ("thread", b"back", ("call",))

    async def test_any_text_is_paged(self, session: Session) -> None:
        await session.enqueue([make_entry(f"t{at}", expects=(id,)) for at, id in enumerate(HOSTILE)])
        assert sorted(await read_all(session, "waiting", 3)) == sorted(HOSTILE)
        await session.enqueue([make_entry(id, eta=time.time() + 60) for id in HOSTILE])
        assert sorted(await read_all(session, "scheduled", 3)) == sorted(HOSTILE)
        await session.promote(time.time() + 90, 100)
        assert sorted(await read_all(session, "ready", 5)) == sorted(
            [*(f"t{at}" for at in range(len(HOSTILE))), *HOSTILE]
        )
        workers = [await Worker.register(session, owner) for owner in HOSTILE[:4]]
        for worker in workers:
            await worker.claim(loop=15)
        running = await Reader(session, "running").read_rest(4)
        held = [(it.owner, task.receipt.id) for it in workers for task in await session.held(it.owner)]
        assert sorted((it.owner, it.id) for it in running) == sorted(held)

    async def test_nothing_that_stays_is_left_out_when_others_are_claimed(self, worker: Worker) -> None:
        session = worker.session
        await session.enqueue(make_entries(20))
        reader = Reader(session, "ready")
        assert [it.id for it in await reader.read(4)] == ["t0", "t1", "t2", "t3"]
        await worker.claim(loop=2)
        assert [it.id for it in await reader.read(4)] == ["t4", "t5", "t6", "t7"]
        await worker.claim(loop=8)  # the last that was listed too
        assert [it.id for it in await reader.read(2)] == ["t10", "t11"]
        await worker.release(*await session.held(worker.owner))
        rest = [it.id for it in await reader.read_rest(3)]
        assert [id for id in rest if id not in {f"t{at}" for at in range(12)}] == [f"t{at}" for at in range(12, 20)]

    async def test_list_goes_on_when_the_task_at_which_it_stopped_is_cancelled(self, worker: Worker) -> None:
        session = worker.session
        eta = time.time() + 60
        waiting: dict[ListedState, list[Entry]] = {
            "ready": make_entries(9, "r"),
            "scheduled": make_entries(9, "s", eta=eta),
        }
        for state, entries in waiting.items():
            await session.enqueue(entries)
            reader = Reader(session, state)
            listed = await reader.read(4)
            await session.cancel([listed[-1].id], worker.owner)
            rest = {it.id for it in await reader.read_rest(4)}
            assert rest >= {entry.header.id for entry in entries} - {it.id for it in listed}

    async def test_message_is_cut_when_it_is_listed(self, session: Session) -> None:
        data = bytes(range(256)) * 20
        await session.enqueue([make_entry("a", data, unique_key="key", expects=("b",))])
        (listed,) = await Reader(session, "ready").read(10)
        assert (listed.head, listed.header) == (
            data[:LISTED_BYTES],
            make_entry("a", unique_key="key", expects=("b",)).header,
        )

    async def test_part_is_bounded_whatever_is_asked_for(self, session: Session) -> None:
        await session.enqueue(make_entries(LISTED_AT_ONCE + 1))
        part = await session.page("ready", 10 * LISTED_AT_ONCE)
        assert 0 < len(part.items) <= LISTED_AT_ONCE
        rest = await session.page("ready", 10, part.next)
        assert rest.items[-1].id == f"t{LISTED_AT_ONCE}"
        assert rest.next is None
        assert await read_all(session, "ready", LISTED_AT_ONCE) == [f"t{at}" for at in range(LISTED_AT_ONCE + 1)]

    @pytest.mark.parametrize("after", ["", "x", "1~2~3~4~5~6", "a~b", "a~b~c"])
    async def test_place_that_is_none_is_refused(self, session: Session, after: str) -> None:
        states: tuple[ListedState, ...] = ("ready", "scheduled", "waiting")
        for state in states:
            with pytest.raises(HueyException, match="no place in this list"):
                await session.page(state, 10, after)

    async def test_attempts_are_listed_when_a_retry_waits(self, worker: Worker) -> None:
        session = worker.session
        entry = make_entry("a")
        delivery = await worker.take_one("a")
        await worker.retry(delivery, entry._replace(header=entry.header.attempted(2)))
        (listed,) = await Reader(session, "ready").read(10)
        assert listed.header is not None
        assert listed.header.attempt == 2
        await worker.bury(await worker.claim_one(), into="failed", kind="failed", result=b"error")
        (letter,) = (await session.failed(10)).items
        assert letter.header.attempt == 2
        assert await session.requeue([Requeue("a")]) == ["added"]
        assert (await worker.claim_one()).header.attempt == 3

    async def test_ids_are_described_in_the_order_asked(self, worker: Worker) -> None:
        session = worker.session
        await worker.finish(await worker.take_one("ended"))
        delivery = await worker.take_one("running")
        await session.report(delivery.receipt, b"half")
        await worker.bury(await worker.take_one("dead"), reason="none", result=b"lost", kind="lost", name="app.dead")
        await worker.bury(await worker.take_one("failed"), into="failed", name="app.failed")
        await session.enqueue([make_entry("queued", expects=("expected",)), make_entry("later", eta=time.time() + 60)])
        ids = ["unknown", "dead", "expected", "later", "running", "queued", "failed", "ended", "dead"]
        described = await session.describe(ids)
        assert [it.found for it in described] == await session.locate(ids)
        states = [it.listed and it.listed.state for it in described]
        assert states == [None, None, "waiting", "scheduled", "running", "ready", None, None, None]
        assert all(it.listed.place == "" for it in described if it.listed is not None)
        running = described[4].listed
        assert running is not None
        assert (running.owner, running.progress, running.head) == (worker.owner, b"half", b"running")
        assert described[2].listed is not None
        assert described[2].listed.namers == ("queued",)
        letters = {it.letter.header.id: it.letter for it in described if it.letter is not None}
        assert letters == {it.header.id: it for it in (await session.failed(10)).items}
        assert isinstance(letters["dead"], DeadLetter)
        assert (letters["dead"].reason, letters["dead"].name) == ("none", "app.dead")
        assert await session.describe([]) == []

    async def test_callback_is_described_when_it_waits_for_members(self, worker: Worker) -> None:
        session = worker.session
        callback = make_entry("call", collects=True)
        members = [make_entry(f"m{at}", latch="call", latch_index=at) for at in range(2)]
        await session.enqueue(members, [Latch(2, callback)])
        await worker.finish((await worker.claim())[0], latch=LatchMark("call", 0, b"value"))
        (described,) = await session.describe(["call"])
        assert described.listed is not None
        assert (described.listed.header, described.listed.namers) == (callback.header, ("call",))
        assert await session.collect(["call"]) == [(b"value", None)]

    async def test_counts_may_stop_when_a_bound_is_given(self, session: Session) -> None:
        await session.enqueue([*make_entries(5), *make_entries(4, "s", eta=time.time() + 60)])
        whole = await session.counts()
        bounded = await session.counts(3)
        assert 3 < bounded.queued["loop"] <= whole.queued["loop"] == 5
        assert 3 < bounded.scheduled <= whole.scheduled == 4
        assert await session.counts(5) == whole
