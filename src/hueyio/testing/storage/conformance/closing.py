"""How sessions end, and what several loops share."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from hueyio.exceptions import SessionClosed
from hueyio.storage.contract import Session, Storage
from hueyio.storage.records import Finish, Over, Receipt, Requeue
from hueyio.testing.storage.conformance.basis import Basis, Connect
from hueyio.testing.storage.conformance.worker import (
    BELLS,
    PATIENCE,
    Worker,
    make_entries,
    make_entry,
    soon,
    start_waiting,
)

__all__ = ["Closing"]

RECEIPT: Final = Receipt("owner", "a", 0)
CALLS: Final[dict[str, Callable[[Session], Awaitable[Any]]]] = {
    "enqueue": lambda session: session.enqueue([make_entry("a")]),
    "cancel": lambda session: session.cancel(["a"], "owner"),
    "locate": lambda session: session.locate(["a"]),
    "register": lambda session: session.register("owner", b""),
    "deregister": lambda session: session.deregister("owner"),
    "owners": lambda session: session.owners(),
    "wait_for_work": lambda session: session.wait_for_work(BELLS, PATIENCE),
    "claim": lambda session: session.claim({"loop": 1}, "owner"),
    "held": lambda session: session.held("owner"),
    "start": lambda session: session.start([RECEIPT], "owner"),
    "settle": lambda session: session.settle([Finish(RECEIPT)], "owner", 1),
    "settle_and_claim": lambda session: session.settle_and_claim([Finish(RECEIPT)], "owner", 1, None, {"loop": 1}),
    "notices": lambda session: session.notices("owner", None),
    "promote": lambda session: session.promote(time.time(), 1),
    "reclaim": lambda session: session.reclaim("owner", 0),
    "await_outcomes": lambda session: session.await_outcomes(["a"]),
    "put": lambda session: session.put("data", {"a": b""}),
    "put_if_absent": lambda session: session.put_if_absent("data", "a", b""),
    "peek": lambda session: session.peek("data", ["a"]),
    "pop": lambda session: session.pop("data", "a"),
    "delete": lambda session: session.delete("data", ["a"]),
    "compare_delete": lambda session: session.compare_delete("data", "a", b""),
    "compare_extend": lambda session: session.compare_extend("data", "a", b"", 1.0),
    "add": lambda session: session.add("data", "a"),
    "dead": lambda session: session.dead(),
    "failed": lambda session: session.failed(1),
    "requeue": lambda session: session.requeue([Requeue("a")]),
    "purge": lambda session: session.purge(),
    "counts": lambda session: session.counts(),
    "scan_tasks": lambda session: session.scan_tasks("queued"),
    "scan_keys": lambda session: session.scan_keys("data"),
    "clear": lambda session: session.clear(["queue"]),
    "publish": lambda session: session.publish("owner", 1, b""),
    "read_slots": lambda session: session.read_slots(60, 1, 2),
    "read_counts": lambda session: session.read_counts(60, 1, 2, ["a"]),
    "heads": lambda session: session.heads(),
    "pause": lambda session: session.pause("ops"),
    "resume": lambda session: session.resume(),
    "paused": lambda session: session.paused(),
    "note": lambda session: session.note(b"line"),
    "notes": lambda session: session.notes(1),
}


class Closing(Basis):
    """``close``; sessions of loops that ended; loops in several threads."""

    async def test_closed_session_refuses_every_call(self, connect: Connect) -> None:
        session = await connect()
        await session.enqueue([make_entry("a")])
        await session.close()
        for name, call in CALLS.items():
            try:
                await soon(call(session))
            except SessionClosed:
                continue
            pytest.fail(f"{name} went on after close")
        await session.close()

    async def test_close_wakes_every_wait(self, connect: Connect) -> None:
        session = await connect()
        worker = await Worker.register(session)
        await session.enqueue([make_entry("a")])
        await worker.claim_one()
        seen = await session.notices(worker.owner, None)
        waits = [
            await start_waiting(session, "a"),
            asyncio.create_task(session.wait_for_work(["process"], PATIENCE)),
            asyncio.create_task(session.wait_for_work(["process", "schedule"], PATIENCE)),
            asyncio.create_task(session.notices(worker.owner, seen)),
        ]
        await asyncio.sleep(0)
        await soon(session.close())
        for wait in waits:
            with pytest.raises(SessionClosed):
                await soon(wait)

    async def test_close_leaves_tasks_and_other_sessions_alone(self, session: Session, connect: Connect) -> None:
        closing = await connect()
        worker = await Worker.register(closing)
        delivery = await worker.take_one("a")
        waiting = await start_waiting(session, "a")
        await closing.close()
        assert (await session.locate(["a"]))[0].state == "running"
        assert [it.owner for it in await session.owners()] == [worker.owner]
        assert await session.settle([Finish(delivery.receipt, b"result")], worker.owner, 1) == ["accepted"]
        assert await soon(waiting) == [Over("a", b"result", kind="done")]

    async def test_close_finishes_what_is_being_written(self, session: Session, connect: Connect) -> None:
        closing = await connect()
        writes = [asyncio.create_task(closing.enqueue([make_entry(f"t{index}")])) for index in range(50)]
        await asyncio.sleep(0)
        await soon(closing.close())
        answers = await soon(asyncio.gather(*writes, return_exceptions=True))
        states = [found.state for found in await session.locate([f"t{index}" for index in range(50)])]
        for answer, state in zip(answers, states, strict=True):
            assert isinstance(answer, SessionClosed) or state == "queued"

    async def test_closed_sessions_waiter_does_not_count(self, session: Session, connect: Connect) -> None:
        closing = await connect()
        worker = await Worker.register(session)
        delivery = await worker.take_one("a")
        lost = await start_waiting(closing, "a")
        stays = await start_waiting(session, "a")
        await closing.close()
        with pytest.raises(SessionClosed):
            await soon(lost)
        await worker.finish(delivery, result=b"result")
        assert await soon(stays) == [Over("a", b"result", shared=False, kind="done")]

    def test_session_of_a_loop_that_ended_refuses_calls(self, storage: Storage) -> None:
        session = asyncio.run(storage.connect())

        async def use() -> None:
            with pytest.raises(SessionClosed):
                await soon(session.counts())
            with pytest.raises(SessionClosed):
                await soon(session.enqueue([make_entry("a")]))

        asyncio.run(use())

    def test_loops_one_after_another_see_the_same_tasks(self, storage: Storage) -> None:
        async def produce() -> None:
            session = await storage.connect()
            await session.enqueue(make_entries(3))
            await session.close()

        async def consume() -> list[str]:
            session = await storage.connect()  # is not closed: the next loop must not suffer from that
            worker = await Worker.register(session)
            deliveries = await worker.claim(loop=2)
            await worker.finish(*deliveries)
            return [it.receipt.id for it in deliveries]

        asyncio.run(produce())
        assert asyncio.run(consume()) == ["t0", "t1"]
        assert asyncio.run(consume()) == ["t2"]

    def test_loop_that_ends_while_it_waits_disturbs_nobody(self, storage: Storage) -> None:
        async def leave_waiting() -> None:
            session = await storage.connect()
            worker = await Worker.register(session, "left")
            await worker.take_one("a")
            leavers.append(await start_waiting(session, "a"))
            leavers.append(asyncio.create_task(session.wait_for_work(["process"], PATIENCE)))
            await asyncio.sleep(0)

        async def go_on() -> None:
            session = await storage.connect()
            (delivery,) = await session.held("left")
            await session.enqueue([make_entry("b")])
            assert await session.settle([Finish(delivery.receipt, b"result")], "left", 1) == ["accepted"]
            assert (await soon(session.await_outcomes(["a"])))[0].data == b"result"
            await session.close()

        leavers: list[asyncio.Task[Any]] = []
        asyncio.run(leave_waiting())
        assert all(it.cancelled() for it in leavers)
        asyncio.run(go_on())

    def test_loops_in_two_threads_work_on_one_storage(self, storage: Storage) -> None:
        """One loop enqueues and waits for results; the other waits for work, cancellations and runs tasks."""
        results: list[bytes | None] = []

        async def client() -> None:
            session = await storage.connect()
            for round in range(20):
                ids = [f"{round}-{index}" for index in range(5)]
                await session.enqueue([make_entry(id) for id in ids])
                results.extend(over.data for over in await soon(session.await_outcomes(ids)))
            await session.close()

        async def consumer() -> None:
            session = await storage.connect()
            worker = await Worker.register(session)
            done = 0
            async with asyncio.timeout(PATIENCE):
                while done < 100:
                    deliveries = await worker.claim()
                    for it in deliveries:
                        await worker.finish(it, result=it.data)
                    done += len(deliveries)
                    if not deliveries:
                        await session.wait_for_work(BELLS, PATIENCE)
            await session.close()

        thread = threading.Thread(target=asyncio.run, args=(consumer(),), daemon=True)
        thread.start()
        try:
            asyncio.run(client())
        finally:
            thread.join(PATIENCE)
        assert results == [b"%d-%d" % (round, index) for round in range(20) for index in range(5)]
