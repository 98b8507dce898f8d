"""Replies that are lost: the operation was done, and nobody was told."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest

from hueyio.exceptions import LeaseLost, StorageUnavailable
from hueyio.storage.contract import Session
from hueyio.storage.records import Defer, Enqueued, Finish, Release, Settlement
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.worker import (
    Worker,
    die,
    make_entries,
    make_entry,
    make_suspects,
    soon,
    start_waiting,
)

__all__ = ["Faults"]


class Faults(Basis):
    """Whoever lost a reply can repeat the call, or ask what it did."""

    async def test_enqueue_can_be_repeated(self, worker: Worker) -> None:
        entries = [
            make_entry("a"),
            make_entry("b", unique_key="key"),
            make_entry("c", once_token="tick", once_ttl=600.0),
            make_entry("d", eta=time.time() + 60, expects=("e",)),
        ]
        with pytest.raises(StorageUnavailable):
            await _losing(worker.session).enqueue(entries)
        assert await worker.session.enqueue(entries) == [Enqueued("alive")] * 4
        assert await worker.claim_ids() == ["a", "b", "c"]

    async def test_held_shows_what_a_claim_took(self, worker: Worker) -> None:
        session = worker.session
        await session.enqueue(make_entries(5))
        known = await worker.claim(loop=1)
        with pytest.raises(StorageUnavailable):
            await _losing(session).claim({"loop": 2}, worker.owner)
        unknown = [it for it in await session.held(worker.owner) if it not in known]
        assert sorted(it.receipt.id for it in unknown) == ["t1", "t2"]
        await worker.finish(*unknown, *known)
        assert await worker.claim_ids() == ["t3", "t4"]

    async def test_held_shows_the_suspect_that_a_claim_took(self, worker: Worker) -> None:
        session = worker.session
        await make_suspects(session, "bad")
        with pytest.raises(StorageUnavailable):
            await _losing(session).claim({"loop": 9}, worker.owner)
        assert await worker.claim() == []
        (delivery,) = await session.held(worker.owner)
        assert delivery.receipt.deliveries == 2
        await worker.finish(delivery)

    async def test_held_shows_what_a_cancel_took(self, worker: Worker) -> None:
        await worker.session.enqueue([make_entry("a")])
        with pytest.raises(StorageUnavailable):
            await _losing(worker.session).cancel(["a"], worker.owner)
        assert await worker.session.cancel(["a"], worker.owner) == []
        (delivery,) = await worker.session.held(worker.owner)
        assert delivery.cancelled

    async def test_settle_can_be_repeated(self, worker: Worker) -> None:
        session = worker.session
        await session.put("data", {"once": b"1"})
        a, b, c, d = await worker.take(*make_entries(4))
        waiting = await start_waiting(session, "t0")
        batch: list[Settlement] = [
            Finish(a.receipt, b"result", follow_ups=(make_entry("next"),), take=("data", "once")),
            Finish(b.receipt, follow_ups=(make_entry("t1", b"retry", eta=time.time() + 60),)),
            Release(c.receipt),
            Defer(d.receipt, d.header._replace(eta=time.time() + 60, defers=1)),
        ]
        with pytest.raises(StorageUnavailable):
            await _losing(session).settle(batch, worker.owner, 1)
        assert (await soon(waiting))[0].data == b"result"
        assert sorted(await worker.claim_ids()) == ["next", "t2"]
        assert await session.settle(batch, worker.owner, 1) == ["accepted"] * 4
        assert sorted(it.receipt.id for it in await session.held(worker.owner)) == ["next", "t2"]
        assert [it.state for it in await session.locate(["t1", "t3"])] == ["scheduled", "scheduled"]

    async def test_settle_that_is_repeated_too_late_is_stale(self, worker: Worker) -> None:
        batch = [Finish((await worker.take_one("a")).receipt, b"first")]
        with pytest.raises(StorageUnavailable):
            await _losing(worker.session).settle(batch, worker.owner, 1)
        await die(worker)
        await worker.session.delete("results", ["a"])
        assert await worker.session.settle(batch, worker.owner, 1) == ["stale"]
        assert await worker.session.peek("results", ["a"]) == [None]

    async def test_promote_can_be_repeated(self, worker: Worker) -> None:
        now = time.time()
        await worker.session.enqueue([make_entry("a", eta=now - 1), make_entry("b", eta=now + 60)])
        with pytest.raises(StorageUnavailable):
            await _losing(worker.session).promote(now, 10)
        assert (await worker.session.promote(now, 10))[:2] == (0, now + 60)
        assert await worker.claim_ids() == ["a"]

    async def test_reclaim_can_be_repeated(self, worker: Worker) -> None:
        await worker.take_one("a")
        (seen,) = await worker.session.owners()
        with pytest.raises(StorageUnavailable):
            await _losing(worker.session).reclaim(worker.owner, seen.beat)
        assert await worker.session.reclaim(worker.owner, seen.beat) is None
        other = await Worker.register(worker.session)
        assert (await other.claim_one()).receipt.deliveries == 1

    async def test_lease_can_be_begun_and_ended_again(self, session: Session) -> None:
        with pytest.raises(StorageUnavailable):
            await _losing(session).register("owner", b"info")
        worker = await Worker.register(session, "owner")
        await worker.take_one("a")
        with pytest.raises(StorageUnavailable):
            await _losing(session).deregister("owner")
        await session.deregister("owner")
        with pytest.raises(LeaseLost):
            await worker.claim()
        assert (await (await Worker.register(session)).claim_one()).receipt.deliveries == 0


class _Losing:
    """A session whose replies are lost on their way back."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._session, name)

        async def lose_reply(*args: Any, **kwargs: Any) -> None:
            await operation(*args, **kwargs)
            raise StorageUnavailable(f"the reply of {name} was lost")

        return lose_reply


def _losing(session: Session) -> Session:
    return cast(Session, _Losing(session))
