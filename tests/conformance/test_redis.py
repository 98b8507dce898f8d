"""The Redis storage against the contract, on every server that there is."""

from __future__ import annotations

import uuid

import pytest

from hueyio.testing import Recipe, StorageConformance
from hueyio.testing.servers import Server


class TestRedis(StorageConformance):
    @pytest.fixture
    def recipe(self, server: Server) -> Recipe:
        # The servers take turns with the two kinds of address.
        url = server.unix_url if server.binary.name == "redis-server" else server.url
        return Recipe("hueyio.storage.redis:RedisStorage", name=uuid.uuid4().hex, url=url)
