"""The memory storage against the contract."""

from __future__ import annotations

import pytest

from hueyio.testing import Recipe, StorageConformance


class TestMemory(StorageConformance):
    @pytest.fixture
    def recipe(self) -> Recipe:
        return Recipe("hueyio.storage.memory:MemoryStorage", name="memory")
