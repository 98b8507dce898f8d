"""The Redis storage against the contract where the server has to be found first: a cluster, and Sentinels."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from hueyio.testing import Recipe, StorageConformance
from hueyio.testing.deployments import SentinelGroup, ServerCluster
from tests.conftest import SERVER_KINDS, SERVERS

pytestmark = pytest.mark.deployment

KIND = SERVER_KINDS[0]
"""One is enough: the deployment is what is tested here."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[ServerCluster]:
    made = ServerCluster(SERVERS[KIND])
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def sentinels() -> Iterator[SentinelGroup]:
    made = SentinelGroup(SERVERS[KIND])
    yield made
    made.dispose()


class TestCluster(StorageConformance):
    @pytest.fixture
    def recipe(self, cluster: ServerCluster) -> Recipe:
        return Recipe("hueyio.storage.redis:RedisStorage", name=uuid.uuid4().hex, url=cluster.url)


class TestSentinel(StorageConformance):
    @pytest.fixture
    def recipe(self, sentinels: SentinelGroup) -> Recipe:
        return Recipe("hueyio.storage.redis:RedisStorage", name=uuid.uuid4().hex, url=sentinels.url)


class TestPriorityExpireCluster(StorageConformance):
    @pytest.fixture
    def recipe(self, cluster: ServerCluster) -> Recipe:
        return Recipe("hueyio.storage.redis:PriorityRedisExpireStorage", name=uuid.uuid4().hex, url=cluster.url)
