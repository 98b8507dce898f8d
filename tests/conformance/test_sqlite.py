"""The SQLite storage against the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from hueyio.testing import Recipe, StorageConformance


class TestSqlite(StorageConformance):
    @pytest.fixture
    def recipe(self, tmp_path: Path) -> Recipe:
        return Recipe("hueyio.storage.sqlite:SqliteStorage", name="sqlite", filename=str(tmp_path / "hueyio.db"))
