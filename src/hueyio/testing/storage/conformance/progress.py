"""Progress of running tasks, and pauses of the queue."""

from __future__ import annotations

import asyncio

import pytest

from hueyio.exceptions import SessionClosed
from hueyio.storage.contract import Session
from hueyio.storage.records import Entry, Receipt
from hueyio.testing.storage.conformance.basis import Basis, Connect
from hueyio.testing.storage.conformance.worker import (
    BELLS,
    PATIENCE,
    Worker,
    die,
    make_entries,
    make_entry,
    make_suspects,
    quiet,
    soon,
)

__all__ = ["Pausing", "Progressing"]


class Progressing(Basis):
    """``report`` and ``follow``."""

    async def test_report_is_pushed_to_a_follower_in_another_session(self, connect: Connect, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        follower = await connect()
        following = asyncio.create_task(follower.follow("a", None))
        assert await worker.session.report(delivery.receipt, b"10 %")
        assert await soon(following) == b"10 %"
        following = asyncio.create_task(follower.follow("a", b"10 %"))
        assert await worker.session.report(delivery.receipt, b"20 %")
        assert await soon(following) == b"20 %"

    async def test_follower_that_comes_later_gets_the_last_report(self, connect: Connect, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        for data in (b"1", b"2", b""):
            assert await worker.session.report(delivery.receipt, data)
        assert await soon((await connect()).follow("a", b"1")) == b""

    async def test_follow_ends_with_the_task(self, connect: Connect, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        await worker.session.report(delivery.receipt, b"1")
        follower = await connect()
        following = asyncio.create_task(follower.follow("a", b"1"))
        await soon(follower.locate(["a"]))
        await worker.finish(delivery, result=b"r")
        assert await soon(following) is None
        assert await soon(follower.follow("a", None)) is None
        assert await soon(follower.follow("nobody has this id", None)) is None

    async def test_follow_waits_for_a_task_that_is_queued_or_expected(self, session: Session, worker: Worker) -> None:
        await session.enqueue([make_entry("a", expects=("b",))])
        following = [asyncio.create_task(session.follow(id, None)) for id in ("a", "b")]
        head = await worker.claim_one()
        await session.report(head.receipt, b"of a")
        assert await soon(following[0]) == b"of a"
        await worker.finish(head, follow_ups=(make_entry("b"),))
        await session.report((await worker.claim_one()).receipt, b"of b")
        assert await soon(following[1]) == b"of b"

    async def test_stale_report_is_refused(self, session: Session, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        assert not await session.report(delivery.receipt._replace(deliveries=1), b"")
        assert not await session.report(Receipt("somebody", "a", 0), b"")
        assert not await session.report(delivery.receipt._replace(id="b"), b"")
        await die(worker)
        assert not await session.report(delivery.receipt, b"")

    async def test_report_is_gone_with_its_run(self, session: Session, worker: Worker) -> None:
        for end in ("release", "retry", "die"):
            delivery = await worker.take_one(end)
            await session.report(delivery.receipt, b"old")
            match end:
                case "release":
                    await worker.release(delivery)
                case "retry":
                    await worker.retry(delivery, Entry(delivery.header, b""))
                case _:
                    await die(worker)
                    worker = await Worker.register(session)
            again = await worker.claim_one()
            following = asyncio.create_task(session.follow(end, None))
            await soon(session.locate([end]))
            await session.report(again.receipt, b"new")
            assert await soon(following) == b"new"
            await worker.finish(again)

    async def test_plain_end_of_a_task_that_reported_leaves_nothing(self, session: Session, worker: Worker) -> None:
        deliveries = await worker.take(*make_entries(3))
        await session.report(deliveries[1].receipt, b"old")
        await worker.finish(*deliveries, result=b"r", ttl=60.0)
        again = await worker.take_one("t1")
        following = asyncio.create_task(session.follow("t1", None))
        await soon(session.locate(["t1"]))
        await session.report(again.receipt, b"new")
        assert await soon(following) == b"new"

    async def test_many_follow_and_one_that_is_cancelled_takes_nothing(self, connect: Connect, worker: Worker) -> None:
        delivery = await worker.take_one("a")
        sessions = [await connect() for _ in range(2)]
        following = [asyncio.create_task(it.follow("a", None)) for it in sessions for _ in range(3)]
        await soon(sessions[1].locate(["a"]))
        following[0].cancel()
        await worker.session.report(delivery.receipt, b"1")
        assert [await soon(it) for it in following[1:]] == [b"1"] * 5

    async def test_close_ends_a_follow(self, connect: Connect, worker: Worker) -> None:
        await worker.take_one("a")
        session = await connect()
        following = asyncio.create_task(session.follow("a", None))
        await soon(session.locate(["a"]))
        await session.close()
        with pytest.raises(SessionClosed):
            await soon(following)


class Pausing(Basis):
    """``pause``, ``resume`` and ``paused``."""

    async def test_paused_queue_gives_nothing_and_takes_everything(self, connect: Connect, worker: Worker) -> None:
        running = await worker.take_one("running")
        await worker.session.enqueue([make_entry("before")])
        other = await connect()
        assert await other.paused() is None
        await other.pause()
        await other.pause()
        assert await worker.session.paused() is not None
        await worker.session.enqueue([make_entry("after")])
        assert await worker.claim() == []
        await worker.finish(running)
        await other.resume()
        assert await worker.session.paused() is None
        assert await worker.claim_ids() == ["before", "after"]

    async def test_pause_says_by_whom_and_when(self, connect: Connect, session: Session) -> None:
        other = await connect()
        before = await session.time()
        await session.pause("ana maria@web 1")
        first = await other.paused()
        assert first is not None
        assert (first.by, first.at is not None) == ("ana maria@web 1", True)
        assert before - 0.01 <= (first.at or 0.0) <= await session.time() + 0.01
        await session.pause("“ops”")
        assert (await other.paused() or first).by == "“ops”"
        await other.resume()
        await session.pause()
        assert (await other.paused() or first).by == ""

    async def test_pause_keeps_suspects_too(self, session: Session) -> None:
        await make_suspects(session, "bad")
        await session.pause()
        worker = await Worker.register(session)
        assert await worker.claim() == []
        await quiet(session)
        await session.resume()
        assert "loop" in await soon(session.wait_for_work(BELLS, PATIENCE))
        assert await worker.claim_ids() == ["bad"]

    async def test_resume_rings_for_what_is_there(self, session: Session, connect: Connect) -> None:
        other = await connect()
        await session.enqueue([make_entry("a", lane="thread")])
        await session.pause()
        await quiet(other)
        await session.resume()
        assert "thread" in await soon(other.wait_for_work(["thread"], PATIENCE))

    async def test_owners_are_told_of_pause_and_resume(self, connect: Connect, worker: Worker) -> None:
        first = await worker.session.notices(worker.owner, None)
        assert not first.paused
        other = await connect()
        told = asyncio.create_task(worker.session.notices(worker.owner, first))
        await other.pause()
        second = await soon(told)
        assert second.paused
        told = asyncio.create_task(worker.session.notices(worker.owner, second))
        await other.resume()
        assert not (await soon(told)).paused
