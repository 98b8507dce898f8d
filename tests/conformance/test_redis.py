"""The Redis storages against the contract, on every server that there is.

The short lane takes the plain class on one server, and on another the class that has both variants in it.
"""

from __future__ import annotations

import uuid

import pytest

from hueyio.testing.storage import Recipe, StorageConformance
from tests.conftest import SERVER_KINDS, ServerOf, first_and
from tests.support.servers import Server


class OnRedis(StorageConformance):
    storage_class: str

    @pytest.fixture
    def recipe(self, server: Server) -> Recipe:
        # The servers take turns with the two kinds of address.
        url = server.unix_url if server.binary.name == "redis-server" else server.url
        # How long a busy machine takes for thousands of tasks at once says nothing about the storage.
        url += f"{'&' if '?' in url else '?'}socket_timeout=60"
        return Recipe(f"hueyio.storage.redis:{self.storage_class}", name=uuid.uuid4().hex, url=url)


class TestRedis(OnRedis):
    storage_class = "RedisStorage"

    @pytest.fixture(params=first_and("the class with both variants runs there", SERVER_KINDS))
    def server(self, request: pytest.FixtureRequest, server_of: ServerOf) -> Server:
        return server_of(request.param)


@pytest.mark.again("TestPriorityRedisExpire has its priorities too")
class TestPriorityRedis(OnRedis):
    storage_class = "PriorityRedisStorage"


@pytest.mark.again("TestPriorityRedisExpire has its times to live too")
class TestRedisExpire(OnRedis):
    storage_class = "RedisExpireStorage"


class TestPriorityRedisExpire(OnRedis):
    storage_class = "PriorityRedisExpireStorage"

    @pytest.fixture(params=first_and("the plain class runs there", SERVER_KINDS[::-1]))
    def server(self, request: pytest.FixtureRequest, server_of: ServerOf) -> Server:
        return server_of(request.param)
