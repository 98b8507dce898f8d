"""The Redis storages against the contract, on every server that there is."""

from __future__ import annotations

import uuid

import pytest

from hueyio.testing import Recipe, StorageConformance
from tests.support.servers import Server


class OnRedis(StorageConformance):
    storage_class: str

    @pytest.fixture
    def recipe(self, server: Server) -> Recipe:
        # The servers take turns with the two kinds of address.
        url = server.unix_url if server.binary.name == "redis-server" else server.url
        return Recipe(f"hueyio.storage.redis:{self.storage_class}", name=uuid.uuid4().hex, url=url)


class TestRedis(OnRedis):
    storage_class = "RedisStorage"


@pytest.mark.again
class TestPriorityRedis(OnRedis):
    storage_class = "PriorityRedisStorage"


@pytest.mark.again
class TestRedisExpire(OnRedis):
    storage_class = "RedisExpireStorage"


@pytest.mark.again
class TestPriorityRedisExpire(OnRedis):
    storage_class = "PriorityRedisExpireStorage"
