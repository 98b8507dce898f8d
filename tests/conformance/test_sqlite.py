"""The SQLite storage against the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from hueyio.testing.storage import Recipe, StorageConformance


class TestSqlite(StorageConformance):
    @pytest.fixture
    def recipe(self, tmp_path: Path) -> Recipe:
        # Eight processes that commit to one slow disk may keep the write lock from one of them for long.
        file = str(tmp_path / "hueyio.db")
        return Recipe("hueyio.storage.sqlite:SqliteStorage", name="sqlite", filename=file, timeout=60)


@pytest.mark.again("the random steps of the differential test take turns with fsync off")
class TestSqliteWithoutSync(StorageConformance):
    """Most operations run on the loop then."""

    @pytest.fixture
    def recipe(self, tmp_path: Path) -> Recipe:
        file = str(tmp_path / "hueyio.db")
        return Recipe("hueyio.storage.sqlite:SqliteStorage", name="sqlite", filename=file, timeout=60, fsync=False)
