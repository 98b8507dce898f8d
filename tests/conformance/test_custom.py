"""A storage that somebody else wrote with the public parts: the whole suite, with nothing switched off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from hueyio import Huey
from hueyio.storage.clock import Clock
from hueyio.storage.contract import Capabilities, LeaseKeeper, Session, Storage
from hueyio.storage.operations import OperationSession
from hueyio.storage.records import Bell, Notices, Over, Unknown
from hueyio.storage.sqlite import SqliteStorage
from hueyio.testing.storage import Recipe, StorageConformance


class CountingStorage:
    """Counts the calls of each operation on their way to another storage."""

    def __init__(self, name: str = "huey", *, filename: str, **bounds: Any) -> None:
        self.name = name
        self.calls: Counter[str] = Counter()
        self._inner: Storage = SqliteStorage(name, filename, timeout=60, **bounds)

    @property
    def capabilities(self) -> Capabilities:
        return self._inner.capabilities

    @property
    def clock(self) -> Clock:
        return self._inner.clock

    async def connect(self) -> Session:
        return CountingSession(await self._inner.connect(), self.calls)

    def lease_keeper(self, owner: str) -> LeaseKeeper:
        return self._inner.lease_keeper(owner)

    def __str__(self) -> str:
        return f"{self._inner}, counted"


class CountingSession(OperationSession):
    def __init__(self, inner: Session, calls: Counter[str]) -> None:
        self._inner = inner
        self._calls = calls

    def _do(self, name: str, /, *args: Any) -> Awaitable[Any]:
        self._calls[name] += 1
        answer: Awaitable[Any] = getattr(self._inner, name)(*args)
        return answer

    async def wait_for_work(self, bells: Collection[Bell], timeout: float) -> frozenset[Bell]:
        return await self._inner.wait_for_work(bells, timeout)

    async def notices(self, owner: str, seen: Notices | None) -> Notices:
        return await self._inner.notices(owner, seen)

    async def await_outcomes(self, ids: Sequence[str], unknown: Unknown = "return") -> list[Over]:
        return await self._inner.await_outcomes(ids, unknown)

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        return await self._inner.follow(id, seen)

    async def close(self) -> None:
        await self._inner.close()


@pytest.mark.again("it hands all on to the SQLite storage, which is tested by itself")
class TestCustom(StorageConformance):
    @pytest.fixture
    def recipe(self, tmp_path: Path) -> Recipe:
        return Recipe("tests.conformance.test_custom:CountingStorage", name="own", filename=str(tmp_path / "own.db"))


async def test_own_storage_serves_a_huey(tmp_path: Path) -> None:
    huey = Huey("own", storage_class=CountingStorage, filename=str(tmp_path / "own.db"))

    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    async with huey.create_consumer():
        assert await (await add(1, 2)) == 3
    await huey.close()
    storage = huey.storage
    assert isinstance(storage, CountingStorage)
    assert storage.calls["enqueue"] == 1
    assert storage.calls["settle"] >= 1
