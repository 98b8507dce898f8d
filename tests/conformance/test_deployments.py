"""The Redis storages against the contract where the server has to be found first: a cluster, and Sentinels.

The whole contract on one kind of deployment, because each script must declare its keys there; of the rest what depends
on the other connections or on how keys are named. ``HUEYIO_TEST_DEPLOYMENTS=all`` takes the whole contract for all four
classes on both deployments, as ``nox -s full`` does.
"""

from __future__ import annotations

import os
import uuid
from typing import Final

import pytest

from hueyio.testing.storage import Recipe, StorageConformance
from hueyio.testing.storage.conformance.bells import Bells
from hueyio.testing.storage.conformance.keys import Keys
from hueyio.testing.storage.conformance.latches import Latches
from hueyio.testing.storage.conformance.leases import Leases
from hueyio.testing.storage.conformance.notices import Noticing
from hueyio.testing.storage.conformance.settling import Settling
from hueyio.testing.storage.conformance.waiting import Waiting
from tests.support.deployments import SentinelGroup, ServerCluster

pytestmark = pytest.mark.deployment

ALL: Final = os.environ.get("HUEYIO_TEST_DEPLOYMENTS") == "all"
PATIENT: Final = 30_000
"""Milliseconds. No server dies here, and one that waits for its turn must not be taken for dead."""


@pytest.fixture(scope="module")
def patient_cluster(cluster: ServerCluster) -> ServerCluster:
    cluster.notice_after(PATIENT)
    return cluster


@pytest.fixture(scope="module")
def patient_sentinels(sentinels: SentinelGroup) -> SentinelGroup:
    sentinels.notice_after(PATIENT)
    return sentinels


def recipe_at(storage_class: str, url: str) -> Recipe:
    # How long a busy machine takes for thousands of tasks at once says nothing about the storage.
    url += f"{'&' if '?' in url else '?'}socket_timeout=60"
    return Recipe(f"hueyio.storage.redis:{storage_class}", name=uuid.uuid4().hex, url=url)


class OnCluster:
    storage_class: str

    @pytest.fixture
    def recipe(self, patient_cluster: ServerCluster) -> Recipe:
        return recipe_at(self.storage_class, patient_cluster.url)


class OnSentinels:
    storage_class: str

    @pytest.fixture
    def recipe(self, patient_sentinels: SentinelGroup) -> Recipe:
        return recipe_at(self.storage_class, patient_sentinels.url)


class TestCluster(OnCluster, StorageConformance):
    storage_class = "RedisStorage"


class TestPriorityExpireCluster(OnCluster, Keys, Settling, Latches):
    __test__ = not ALL
    storage_class = "PriorityRedisExpireStorage"


class TestSentinel(OnSentinels, Leases, Bells, Waiting, Noticing):
    __test__ = not ALL
    storage_class = "RedisStorage"


class TestAllPriorityCluster(OnCluster, StorageConformance):
    __test__ = ALL
    storage_class = "PriorityRedisStorage"


class TestAllExpireCluster(OnCluster, StorageConformance):
    __test__ = ALL
    storage_class = "RedisExpireStorage"


class TestAllPriorityExpireCluster(OnCluster, StorageConformance):
    __test__ = ALL
    storage_class = "PriorityRedisExpireStorage"


class TestAllSentinel(OnSentinels, StorageConformance):
    __test__ = ALL
    storage_class = "RedisStorage"


class TestAllPrioritySentinel(OnSentinels, StorageConformance):
    __test__ = ALL
    storage_class = "PriorityRedisStorage"


class TestAllExpireSentinel(OnSentinels, StorageConformance):
    __test__ = ALL
    storage_class = "RedisExpireStorage"


class TestAllPriorityExpireSentinel(OnSentinels, StorageConformance):
    __test__ = ALL
    storage_class = "PriorityRedisExpireStorage"
