"""The file storage against the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from hueyio.testing.storage import Recipe, StorageConformance


class TestFile(StorageConformance):
    @pytest.fixture
    def recipe(self, tmp_path: Path) -> Recipe:
        # Eight processes that write to one slow disk may keep the lock from one of them for long.
        return Recipe("hueyio.storage.file:FileStorage", name="file", path=str(tmp_path / "queue"), timeout=60)
