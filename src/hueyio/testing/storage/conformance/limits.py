"""Locks, semaphores and token buckets."""

from __future__ import annotations

import asyncio

import pytest

from hueyio.exceptions import LeaseLost
from hueyio.storage.contract import Session
from hueyio.testing.storage.conformance.basis import Basis, Connect
from hueyio.testing.storage.conformance.worker import Worker, die, eventually

__all__ = ["Limits"]

SOON_OVER = 0.05
LONG = 600.0


class Limits(Basis):
    """``acquire``, ``renew``, ``release``, ``holders`` and ``take``."""

    async def test_lock_has_one_place(self, session: Session) -> None:
        assert await session.acquire("key", "a", 1, LONG)
        assert not await session.acquire("key", "b", 1, LONG)
        assert await session.acquire("other", "b", 1, LONG)
        assert await session.holders("key") == ["a"]
        assert await session.holders("none") == []

    async def test_semaphore_has_as_many_places_as_its_size(self, session: Session) -> None:
        taken = [await session.acquire("key", token, 3, LONG) for token in "abcd"]
        assert taken == [True, True, True, False]
        assert sorted(await session.holders("key")) == ["a", "b", "c"]
        assert await session.release("key", "b")
        assert await session.acquire("key", "d", 3, LONG)

    async def test_one_of_many_gets_the_lock(self, connect: Connect) -> None:
        sessions = [await connect() for _ in range(3)]
        tries = [sessions[i % 3].acquire("key", f"t{i}", 1, LONG) for i in range(30)]
        won = await asyncio.gather(*tries)
        assert won.count(True) == 1
        assert await sessions[0].holders("key") == [f"t{won.index(True)}"]

    async def test_release_asks_for_token_and_owner(self, session: Session, worker: Worker) -> None:
        assert await session.acquire("key", "a", 1, LONG)
        assert not await session.release("key", "b")
        assert not await session.release("key", "a", worker.owner)
        assert await session.release("key", "a")
        assert not await session.release("key", "a")
        assert await session.acquire("key", "b", 1, LONG, worker.owner)
        assert not await session.release("key", "b")
        assert not await session.release("key", "b", "somebody else")
        assert await session.release("key", "b", worker.owner)
        assert await session.scan_keys("locks") == []

    async def test_place_that_is_not_renewed_ends_with_its_lease(self, session: Session) -> None:
        assert await session.acquire("key", "a", 1, SOON_OVER)
        await eventually(lambda: session.acquire("key", "b", 1, LONG))
        assert not await session.renew("key", "a", LONG)
        assert not await session.release("key", "a")
        assert await session.holders("key") == ["b"]

    async def test_places_of_a_semaphore_end_each_in_its_time(self, session: Session) -> None:
        assert await session.acquire("key", "long", 2, LONG)
        assert await session.acquire("key", "short", 2, SOON_OVER)
        await eventually(lambda: _are(session, "key", "long"))
        assert await session.acquire("key", "next", 2, LONG)
        assert not await session.acquire("key", "one more", 2, LONG)

    async def test_renew_prolongs_a_place(self, session: Session) -> None:
        assert await session.acquire("key", "a", 1, 60.0)
        assert await session.acquire("marker", "a", 1, SOON_OVER)
        assert await session.renew("key", "a", LONG)
        assert not await session.renew("key", "b", LONG)
        assert not await session.renew("none", "a", LONG)
        assert await session.renew("key", "a", SOON_OVER)  # shorter counts as well
        await eventually(lambda: _are(session, "key"))

    async def test_ttl_is_an_upper_bound(self, session: Session, worker: Worker) -> None:
        assert await session.acquire("key", "a", 1, LONG, ttl=SOON_OVER)
        assert await session.acquire("owned", "a", 1, LONG, worker.owner, SOON_OVER)
        await session.renew("key", "a", LONG)
        await eventually(lambda: _are(session, "key"))
        await eventually(lambda: _are(session, "owned"))

    async def test_place_lives_as_long_as_its_owners_lease(self, session: Session, worker: Worker) -> None:
        assert await session.acquire("key", "task", 1, SOON_OVER, worker.owner)
        assert await session.acquire("marker", "task", 1, 2 * SOON_OVER)
        await eventually(lambda: _are(session, "marker"))
        assert await session.holders("key") == ["task"]
        assert not await session.renew("key", "task", LONG)
        await die(worker)
        await eventually(lambda: session.acquire("key", "other", 1, LONG))

    async def test_redelivered_task_takes_the_place_of_its_predecessor(self, session: Session, worker: Worker) -> None:
        assert await session.acquire("key", "task", 1, LONG, worker.owner)
        await die(worker)
        other = await Worker.register(session)
        assert not await session.acquire("key", "another", 1, LONG, other.owner)
        assert await session.acquire("key", "task", 1, LONG, other.owner)
        assert not await session.release("key", "task", worker.owner)
        assert await session.holders("key") == ["task"]
        assert await session.release("key", "task", other.owner)

    async def test_only_the_places_of_the_owner_that_ended_end(self, session: Session, worker: Worker) -> None:
        other = await Worker.register(session)
        for owner in (worker.owner, other.owner, None):
            assert await session.acquire("key", str(owner), 3, LONG if owner is None else SOON_OVER, owner)
        await session.deregister(worker.owner)
        await eventually(lambda: _are(session, "key", other.owner, "None"))

    async def test_owner_without_a_lease_gets_no_place(self, session: Session) -> None:
        with pytest.raises(LeaseLost):
            await session.acquire("key", "task", 1, LONG, "nobody")
        assert await session.holders("key") == []

    async def test_places_can_be_listed_and_freed(self, session: Session) -> None:
        await session.acquire("one", "a", 1, LONG)
        await session.acquire("two", "b", 5, LONG)
        assert sorted(key for key, _ in await session.scan_keys("locks")) == ["one", "two"]
        assert await session.delete("locks", ["one", "none"]) == 1
        assert await session.acquire("one", "c", 1, LONG)
        await session.clear(["locks"])
        assert await session.holders("two") == []

    async def test_end_of_a_lease_spares_what_are_no_places(self, session: Session, worker: Worker) -> None:
        await session.put("locks", {"text": b"\xff", "list": b"[1]", "number": b"1"})
        await die(worker)
        assert await session.peek("locks", ["text", "list", "number"]) == [b"\xff", b"[1]", b"1"]
        assert await session.acquire("text", "a", 1, LONG)

    async def test_bucket_gives_its_burst_and_then_says_how_long_to_wait(self, session: Session) -> None:
        assert [await session.take("key", 0.01, 3) for _ in range(3)] == [0.0, 0.0, 0.0]
        wait = await session.take("key", 0.01, 3)
        assert 90 < wait <= 100
        assert await session.take("other", 0.01, 1) == 0.0
        assert await session.take("key", 0.01, 3) <= wait  # who is refused takes nothing

    async def test_bucket_fills_at_its_rate(self, session: Session) -> None:
        assert await session.take("key", 20.0, 1) == 0.0
        assert 0.0 <= await session.take("key", 20.0, 1) <= 0.05
        await eventually(lambda: _takes(session, "key", 20.0))

    async def test_bucket_gives_no_token_twice(self, connect: Connect) -> None:
        sessions = [await connect() for _ in range(3)]
        waits = await asyncio.gather(*[sessions[i % 3].take("key", 0.001, 5) for i in range(30)])
        assert waits.count(0.0) == 5


async def _are(session: Session, key: str, *tokens: str) -> bool:
    return sorted(await session.holders(key)) == sorted(tokens)


async def _takes(session: Session, key: str, rate: float) -> bool:
    return await session.take(key, rate, 1) == 0.0
