"""The PostgreSQL storage against the contract, on every version that there is."""

from __future__ import annotations

import uuid

import pytest

from hueyio.testing.storage import Recipe, StorageConformance


class TestPostgres(StorageConformance):
    @pytest.fixture
    def recipe(self, postgres_dsn: str) -> Recipe:
        # How long a busy machine takes for thousands of tasks at once says nothing about the storage.
        target = "hueyio.storage.postgres:PostgresStorage"
        return Recipe(target, name=uuid.uuid4().hex, dsn=postgres_dsn, timeout=60)
