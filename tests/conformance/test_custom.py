"""A storage that somebody else wrote against the public contract: the whole suite, with nothing switched off."""

from __future__ import annotations

import inspect
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest

from hueyio import Huey
from hueyio.storage.contract import Capabilities, LeaseKeeper, Session, Storage
from hueyio.storage.sqlite import SqliteStorage
from hueyio.testing import Recipe, StorageConformance


class CountingStorage:
    """Counts the calls of each operation on their way to another storage."""

    def __init__(self, name: str = "huey", *, filename: str, dead_limit: int = 10_000) -> None:
        self.name = name
        self.calls: Counter[str] = Counter()
        self._inner: Storage = SqliteStorage(name, filename, dead_limit=dead_limit, timeout=60)

    @property
    def capabilities(self) -> Capabilities:
        return self._inner.capabilities

    async def connect(self) -> Session:
        return cast(Session, CountingSession(await self._inner.connect(), self.calls))

    def lease_keeper(self, owner: str) -> LeaseKeeper:
        return self._inner.lease_keeper(owner)

    def __str__(self) -> str:
        return f"{self._inner}, counted"


class CountingSession:
    def __init__(self, inner: Session, calls: Counter[str]) -> None:
        self._inner = inner
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._inner, name)
        if inspect.iscoroutinefunction(operation):
            self._calls[name] += 1
        return operation


@pytest.mark.again
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
