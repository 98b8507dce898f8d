"""The memory storage against the contract, and what only a storage with a clock of our own can show."""

from __future__ import annotations

import pytest

from hueyio.storage.memory import MemoryStorage
from hueyio.storage.records import SHARED_RESULT_TTL, Entry, Finish, Header
from hueyio.testing.storage import Recipe, StorageConformance
from hueyio.testing.storage.conformance.worker import Worker, soon, start_waiting


class TestMemory(StorageConformance):
    @pytest.fixture
    def recipe(self) -> Recipe:
        return Recipe("hueyio.storage.memory:MemoryStorage", name="memory")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class TestMemoryClock:
    @pytest.mark.parametrize(("ttl", "lives"), [(None, SHARED_RESULT_TTL), (600.0, SHARED_RESULT_TTL), (20.0, 20.0)])
    async def test_shared_result_lives_for_a_minute_at_most(self, ttl: float | None, lives: float) -> None:
        clock = Clock()
        storage = MemoryStorage(clock=clock)
        one, two = await storage.connect(), await storage.connect()
        worker = await Worker.register(one)
        delivery = await worker.take_one("a")
        waiting = [await start_waiting(session, "a") for session in (one, two)]
        await worker.settle(Finish(delivery.receipt, b"result", ttl=ttl))
        for it in waiting:
            assert (await soon(it))[0].shared
        clock.now += lives - 1
        assert await one.peek("results", ["a"]) == [b"result"]
        clock.now += 1
        assert await one.peek("results", ["a"]) == [None]

    async def test_what_is_over_is_swept_in_bounded_chunks(self) -> None:
        clock = Clock()
        storage = MemoryStorage(clock=clock)
        session = await storage.connect()
        await session.put("data", {f"k{index}": b"" for index in range(1000)}, ttl=10.0)
        await session.put("data", {"stays": b""}, ttl=1000.0)
        clock.now += 10
        shelf = storage._state.areas["data"]
        sizes = []
        for _ in range(6):
            await session.promote(clock.now, 50)
            sizes.append(len(shelf._items))
        assert sizes == [751, 501, 251, 1, 1, 1]

    async def test_nothing_is_left_of_what_is_over(self) -> None:
        """A long life of the process must not fill its memory."""
        storage = MemoryStorage()
        session = await storage.connect()
        worker = await Worker.register(session)
        for index in range(2000):
            header = Header(f"t{index}", eta=1.0, unique_key=f"u{index}", expects=(f"e{index}",))
            await session.enqueue([Entry(header, b"")])
            (delivery,) = await session.cancel([header.id], worker.owner)
            waiting = await start_waiting(session, header.id, f"e{index}")
            await worker.finish(delivery, result=b"", ttl=600.0, also=(f"e{index}",))
            await waiting
            await session.delete("results", [header.id, f"e{index}"])
        state = storage._state
        assert [*state.tasks, *state.unique, *state.expected, *state.waiters.waits, *session._waits] == []
        assert len(state.schedule._heap) < 100
        assert len(state.areas["results"]._deadlines) < 100
