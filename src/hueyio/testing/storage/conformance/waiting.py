"""How the end of a task reaches whoever waits for it."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import pytest

from hueyio.storage.contract import Session, Telling
from hueyio.storage.records import Defer, Over, Requeue
from hueyio.testing.storage.conformance.basis import Basis, Connect
from hueyio.testing.storage.conformance.worker import (
    Worker,
    die,
    eventually,
    make_entries,
    make_entry,
    soon,
    start_waiting,
)

__all__ = ["Waiting"]


class Waiting(Basis):
    """``await_outcomes``: every ending is told, to everybody, and nothing else is."""

    async def test_waiter_gets_the_result_when_the_task_ends(self, worker: Worker) -> None:
        await worker.session.enqueue([make_entry("a")])
        waiting = await start_waiting(worker.session, "a")
        delivery = await worker.claim_one()
        assert not waiting.done()
        await worker.finish(delivery, result=b"result")
        assert await soon(waiting) == [Over("a", b"result", shared=False, kind="done")]
        assert await worker.session.peek("results", ["a"]) == [b"result"]

    async def test_late_waiter_gets_what_is_stored(self, worker: Worker) -> None:
        await worker.finish(await worker.take_one("a"), result=b"")
        for _ in range(2):
            (over,) = await soon(worker.session.await_outcomes(["a"]))
            assert over[:2] == ("a", b"")

    async def test_late_waiter_gets_what_was_put(self, session: Session) -> None:
        await session.put("results", {"a": b"result"})
        assert (await soon(session.await_outcomes(["a"])))[0].data == b"result"

    async def test_waiter_of_an_id_that_nobody_knows_gets_none(self, session: Session) -> None:
        assert await soon(session.await_outcomes(["a"])) == [Over("a", None)]

    async def test_waiter_of_nothing_gets_nothing(self, session: Session) -> None:
        assert await soon(session.await_outcomes([])) == []

    async def test_none_reaches_waiters_though_nothing_is_stored(self, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        waiting = await start_waiting(worker.session, "a")
        await worker.finish(delivery)
        assert await soon(waiting) == [Over("a", None, kind="done")]

    async def test_several_ids_are_answered_in_the_order_asked(self, worker: Worker) -> None:
        deliveries = await worker.take(*make_entries(3))
        await worker.finish(deliveries[1], result=b"1")
        ids = ["t2", "unknown", "t1", "t0", "t2"]
        waiting = await start_waiting(worker.session, *ids)
        await worker.finish(deliveries[0], result=b"0")
        await worker.finish(deliveries[2], result=b"2")
        overs = await soon(waiting)
        assert [(it.id, it.data) for it in overs] == list(zip(ids, [b"2", None, b"1", b"0", b"2"], strict=True))

    async def test_all_waiters_of_one_session_get_the_result(self, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        one = await start_waiting(worker.session, "a")
        two = await start_waiting(worker.session, "a", "unknown")
        await worker.finish(delivery, result=b"result")
        assert await soon(one) == [Over("a", b"result", shared=False, kind="done")]
        assert (await soon(two))[0] == Over("a", b"result", shared=False, kind="done")

    async def test_waiters_of_several_sessions_share_the_result(self, worker: Worker, connect: Connect) -> None:
        delivery = await worker.take_one("a")
        waiting = [await start_waiting(await connect(), "a") for _ in range(3)]
        await worker.finish(delivery, result=b"result")
        for it in waiting:
            assert await soon(it) == [Over("a", b"result", shared=True, kind="done")]
        assert await worker.session.peek("results", ["a"]) == [b"result"]

    async def test_shared_result_lives_no_longer_than_it_was_to(self, worker: Worker, connect: Connect) -> None:
        delivery = await worker.take_one("a")
        waiting = [await start_waiting(await connect(), "a") for _ in range(2)]
        await worker.finish(delivery, result=b"result", ttl=0.5)
        for it in waiting:
            assert await soon(it) == [Over("a", b"result", shared=True, kind="done")]

        async def is_gone() -> bool:
            return await worker.session.peek("results", ["a"]) == [None]

        await eventually(is_gone)

    async def test_cancelled_waiter_leaves_the_others_alone(self, worker: Worker, connect: Connect) -> None:
        other = await connect()
        delivery = await worker.take_one("a")
        gone = await start_waiting(other, "a")
        stays = await start_waiting(other, "a")
        gone.cancel()
        await asyncio.wait([gone])
        await worker.finish(delivery, result=b"result")
        assert await soon(stays) == [Over("a", b"result", shared=False, kind="done")]

    async def test_cancelled_waiter_takes_its_registration_back(self, worker: Worker, connect: Connect) -> None:
        other = await connect()
        delivery = await worker.take_one("a")
        gone = await start_waiting(other, "a")
        stays = await start_waiting(worker.session, "a")
        gone.cancel()
        await asyncio.wait([gone])
        await soon(other.await_outcomes(["nobody has this id"]))
        await worker.finish(delivery, result=b"result")
        assert await soon(stays) == [Over("a", b"result", shared=False, kind="done")]

    async def test_waiter_that_is_cancelled_can_wait_again(self, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        for _ in range(20):
            waiting = asyncio.create_task(worker.session.await_outcomes(["a"]))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
        waiting = await start_waiting(worker.session, "a")
        await worker.finish(delivery, result=b"result")
        assert (await soon(waiting))[0].data == b"result"

    async def test_two_thousand_waiters_are_served_at_once(self, worker: Worker, connect: Connect) -> None:
        client = await connect()
        entries = make_entries(2000)
        await client.enqueue(entries)
        waiting = [asyncio.create_task(client.await_outcomes([entry.header.id])) for entry in entries]
        await start_waiting(client, "t0")
        while deliveries := await worker.claim(loop=250):
            for it in deliveries:
                assert it.receipt.deliveries == 0
            await worker.finish(*deliveries, result=b"result")
        for entry, overs in zip(entries, await soon(asyncio.gather(*waiting)), strict=True):
            assert overs == [Over(entry.header.id, b"result", kind="done")]

    # --- told one by one

    async def test_each_end_is_told_as_it_comes_where_a_session_offers_it(
        self, worker: Worker, connect: Connect
    ) -> None:
        client = await connect()
        if not isinstance(client, Telling):
            return
        deliveries = await worker.take(*make_entries(3))
        await worker.finish(deliveries[1], result=b"1")
        heard: list[Over] = []
        telling = asyncio.create_task(client.tell_outcomes(["t0", "t1", "unknown", "t2", "t0"], heard.append))

        async def are_heard(*ids: str) -> bool:
            return {over.id for over in heard} == set(ids)

        await eventually(partial(are_heard, "t1", "unknown"))
        await worker.finish(deliveries[2], result=b"2" * 100_000)
        await eventually(partial(are_heard, "t1", "unknown", "t2"))
        assert not telling.done()
        await worker.finish(deliveries[0])
        await soon(telling)
        assert {over.id: (over.data, over.kind) for over in heard} == {
            "t1": (b"1", "done"), "unknown": (None, None), "t2": (b"2" * 100_000, "done"), "t0": (None, "done"),
        }  # fmt: skip
        await soon(client.tell_outcomes([], heard.append))

    async def test_telling_that_is_cancelled_takes_its_registrations_back(
        self, worker: Worker, connect: Connect
    ) -> None:
        client = await connect()
        if not isinstance(client, Telling):
            return
        deliveries = await worker.take(*make_entries(2))
        heard: list[Over] = []
        telling = asyncio.create_task(client.tell_outcomes(["t0", "t1"], heard.append))
        await start_waiting(client, "t0")
        telling.cancel()
        await asyncio.wait([telling])
        stays = await start_waiting(worker.session, "t1")
        await soon(client.await_outcomes(["nobody has this id"]))
        await worker.finish(*deliveries, result=b"result")
        assert await soon(stays) == [Over("t1", b"result", shared=False, kind="done")]
        assert heard == []

    # --- what does not end a task

    @pytest.mark.parametrize("what", ["retry", "release", "defer", "reclaim", "cancel"])
    async def test_waiter_is_not_told_before_the_end(self, worker: Worker, connect: Connect, what: str) -> None:
        client = await connect()
        helper = await Worker.register(worker.session)
        delivery = await worker.take_one("a")
        waiting = await start_waiting(client, "a")
        match what:
            case "retry":
                await worker.retry(delivery, make_entry("a"), intermediate=b"error")
            case "release":
                await worker.release(delivery)
            case "defer":
                eta = time.time()
                await worker.settle(Defer(delivery.receipt, delivery.header._replace(eta=eta)))
                await worker.session.promote(eta, 1)
            case "reclaim":
                await die(worker)
            case _:
                await worker.session.cancel(["a"], helper.owner)
                await worker.release(delivery)
        late = await start_waiting(worker.session, "a")
        again = await helper.claim_one()
        await _told_of_another(helper, client)
        assert not waiting.done()
        assert not late.done()
        await helper.finish(again, result=b"result")
        assert (await soon(waiting))[0].data == (await soon(late))[0].data == b"result"

    # --- what does

    async def test_burial_is_an_end(self, worker: Worker) -> None:
        delivery = await worker.take_one("a", expects=("b",))
        waiting = await start_waiting(worker.session, "a", "b")
        await worker.bury(delivery, result=b"worker lost", also=("b",))
        assert await soon(waiting) == [Over(id, b"worker lost", kind="failed") for id in "ab"]

    async def test_requeued_dead_letter_is_waited_for(self, worker: Worker) -> None:
        await worker.bury(await worker.take_one("a"), result=b"worker lost")
        await worker.session.requeue([Requeue("a")])
        waiting = await start_waiting(worker.session, "a")
        await worker.finish(await worker.claim_one(), result=b"result")
        assert (await soon(waiting))[0].data == b"result"

    async def test_clear_is_an_end(self, worker: Worker) -> None:
        session = worker.session
        await session.enqueue([make_entry("a", expects=("b",)), make_entry("c", eta=time.time() + 60, expects=("d",))])
        queued = await start_waiting(session, "a", "b")
        scheduled = await start_waiting(session, "c", "d")
        await session.clear(["queue"])
        assert await soon(queued) == [Over(id, None, kind="cancelled") for id in "ab"]
        assert not scheduled.done()
        await session.clear(["schedule"])
        assert await soon(scheduled) == [Over(id, None, kind="cancelled") for id in "cd"]

    # --- expected ids

    async def test_waiter_of_an_expected_id_gets_the_failure_before_it(self, worker: Worker) -> None:
        delivery = await worker.take_one("a", expects=("b", "c"))
        waiting = await start_waiting(worker.session, "c", "b")
        assert not waiting.done()
        await worker.finish(delivery, result=b"failed", also=("b", "c"))
        assert await soon(waiting) == [Over(id, b"failed", kind="done") for id in "cb"]

    async def test_waiter_of_an_expected_id_that_is_alive_is_not_told_by_another(
        self, worker: Worker, connect: Connect
    ) -> None:
        client = await connect()
        delivery = await worker.take_one("a", expects=("b",))
        own = await worker.take_one("b")
        waiting = await start_waiting(client, "b")
        await worker.finish(delivery, result=b"failed", also=("b",))
        await _told_of_another(worker, client)
        assert not waiting.done()
        assert (await client.locate(["b"]))[0].state == "running"
        await worker.finish(own, result=b"b")
        assert await soon(waiting) == [Over("b", b"b", kind="done")]

    async def test_waiter_of_an_expected_id_waits_through_all_stages(self, worker: Worker, connect: Connect) -> None:
        client = await connect()
        waiting = await start_waiting(client, "c")
        assert (await soon(waiting))[0].data is None  # nobody has named it yet
        delivery = await worker.take_one("a", expects=("b", "c"))
        waiting = await start_waiting(client, "c")
        await worker.finish(delivery, result=b"a", follow_ups=(make_entry("b", expects=("c",)),))
        await worker.finish(await worker.claim_one(), result=b"b", follow_ups=(make_entry("c"),))
        delivery = await worker.claim_one()
        await _told_of_another(worker, client)
        assert not waiting.done()
        await worker.finish(delivery, result=b"c")
        assert await soon(waiting) == [Over("c", b"c", kind="done")]

    async def test_waiter_of_an_id_that_nobody_expects_any_more_gets_none(self, worker: Worker) -> None:
        delivery = await worker.take_one("a", expects=("b",))
        waiting = await start_waiting(worker.session, "b")
        await worker.finish(delivery, result=b"a")
        assert await soon(waiting) == [Over("b", None, kind="cancelled")]


async def _told_of_another(worker: Worker, client: Session) -> None:
    """Let the client be told of another task: whatever it was told before has then arrived."""
    delivery = await worker.take_one("another")
    waiting = await start_waiting(client, "another")
    await worker.finish(delivery, result=b"another")
    await soon(waiting)
