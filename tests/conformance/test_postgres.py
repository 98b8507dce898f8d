"""The PostgreSQL storage against the contract, on every version that there is."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator

import pytest

from hueyio.storage.postgres.address import Address
from hueyio.storage.postgres.migrating import bring_forward
from hueyio.testing.storage import Recipe, StorageConformance
from tests.conftest import POSTGRES_KINDS
from tests.support.postgres_roles import granted_role
from tests.support.shared_postgres import own_database


class TestPostgres(StorageConformance):
    @pytest.fixture
    def recipe(self, postgres_dsn: str) -> Recipe:
        # How long a busy machine takes for thousands of tasks at once says nothing about the storage.
        target = "hueyio.storage.postgres:PostgresStorage"
        return Recipe(target, name=uuid.uuid4().hex, dsn=postgres_dsn, timeout=60)


@pytest.fixture(scope="module")
def granted() -> Iterator[str]:
    """A role that may do what the page says, in a schema that another made."""
    owner = own_database(POSTGRES_KINDS[0])
    asyncio.run(bring_forward(Address(owner, "guarded"), 60))
    with granted_role(owner, "guarded") as dsn:
        yield dsn


@pytest.mark.again("a role has the same functions; that its rights are enough is shown where they are tested")
class TestPostgresWithFewRights(StorageConformance):
    @pytest.fixture
    def recipe(self, granted: str) -> Recipe:
        target = "hueyio.storage.postgres:PostgresStorage"
        return Recipe(target, name=uuid.uuid4().hex, dsn=granted, schema="guarded", create_tables=False, timeout=60)
